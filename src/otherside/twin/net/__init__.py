"""The network between Regions, and the machine's addresses that stand for it."""
