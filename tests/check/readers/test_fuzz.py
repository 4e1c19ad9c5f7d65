"""Documents that are nearly right: whatever is put anywhere, an answer or one clear error."""

import copy
import json
import runpy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from check import dialect_writer as writing
from check.rule_cases import cases
from otherside.check.engine import CheckConfig, check
from otherside.check.readers import large_json
from otherside.check.readers.input_error import InputError
from otherside.check.readers.read import ReadOptions, read_paths
from otherside.check.report.findings_document import as_document
from otherside.check.report.formats import FORMATS
from otherside.check.report.text import as_text
from otherside.check.summary import summarize

CASES = [case for case in cases() if not case.not_in][::5]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.just("\ud800"),
    st.just([]),
    st.just({}),
    st.just([[{"Ref": ["x"]}]]),
    st.just({"Fn::If": ["x", {}, []]}),
    st.just({"Fn::Sub": "${a.b}${!c}${"}),
    st.just("04da6b54-80e4-46f7-96ec-b56ff0331ba9"),
)
WRITERS = {
    "terraform": lambda specs: [writing.Terraform(specs).document()],
    "pulumi": lambda specs: [writing.Pulumi(specs).document()],
    "cloudformation": lambda specs: list(writing.CloudFormation(specs).documents().values()),
}


CORPUS = Path(__file__).parents[1] / "fuzz-corpus"
LOADERS = runpy.run_path(str(Path(__file__).parents[3] / "tools" / "fuzz.py"))["LOADERS"]


@pytest.mark.parametrize("loader", LOADERS)
def test_what_reached_new_code_once_is_still_an_answer(loader, tmp_path, monkeypatch):
    """The inputs that `make fuzz` kept, each of which takes a way of its own."""
    if loader == "large-json":
        monkeypatch.setattr(large_json, "CHECKED_MAX", -1)
    kept = sorted((CORPUS / loader).iterdir())
    assert kept
    for file in kept:
        copied = tmp_path / LOADERS[loader]
        copied.write_bytes(file.read_bytes())
        answer([copied])


def spots(document):
    """Return every path in a document."""
    found, todo = [], [((), document)]
    while todo:
        path, value = todo.pop()
        if path:
            found.append(path)
        if isinstance(value, dict):
            todo += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            todo += [((*path, at), item) for at, item in enumerate(value)]
    return found


def answer(files):
    """Read and check as the command does, and show it in every format."""
    read = read_paths([str(file) for file in files], ReadOptions(), bytes)
    assert all(isinstance(problem, InputError) and str(problem) for problem in read.problems)
    result = check(read.graph, CheckConfig())
    document = as_document(read, result, [summarize(read.graph, result)], [])
    for shown in (*(item(document) for item in FORMATS.values()), as_text(document, _plain)):
        shown.encode()
    return read


def _plain(text, _):
    return text


@pytest.mark.slow
@pytest.mark.parametrize("dialect", WRITERS)
@given(data=st.data())
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_whatever_stands_anywhere_there_is_an_answer(tmp_path, dialect, data):
    """One to three values of a real document are something else."""
    case = data.draw(st.sampled_from(CASES))
    documents = copy.deepcopy(WRITERS[dialect](writing.from_toml(case.table)))
    for _ in range(data.draw(st.integers(1, 3))):
        document = data.draw(st.sampled_from(documents))
        *around, last = data.draw(st.sampled_from(spots(document)))
        inner = document
        for step in around:
            inner = inner[step]
        inner[last] = copy.deepcopy(data.draw(ODD))
    files = []
    for number, document in enumerate(documents):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps(document))
    answer(files)


@pytest.mark.slow
@given(raw=st.binary(max_size=200), name=st.sampled_from(["a.json", "a.yaml", "a.tf"]))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_an_answer(tmp_path, raw, name):
    """Nothing, or one clear error."""
    (tmp_path / name).write_bytes(raw)
    answer([tmp_path / name])


@pytest.mark.slow
@given(
    text=st.lists(
        st.sampled_from(
            [
                *"{}[]()\"'=.,:?*$%\n#-<>|",
                *("${", "for ", "in ", "resource", '"aws_vpc"', "a", "1", "local", "locals"),
                *("count", "each", "dynamic", "content", "<<EOT\n", "EOT\n"),
            ]
        ),
        max_size=40,
    )
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_words_of_terraform_are_an_answer(tmp_path, text):
    """Read, or refused by line."""
    (tmp_path / "main.tf").write_text("".join(text))
    answer([tmp_path / "main.tf"])
