"""AWS IAM and STS."""
