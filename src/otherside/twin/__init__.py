"""Two AWS Regions on one machine: the real program and functions, against real processes."""
