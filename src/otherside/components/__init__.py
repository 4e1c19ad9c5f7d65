"""The Pulumi components of a stack in two Regions."""
