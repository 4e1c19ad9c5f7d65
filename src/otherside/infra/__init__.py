"""The stack: Pulumi components that put one application into two Regions."""
