"""Host processes: supervisor, fork server, and registry of running twins."""
