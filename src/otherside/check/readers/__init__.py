"""Readers that turn input files into resources."""
