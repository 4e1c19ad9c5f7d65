"""Ctrl-C that is never lost."""

import signal
import sys
import threading

SOON_S = 0.02
"""Long enough for a destructor to be over; in it, the exception would only be dropped again."""


def keep_interrupts() -> None:
    """Raise Ctrl-C again where Python would only print it, and go on as if nobody had pressed it.

    That is in a destructor and in a weak reference's callback, which may run at any moment.
    https://docs.python.org/3/library/sys.html#sys.unraisablehook
    """
    printed = sys.unraisablehook

    def hook(dropped: "sys.UnraisableHookArgs") -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            threading.Timer(SOON_S, _press).start()
        else:
            printed(dropped)

    sys.unraisablehook = hook


def _press() -> None:
    """Press Ctrl-C; a signal wakes the main thread from whatever it waits for."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
