"""What is not known is never held against a stack: for any rule, any case and any property."""

import copy
from dataclasses import replace

import pytest

from check import dialect_writer as writing
from check.rule_cases import cases
from check.test_rules import CODES
from otherside.check.engine import FAILED, CheckConfig, check
from otherside.check.model.graph import Graph
from otherside.check.model.schema import kinds
from otherside.check.model.values import Unknown
from otherside.check.readers.cloudformation.template import Template

CASES = cases()
named = pytest.mark.parametrize("case", CASES, ids=lambda item: f"{item.rule}-{item.title}"[:80])


def obscured(graph, holes):
    """Yield the graph once for each place where something is written, with that unknown."""
    for identifier, resource in graph.resources.items():
        if resource.kind in {"provider", "backend"}:
            continue
        for path in holes(resource):
            around = attributes = copy.deepcopy(resource.attributes)
            for step in path[:-1]:
                around = around[step]
            around[path[-1]] = Unknown()
            holed = replace(resource, attributes=attributes)
            others = {**graph.resources, identifier: holed}
            yield f"{resource.name} {path}", Graph(others.values())


def places(item):
    """Yield every path to a value: attributes, their blocks, and what is in those."""
    todo = [((key,), value) for key, value in item.attributes.items()]
    while todo:
        path, value = todo.pop()
        last = path[-1]
        if item.kind in kinds() and path[0] not in {"id", "arn"}:
            yield path
        if isinstance(value, dict):
            todo += [((*path, key), each) for key, each in value.items()]
        elif isinstance(value, list) and last != "actions":
            todo += [((*path, at), each) for at, each in enumerate(value)]


@named
def test_a_hole_in_what_is_fine_is_no_finding(case):
    """The value may be the one that was there, so nothing is found; and no rule fails on it."""
    whole = writing.as_graph(writing.from_toml(case.table))
    for hole, graph in obscured(whole, places):
        result = check(graph, CheckConfig(select=(CODES[case.rule],)))
        if not case.flagged:
            assert [(hole, finding.resource, finding.message) for finding in result.findings] == []
        assert [item.reason for item in result.unsure if FAILED in item.reason] == [], hole


def hole_in_template(document, path):
    """Write what CloudFormation decides by a condition that cannot be evaluated."""
    around = document["Resources"]
    for step in path[:-1]:
        around = around[step]
    around[path[-1]] = {"Fn::If": ["Undecidable", around[path[-1]], {"Ref": "AWS::NoValue"}]}
    document.setdefault("Parameters", {})["Switch"] = {"Type": "String"}
    condition = {"Fn::Equals": [{"Ref": "Switch"}, "on"]}
    document.setdefault("Conditions", {})["Undecidable"] = condition


def properties(document):
    """Yield every path to a property of a template, and to what is in it."""
    for logical, resource in document["Resources"].items():
        todo = [
            ((logical, "Properties", key), value)
            for key, value in resource.get("Properties", {}).items()
        ]
        while todo:
            path, value = todo.pop()
            if not any(str(step).startswith(("Fn::", "Ref")) for step in path):
                yield path
            if isinstance(value, dict):
                todo += [((*path, key), each) for key, each in value.items()]
            elif isinstance(value, list):
                todo += [((*path, at), each) for at, each in enumerate(value)]


@named
def test_a_condition_that_cannot_be_evaluated_is_no_finding(case):
    """As above, through the loader: a property may be as it was, or not be there."""
    if "cloudformation" in case.not_in:
        return
    documents = writing.CloudFormation(writing.from_toml(case.table)).documents()
    for region, document in documents.items():
        for path in properties(document):
            given = copy.deepcopy(documents)
            hole_in_template(given[region], path)
            templates = [
                Template(item, f"{name}.json", region=name) for name, item in given.items()
            ]
            graph = Graph([item for template in templates for item in template.load()])
            result = check(graph, CheckConfig(select=(CODES[case.rule],)))
            if not case.flagged:
                assert [
                    (path, finding.resource, finding.message) for finding in result.findings
                ] == []
            assert [item.reason for item in result.unsure if FAILED in item.reason] == [], path


def test_a_task_that_takes_its_parameters_from_its_input_cannot_be_told():
    """Without Parameters the state's input is what AWS is called with."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:rds:failoverGlobalCluster"}
    table = {
        "m": {
            "kind": "sfn.state_machine",
            "region": "us-west-2",
            "name": "recover",
            "definition": {"StartAt": "Move", "States": {"Move": {**task, "End": True}}},
        }
    }
    graph = writing.load_terraform(writing.from_toml(table))
    result = check(graph, CheckConfig(select=("DR404",)))
    assert result.findings == []
    assert [item.resource for item in result.unsure] == ["aws_sfn_state_machine.m"]
