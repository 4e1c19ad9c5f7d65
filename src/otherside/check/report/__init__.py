"""The findings document and its output formats."""
