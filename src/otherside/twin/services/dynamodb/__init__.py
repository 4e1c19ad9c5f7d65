"""Amazon DynamoDB global tables."""
