"""What is shipped of a log file: whole lines, each once."""

from otherside.twin.services.logs.provider import read_new


def test_a_line_that_is_being_written_waits(tmp_path):
    """Or it would be two events."""
    file = tmp_path / "app.log"
    file.write_bytes(b"one\ntw")
    lines, offset = read_new(file, 0)
    assert lines == ["one"]
    file.write_bytes(b"one\ntwo\n")
    assert read_new(file, offset) == (["two"], 8)
    assert read_new(file, 8) == ([], 8)


def test_what_is_no_text_is_shipped_all_the_same(tmp_path):
    """Offsets count bytes, so a character of two bytes moves nothing."""
    file = tmp_path / "app.log"
    file.write_bytes("é\n".encode() + b"\xff\n")
    assert read_new(file, 0) == (["é", "\ufffd"], 5)
