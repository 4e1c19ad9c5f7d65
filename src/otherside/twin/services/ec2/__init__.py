"""Amazon EC2 and VPC."""
