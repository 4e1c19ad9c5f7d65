"""The twin: an emulation of three AWS Regions on one machine."""
