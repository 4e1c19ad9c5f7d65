"""Journals and ledgers: whole, cut off, wrong, of another version, and read back as written."""

import json

import pytest

from drill.journal_builders import at, failover, head, write
from otherside.drill.entries import SampleEntry, StrikeEntry, WriteEntry, parse
from otherside.drill.journal import Journal, JsonLinesFile
from otherside.drill.recording import Recording, UnreadableJournalError


def lines(*entries):
    """Return entries as a file holds them."""
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def test_what_is_written_is_read_back(tmp_path):
    """Journal and ledgers of two clients, in the order of time."""
    with Journal(tmp_path) as journal:
        journal.put(parse({**head(), "at_s": 1.0}))
        journal.put(StrikeEntry(at_s=2.0))
        for number, times in ((1, (9, 3)), (2, (5,))):
            ledger = JsonLinesFile(tmp_path / f"client-{number}.jsonl")
            for seconds in times:
                entry = parse(write(seconds, seconds))
                ledger.put(entry)
                journal.share(entry)
            ledger.close()
    found = Recording.read(tmp_path)
    assert [item.key[-1] for item in found.of(WriteEntry)] == ["3", "5", "9"]
    assert found.head.scenario == "lost-region"
    assert found.strike_s == 2.0
    assert sorted(found.all(), key=str) == sorted(journal.recording.all(), key=str)
    assert Recording.read(tmp_path / "journal.jsonl").all() == found.all()


def test_nobody_else_reads_a_journal(tmp_path):
    """It holds what a stack says of itself."""
    with Journal(tmp_path) as journal:
        journal.put(StrikeEntry(at_s=1.0))
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o077 == 0


def test_no_journal_is_written_over(tmp_path):
    """The one that is there stays as it is."""
    (tmp_path / "journal.jsonl").write_text("x")
    with pytest.raises(FileExistsError, match="choose another directory"):
        Journal(tmp_path)
    assert (tmp_path / "journal.jsonl").read_text() == "x"


def test_a_journal_that_was_cut_off_is_read_up_to_there(tmp_path):
    """A drill that was killed in the middle of a line, and never said how it ended."""
    (tmp_path / "journal.jsonl").write_text(lines(head(), at(0, "strike")) + '{"kind": "sam')
    found = Recording.read(tmp_path)
    assert found.of(SampleEntry) == []
    assert found.ended == "interrupted"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a drill journal"),
        (lines(at(0, "strike")), "not a drill journal"),
        (lines(head(schema=99)), "schema 99"),
        ("nonsense\n" + lines(head()), "journal.jsonl:1: not a journal entry"),
        (lines(head()) + "[]\n" + lines(at(0, "strike")), ":2: not a journal entry"),
        (lines(head()) + '{"kind": "x"}\n' + lines(at(0, "strike")), ":2: not a journal entry"),
    ],
)
def test_what_is_no_journal_is_refused_by_file_and_line(tmp_path, text, words):
    """One clear sentence, and no half of a recording."""
    (tmp_path / "journal.jsonl").write_text(text)
    with pytest.raises(UnreadableJournalError, match=words):
        Recording.read(tmp_path)


def test_a_directory_without_a_journal_is_refused(tmp_path):
    """By name."""
    with pytest.raises(UnreadableJournalError, match=r"journal\.jsonl: cannot be read"):
        Recording.read(tmp_path)


def test_the_newest_moment_is_of_any_kind():
    """What an end waits for may be told by anybody."""
    assert failover().now_s == max(entry.at_s for entry in failover().all())
