"""The network between Regions, and the loopback addresses that represent it."""
