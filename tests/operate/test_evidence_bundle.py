"""Bundles of evidence: whole or not, and which one."""

import json
import zipfile

import pytest

from otherside.operate.evidence_bundle import MANIFEST, BadBundleError, verify_bundle, write_bundle

CONTENTS = {"b.jsonl": b'{"a": 1}\n', "a.json": b"{}"}


@pytest.fixture
def made(tmp_path):
    """A bundle of two files."""
    file = tmp_path / "evidence.zip"
    return file, write_bundle(file, CONTENTS, {"application": "orders-prod"})


def rewritten(file, change):
    """Write a bundle again with its contents changed."""
    with zipfile.ZipFile(file) as archive:
        known = {name: archive.read(name) for name in archive.namelist()}
    change(known)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in known.items():
            archive.writestr(name, content)


def test_a_bundle_is_what_it_was(made):
    """Verified from the file alone, and the same contents are the same archive."""
    file, bundle = made
    found = verify_bundle(file)
    assert (found.digest, found.files) == (bundle.digest, ("a.json", "b.jsonl"))
    assert found.about == {"application": "orders-prod"}
    before = file.read_bytes()
    write_bundle(file, CONTENTS, {"application": "orders-prod"})
    assert file.read_bytes() == before


def edit(name, content):
    """Return a change of one file."""
    return lambda known: known.update({name: content})


def forge(known):
    """Change a file, and its digest in the manifest too, but not the chain."""
    import hashlib  # noqa: PLC0415 - only here

    known["a.json"] = b"[]"
    manifest = json.loads(known[MANIFEST])
    manifest["files"][0]["sha256"] = hashlib.sha256(b"[]").hexdigest()
    known[MANIFEST] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edit("b.jsonl", b'{"a": 2}\n'), "b.jsonl: its content was changed"),
        (edit("c.json", b"{}"), "not those of the manifest: c.json"),
        (lambda known: known.pop("a.json"), "not those of the manifest: a.json"),
        (lambda known: known.pop(MANIFEST), "manifest.json: missing"),
        (edit(MANIFEST, b"[]"), "manifest.json: missing or not one of ours"),
        (forge, "the chain of digests does not end in"),
    ],
)
def test_whatever_was_changed_is_named(made, change, words):
    """A content, a file more, a file less, the manifest, or a digest with its file."""
    rewritten(made[0], change)
    with pytest.raises(BadBundleError, match=words):
        verify_bundle(made[0])


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_a_file_that_is_no_archive_is_no_bundle(tmp_path, content):
    """One sentence."""
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    with pytest.raises(BadBundleError, match="no bundle"):
        verify_bundle(file)


def test_a_flipped_bit_is_found_or_means_nothing(made):
    """Anywhere in the file, and never with an exception of the archive's own."""
    file, bundle = made
    whole = file.read_bytes()
    found = 0
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            assert verify_bundle(file).digest == bundle.digest
        except BadBundleError:
            found += 1
    assert found > len(whole) / 2
