"""AWS ACM."""
