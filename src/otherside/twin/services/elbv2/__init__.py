"""Application Load Balancers."""
