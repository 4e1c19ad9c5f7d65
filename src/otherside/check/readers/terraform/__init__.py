"""Reads Terraform source, plans and states."""
