"""Write what in docs/reference comes from code; with --check, only say whether it is stale."""
