"""Work that is shared among processes comes to what one process alone would find."""

import json
import os
import pickle
import signal
from functools import partial

import pytest
from click.testing import CliRunner

from check import dialect_writer as writing
from check.stack_mutations import BREAKS, Broken
from check.stack_under_test import exported, graph_of, specs_of
from otherside.check import engine, parallel
from otherside.check.engine import CheckConfig, Suppression, check
from otherside.check.parallel import in_parallel
from otherside.check.readers.input_error import InputError
from otherside.cli import main


@pytest.fixture(autouse=True)
def three(monkeypatch):
    """Share work among three processes, whatever the machine has and whoever runs the test."""
    monkeypatch.setattr(parallel, "workers", lambda: 3)
    monkeypatch.setattr(engine, "workers", lambda: 3)
    monkeypatch.setattr(engine, "SHARED_MIN", 1)


def where(text):
    """Return a text with the process that made it."""
    return text, os.getpid()


def test_results_come_in_the_order_of_the_works():
    """The first is done here, the others elsewhere."""
    found = in_parallel([partial(where, text) for text in "abc"])
    assert [text for text, _ in found] == ["a", "b", "c"]
    assert found[0][1] == os.getpid()
    assert len({pid for _, pid in found}) == 3


def refuse(pid):
    """Fail, in every process."""
    msg = "not so"
    raise InputError(str(pid), msg)


def die(parent):
    """Be killed, in every process but one."""
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return "done here"


def test_what_fails_elsewhere_fails_here_in_its_own_words():
    """And not as a process that ended."""
    with pytest.raises(InputError, match="not so"):
        in_parallel([lambda: 1, partial(refuse, 1)])


def test_what_is_killed_elsewhere_is_done_here():
    """As where memory is short: the answer comes later, and is the same."""
    works = [partial(die, os.getpid())] * 3
    assert in_parallel(works) == ["done here"] * 3


def test_no_process_is_left_when_the_work_here_fails():
    """Nobody waits for what the others find."""
    with pytest.raises(InputError):
        in_parallel([partial(refuse, 0), partial(os.read, os.pipe()[0], 1)])
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def broken_stack():
    """Return the graph of a stack with several of the fifteen failures in it."""
    broken = Broken(pickle.dumps(specs_of(graph_of(exported()))))
    for code in ("DR001", "DR004", "DR009"):
        BREAKS[code](broken)
    return writing.load_terraform(list(broken.specs.values()))


def test_a_check_finds_the_same_in_the_same_order(monkeypatch):
    """Findings, unknowns, what was suppressed, and which suppressions took effect."""
    graph = broken_stack()
    config = CheckConfig(suppress=(Suppression(code="DR009", resource="*", reason="so it is"),))
    shared = check(graph, config)
    monkeypatch.setattr(engine, "workers", lambda: 1)
    alone = check(broken_stack(), config)
    assert shared == alone
    assert {item.rule.code for item in shared.findings} >= {"DR001", "DR004"}
    assert shared.excused
    assert shared.stale == []


def test_the_command_says_the_same(tmp_path):
    """Whoever of its processes found it."""
    file = tmp_path / "plan.json"
    document = writing.Terraform(specs_of(graph_of(exported()))).document()
    file.write_text(json.dumps(document), encoding="utf-8")
    done = CliRunner().invoke(main, ["check", str(file), "--format", "json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["findings"] == []
