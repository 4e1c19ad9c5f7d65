"""The rules: one file, one rule; the file is its page."""
