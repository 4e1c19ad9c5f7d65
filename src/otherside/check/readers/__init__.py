"""Readers: files in, resources out."""
