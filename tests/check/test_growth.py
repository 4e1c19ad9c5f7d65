"""What a check does grows with its input and not with the input's square."""

from collections import Counter

import pytest

from check import dialect_writer as writing
from check.stack_under_test import exported, graph_of, specs_of
from otherside.check import engine
from otherside.check.analysis.workloads import tasks_of
from otherside.check.catalogue import catalogue
from otherside.check.engine import CheckConfig
from otherside.check.model.graph import Graph, Place, Resource
from otherside.check.readers.terraform.plan_json import TerraformPlan

FEW, MANY = 2, 12
SLACK = 1.25
"""How much more than its share of the input a rule may read: what it does once is done once."""


@pytest.fixture(scope="module")
def graphs():
    """Return graphs of a few copies of our stack, and of many."""
    plan = writing.Terraform(specs_of(graph_of(exported()))).document()
    return [
        Graph(list(TerraformPlan(writing.repeated(plan, count), "plan.json").load()))
        for count in (FEW, MANY)
    ]


def reads(graph, monkeypatch):
    """Return how many properties each rule reads in a graph."""
    counted, plain = Counter(), Resource.__getitem__
    now = ""

    def read(resource, path):
        counted[now] += 1
        return plain(resource, path)

    with monkeypatch.context() as patch:
        patch.setattr(Resource, "__getitem__", read)
        for rule in catalogue():
            now = rule.code
            engine._asked(rule, graph, CheckConfig(), "")
    return counted


def test_no_rule_reads_more_than_its_share_of_a_larger_stack(graphs, monkeypatch):
    """Whatever it compares is found by name, type or Region, and not by looking at everything."""
    few, many = (reads(graph, monkeypatch) for graph in graphs)
    assert sum(few.values()) > 1000
    worse = {
        code: (few[code], many[code])
        for code in many
        if many[code] > few[code] * MANY / FEW * SLACK + 100
    }
    assert worse == {}


def services(count):
    """Return a graph of ECS services, each with a scalable target that names it."""
    made = []
    for number in range(count):
        name = f"web{number}"
        given = {"kind": "ecs.service", "type": "aws_ecs_service"}
        made.append(resource(name, {"name": name, "cluster": "c", "desired_count": 1}, **given))
        target = {
            "resource_id": f"service/c/{name}",
            "service_namespace": "ecs",
            "min_capacity": 1,
            "max_capacity": number,
        }
        given = {"kind": "appautoscaling.target", "type": "aws_appautoscaling_target"}
        made.append(resource(f"scale{number}", target, **given))
    return Graph(made)


def resource(name, attributes, *, kind, type):  # noqa: A002 - as a resource has it
    """Return a resource of one Region."""
    return Resource(
        id=name,
        name=name,
        kind=kind,
        type=type,
        region="us-east-2",
        place=Place(""),
        dialect="terraform",
        attributes=attributes,
    )


@pytest.mark.parametrize("count", [10, 300])
def test_a_service_finds_its_scalable_target_by_name(count, monkeypatch):
    """And looks at no other's."""
    graph, seen, plain = services(count), [], Resource.__getitem__
    monkeypatch.setattr(
        Resource, "__getitem__", lambda item, path: seen.append(path) or plain(item, path)
    )
    assert [tasks_of(graph, item) for item in graph.of("ecs.service")] == [
        (1, number) for number in range(count)
    ]
    assert len(seen) <= 12 * count
