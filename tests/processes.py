"""Processes that a test starts, and that do not outlive it."""

import subprocess

import psutil


def ended(process, seconds=60):
    """Return the output of a process that was asked to end, once it has; else kill it, and fail."""
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


def words(process):
    """Return a process's command line; nothing for one that is just ending."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
