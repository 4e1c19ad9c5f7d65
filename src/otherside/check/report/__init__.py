"""One document of findings, and its output formats."""
