"""A function's code is read where it lies: in a zip archive, and in an object of a bucket."""

import io
import json
import zipfile

import pytest

from otherside.check.engine import CheckConfig, check
from otherside.check.model.values import Code, Unknown
from otherside.check.readers.read import ReadOptions, read_paths
from otherside.check.readers.source import code_of_zip

HANDLER = "def handler(event, context):\n    return event\n"
PROVIDER = 'provider "aws" {\n  region = "us-west-2"\n}\n'
FUNCTION = """
resource "aws_lambda_function" "failover" {
  function_name = "failover"
  runtime       = "python3.13"
  handler       = "app.%s"
  %s
}
"""


def zipped(**files):
    """Return a zip archive of some modules."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return packed.getvalue()


def findings(place, **files):
    """Return what DR012 says of a directory."""
    for name, content in files.items():
        file = place / name.replace("__", ".")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    read = read_paths([str(place)], ReadOptions(), bytes)
    assert read.problems == []
    return [item.message for item in check(read.graph, CheckConfig(select=("DR012",))).findings]


OBJECT = """
resource "aws_s3_bucket" "code" {
  bucket = "code"
}
resource "aws_s3_object" "code" {
  bucket = aws_s3_bucket.code.id
  key    = "failover.zip"
  source = "${path.module}/app.zip"
}
"""
FROM_BUCKET = "s3_bucket = aws_s3_bucket.code.id\n  s3_key = aws_s3_object.code.key"


@pytest.mark.parametrize(
    ("beside", "where"),
    [
        ("", 'filename = "app.zip"'),
        ("", 'filename = "${path.module}/app.zip"'),
        (OBJECT, FROM_BUCKET),
    ],
    ids=["a-file", "a-file-of-its-module", "an-object-of-a-bucket"],
)
def test_the_handler_is_looked_for_in_what_is_packed(tmp_path, beside, where):
    """It is found by its name, and what has another name is not it."""
    for name in ("handler", "main"):
        (tmp_path / name).mkdir()
    text = PROVIDER + beside
    right = findings(
        tmp_path / "handler",
        main__tf=text + FUNCTION % ("handler", where),
        app__zip=zipped(app=HANDLER),
    )
    assert right == []
    wrong = findings(
        tmp_path / "main", main__tf=text + FUNCTION % ("main", where), app__zip=zipped(app=HANDLER)
    )
    assert wrong == ["its handler names main, which app.py does not define"]


def test_what_another_bucket_holds_is_not_the_code(tmp_path):
    """A key is a name in one bucket only."""
    other = '\nresource "aws_s3_bucket" "other" {\n  bucket = "other"\n}\n'
    from_other = FROM_BUCKET.replace("aws_s3_bucket.code.id", "aws_s3_bucket.other.id")
    text = PROVIDER + OBJECT + other + FUNCTION % ("main", from_other)
    assert findings(tmp_path, main__tf=text, app__zip=zipped(app=HANDLER)) == []


def test_an_archive_beside_an_exported_stack_is_read(tmp_path):
    """By the path that the program gave it."""
    urn = "urn:pulumi:s::p::aws:lambda/function:Function::failover"
    archive = {
        "4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7",
        "path": "app.zip",
    }
    inputs = {"code": archive, "handler": "app.main", "runtime": "python3.13", "name": "failover"}
    resource = {
        "urn": urn,
        "custom": True,
        "type": "aws:lambda/function:Function",
        "inputs": inputs,
    }
    document = {"version": 3, "deployment": {"resources": [resource]}}
    found = findings(tmp_path, stack__json=json.dumps(document), app__zip=zipped(app=HANDLER))
    assert found == ["its handler names main, which app.py does not define"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("no-archive", b"PK no"), ("cut-off", zipped(app=HANDLER)[:-30]), ("empty", b"")],
)
def test_what_is_no_archive_is_unknown(tmp_path, name, content):
    """With the reason; nothing is guessed from a part."""
    file = tmp_path / f"{name}.zip"
    file.write_bytes(content)
    found = code_of_zip(file)
    assert isinstance(found, Unknown)
    assert file.name in found.why


def test_a_broken_member_is_named_and_not_read(tmp_path):
    """Whatever it was packed with; what is beside it is read."""
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            archive.writestr("app.py", HANDLER * 50)
        raw = bytearray(packed.getvalue())
        raw[45:65] = bytes(byte ^ 0xFF for byte in raw[45:65])
        file = tmp_path / f"{method}.zip"
        file.write_bytes(raw)
        assert code_of_zip(file) == Code((("app.py", None),), whole=True)


def test_what_unpacks_to_much_is_named_and_not_read(tmp_path):
    """However small it claims to be."""
    file = tmp_path / "big.zip"
    file.write_bytes(zipped(big="#" * (1 << 24), small=HANDLER))
    assert code_of_zip(file) == Code((("big.py", None), ("small.py", HANDLER)), whole=True)


def test_a_path_that_can_be_none_is_unknown(tmp_path):
    """And no traceback."""
    where = 'filename = "' + "x" * 300 + '.zip"'
    assert findings(tmp_path, main__tf=PROVIDER + FUNCTION % ("handler", where)) == []
