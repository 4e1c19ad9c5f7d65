"""Work that is shared among processes comes to what one process alone would find."""

import itertools
import json
import os
import pickle
import signal
import tempfile
import time
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
    monkeypatch.setattr(engine, "SHARED_MIN", 1)


def pids(tasks):
    """Take tasks slowly, so that each process gets some; return them with the process."""
    taken = []
    for task in tasks:
        time.sleep(0.02)
        taken.append(task)
    return os.getpid(), taken


def test_each_task_is_done_once_by_one_of_the_processes():
    """And each process has some of them."""
    tasks = list("abcdefghijklmnopqrstuvwxyz")
    found = in_parallel(tasks, pids)
    assert found[0][0] == os.getpid()
    assert len({pid for pid, _ in found}) == 3
    assert sorted(task for _, taken in found for task in taken) == tasks
    assert all(taken for _, taken in found)


def refuse(tasks):
    """Fail, in every process."""
    raise InputError(str(list(tasks)), "not so")


def test_what_fails_fails_in_its_own_words():
    """And not as a process that ended; none is left."""
    with pytest.raises(InputError, match="not so"):
        in_parallel("ab", refuse)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def die(parent, tasks):
    """Be killed with what was taken, in every process but one."""
    left = iter(tasks)
    first = list(itertools.islice(left, 1))
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.1)
    return [*first, *left]


def test_what_is_killed_elsewhere_is_done_here():
    """As where memory is short: the answer comes later, and nothing is missing from it."""
    assert in_parallel("abcdefg", partial(die, os.getpid())) == [list("abcdefg")]


@pytest.mark.parametrize("call", ["fork", "pipe"])
def test_where_nothing_can_be_made_the_work_is_done_here(call, monkeypatch):
    """As where processes or files are limited: the second one is refused, and nothing is left."""
    plain, made = getattr(os, call), []

    def refused():
        if made or call == "pipe":
            raise BlockingIOError
        made.append(None)
        return plain()

    monkeypatch.setattr(os, call, refused)
    assert in_parallel("abc", list) == [["a", "b", "c"]]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_where_no_file_can_be_made_the_work_is_done_here(monkeypatch):
    """As in a container that writes nothing."""

    def refuse(**_):
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert in_parallel("abc", list) == [["a", "b", "c"]]


def test_where_nobody_may_wait_for_children_the_work_is_done_here():
    """Whoever started us ignores the end of children, and they are gone before we ask."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert in_parallel("abc", list) == [["a", "b", "c"]]
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_more_tasks_than_numbers_are_done_by_one():
    """Nobody has so many rules, but nothing is lost then."""
    tasks = list(range(300))
    assert in_parallel(tasks, list) == [tasks]


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
    monkeypatch.setattr(parallel, "workers", lambda: 1)
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
