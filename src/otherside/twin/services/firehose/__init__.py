"""Amazon Firehose."""
