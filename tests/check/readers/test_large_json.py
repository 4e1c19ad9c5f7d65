"""Large documents: read only as far as somebody asks, and to the same end as small ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check import dialect_writer as writing
from check.stack_under_test import exported, graph_of, specs_of
from otherside.check.readers import large_json, read
from otherside.check.readers.large_json import decoded, read_large

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    """Let a document of any size count as large."""
    monkeypatch.setattr(large_json, "CHECKED_MAX", -1)
    monkeypatch.setattr(read, "CHECKED_MAX", 0)


@pytest.fixture(scope="module")
def plan():
    """Return our own stack as a plan, with all that Terraform says beside the changes."""
    document = writing.Terraform(specs_of(graph_of(exported()))).document()
    managed = [item for item in document["resource_changes"] if item["mode"] == "managed"]
    resources = [{**item, "values": item["change"]["after"]} for item in managed]
    return {**document, "planned_values": {"root_module": {"resources": resources}}}


def described(graph):
    """Return everything that a graph says of its resources."""
    return {
        item.id: (item.kind, item.region, item.provider, repr(item.attributes), item.suppressed)
        for item in graph.resources.values()
    }


def read_at(path, slow, monkeypatch):
    """Return what a file's graph says, read the one way or the other."""
    monkeypatch.setattr(large_json, "CHECKED_MAX", 1 << 40 if slow else -1)
    found = read.read_paths([str(path)], read.ReadOptions(), bytes)
    return [str(problem) for problem in found.problems], [
        described(system.graph) for system in found.systems
    ]


def test_a_plan_is_understood_alike_whatever_its_size(plan, tmp_path, monkeypatch):
    """Each resource with each attribute, reference, Region and provider."""
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    problems, graphs = read_at(file, slow=False, monkeypatch=monkeypatch)
    assert (problems, graphs) == read_at(file, slow=True, monkeypatch=monkeypatch)
    assert problems == []
    assert sum(map(len, graphs)) > 300


def spoilt(document, how):
    """Return a plan's text with one thing in it as no Terraform writes it."""
    text = json.dumps(document)
    match how:
        case "cut off":
            return text[: len(text) // 2]
        case "no object among the changes":
            return json.dumps({**document, "resource_changes": [*document["resource_changes"], 7]})
        case "changes that are no list":
            return json.dumps({**document, "resource_changes": {"a": 1}})
        case "two documents":
            return f"{text}\n{text}"
        case "a change without a type":
            return text.replace('"type": "aws_kms_key"', '"type": null')
        case "a module of a number":
            configuration = {"root_module": {"module_calls": {"a": {"module": 7}}}}
            return json.dumps({**document, "configuration": configuration})
        case "too deep":
            return json.dumps(document)[:-1] + ', "checks": ' + "[" * 200_000 + "]" * 200_000 + "}"
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        *("cut off", "no object among the changes", "changes that are no list", "two documents"),
        *("a change without a type", "a module of a number", "too deep"),
    ],
)
def test_what_terraform_did_not_write_comes_to_what_the_careful_reader_says(
    plan, how, tmp_path, monkeypatch
):
    """The same resources, or the same one sentence."""
    file = tmp_path / "plan.json"
    file.write_text(spoilt(plan, how), encoding="utf-8")
    fast = read_at(file, slow=False, monkeypatch=monkeypatch)
    assert fast == read_at(file, slow=True, monkeypatch=monkeypatch)


@given(VALUES, VALUES, st.sampled_from([None, 2]))
def test_a_member_is_read_as_json_reads_it(dropped, kept, indent):
    """Whatever stands before it; and of what is dropped nothing is left."""
    text = json.dumps({"drop": dropped, "keep": kept, "list": [kept, 1]}, indent=indent)
    found = read_large(text.encode(), each={"list": decoded}, whole={}, dropped=frozenset({"drop"}))
    elements = [item for item in (kept, 1) if item is not None]
    assert found == {"drop": None, "keep": kept, "list": elements}


def test_what_is_none_of_ours_below_a_directory_is_skipped_whatever_its_size(plan, tmp_path):
    """A large foreign file is no error, and no plan."""
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (tmp_path / "other.json").write_text(json.dumps({"variables": [1], "pad": "x"}))
    found = read.read_paths([str(tmp_path)], read.ReadOptions(), bytes)
    assert found.problems == []
    assert len(found.systems) == 1


def test_a_configuration_of_nothing_is_none(plan, tmp_path, monkeypatch):
    """A state has no configuration, and whose passwords are hidden in it is not known."""
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({**plan, "configuration": {}}), encoding="utf-8")
    fast = read_at(file, slow=False, monkeypatch=monkeypatch)
    assert fast == read_at(file, slow=True, monkeypatch=monkeypatch)


def test_references_that_are_named_twice_are_one(tmp_path):
    """Terraform names them as often as the expression does, in each branch of a condition."""
    twice = ["aws_route53_health_check.a.id", "aws_route53_health_check.b.id"] * 2
    names = ("a", "b", "whole")
    document = {
        "format_version": "1.2",
        "resource_changes": [
            {
                "address": f"aws_route53_health_check.{name}",
                "mode": "managed",
                "type": "aws_route53_health_check",
                "name": name,
                "change": {
                    "actions": ["create"],
                    "after": {"type": "CALCULATED" if name == "whole" else "HTTPS"},
                    "after_unknown": {"child_healthchecks": True} if name == "whole" else {},
                },
            }
            for name in names
        ],
        "configuration": {
            "root_module": {
                "resources": [
                    {
                        "address": f"aws_route53_health_check.{name}",
                        "expressions": {"child_healthchecks": {"references": twice}}
                        if name == "whole"
                        else {},
                    }
                    for name in names
                ]
            }
        },
    }
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    found = read.read_paths([str(file)], read.ReadOptions(), bytes)
    (whole,) = (item for item in found.graph.resources.values() if item.name.endswith(".whole"))
    assert [ref.target[-1] for ref in whole["child_healthchecks"].refs] == ["a", "b"]


def test_a_manifest_of_any_size_is_one(tmp_path):
    """CDK's templates are read as its manifest says, and not a second time as files."""
    properties = {"templateFile": "A.template.json"}
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/us-east-2",
        "properties": properties,
    }
    (tmp_path / "manifest.json").write_text(
        json.dumps({"version": "36", "artifacts": {"A": stack}})
    )
    template = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}
    (tmp_path / "A.template.json").write_text(json.dumps(template))
    found = read.read_paths([str(tmp_path)], read.ReadOptions(), bytes)
    assert [item.region for item in found.graph.resources.values()] == ["us-east-2"]


def test_a_file_that_is_cut_while_it_is_read_is_read_as_it_was(tmp_path):
    """As where a second `show -json` writes over it; a page that is gone would end the process."""
    file = tmp_path / "large.json"
    file.write_text(json.dumps({"many": ["x" * 100] * 5000}), encoding="utf-8")
    mapped = read._bytes(file)
    file.write_text("", encoding="utf-8")
    found = read_large(mapped, each={}, whole={}, dropped=frozenset())
    assert found == {"many": ["x" * 100] * 5000}


def test_a_mapped_file_and_its_bytes_are_one(tmp_path):
    """Giving memory back loses nothing that is read afterwards."""
    file = tmp_path / "large.json"
    file.write_text(json.dumps({"many": [{"number": number} for number in range(5000)]}))
    mapped = read._bytes(file)
    found = read_large(mapped, each={"many": lambda raw: raw}, whole={}, dropped=frozenset())
    large_json.release(mapped)
    assert [decoded(item)["number"] for item in found["many"]] == list(range(5000))
    assert read_large(file.read_bytes(), each={}, whole={}, dropped=frozenset()) == {
        "many": [{"number": number} for number in range(5000)]
    }
