"""Pulumi programs, made through AWS's own API."""
