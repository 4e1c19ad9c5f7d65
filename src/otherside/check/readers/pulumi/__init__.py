"""Reads Pulumi stacks and previews."""
