"""Rules about networks and load balancers."""
