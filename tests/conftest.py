"""What all tests share."""

import functools
import gc
import signal
import sys

import botocore.session

from browser import axe

gc.disable()  # while everything is imported: none of it is garbage, and looking costs a third

# Each session reads the models of AWS's services from their files, which takes a second or so; a
# run of the tests makes hundreds of sessions.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts something beside itself has it ignore Ctrl-C, and all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    """Collect from here on, and spare what was imported until then."""
    gc.freeze()
    gc.enable()


def pytest_runtest_teardown():
    """Collect again: a command that was run in this process has put that off to its end."""
    gc.enable()


def pytest_unconfigure():
    """Remove the functions' bundle: a worker ends without what it had planned for its end."""
    bundle = sys.modules.get("otherside.components.bundle")
    if bundle is not None and bundle._directory.cache_info().currsize:
        bundle._directory().cleanup()


__all__ = ["axe"]
