"""Processes of the host: supervisor, fork server, registry of running twins."""
