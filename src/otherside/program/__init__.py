"""Runs any Pulumi program in process and records what it registers."""
