"""Ctrl-C that comes at a bad moment."""

import sys
import time

import pytest

from otherside.cli.interrupt import keep_interrupts


class Interrupted:
    """What is being destroyed while somebody presses Ctrl-C."""

    def __del__(self):
        raise KeyboardInterrupt


def test_ctrl_c_in_a_destructor_is_raised_again(monkeypatch):
    """Python prints it there and goes on; a twin was running on, and had shown a traceback."""
    monkeypatch.setattr(sys, "unraisablehook", pytest.fail)
    keep_interrupts()
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it is raised a little later
        Interrupted()
        time.sleep(10)


def test_every_other_error_in_a_destructor_is_shown_as_before(monkeypatch):
    """With the hook that was there."""
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    keep_interrupts()
    sys.unraisablehook(type("Dropped", (), {"exc_type": ValueError}))
    assert [item.exc_type for item in seen] == [ValueError]
