"""Creates what a Pulumi program registers, through the twin's AWS API."""
