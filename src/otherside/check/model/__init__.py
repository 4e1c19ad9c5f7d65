"""Dialect-independent model of resources, values and links."""
