"""Which rule of a listener takes a request, where a part of a rule is not known."""

import pytest

from otherside.check.analysis.load_balancing import forwards
from otherside.check.model.graph import Graph, Place, Resource
from otherside.check.model.values import Ref, Unknown

PATH = {"path_pattern": {"values": ["/up"]}}


def listener(*conditions, priority=1):
    """Return a graph of a listener that forwards, and its rule that answers by itself."""
    made = [
        ("l", "lb.listener", {"default_action": [{"type": "forward"}]}),
        (
            "r",
            "lb.listener_rule",
            {
                "listener_arn": Unknown(refs=(Ref("l", "arn"),)),
                "priority": priority,
                "action": [{"type": "fixed-response"}],
                "condition": list(conditions),
            },
        ),
    ]
    return Graph(
        [
            Resource(name, name, kind, kind, "us-east-2", Place(""), "terraform", attributes)
            for name, kind, attributes in made
        ]
    )


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((PATH,), False),
        ((PATH, {"http_request_method": {"values": ["GET"]}}), False),
        ((PATH, {"http_request_method": {"values": ["POST"]}}), True),
        ((PATH, {"source_ip": {"values": ["10.0.0.0/8"]}}), True),
        ((PATH, Unknown()), True),
        ((), True),
    ],
    ids=["path", "its-method", "other-method", "other-kind", "unknown", "none"],
)
def test_a_rule_surely_takes_what_all_of_its_conditions_hold_for(conditions, expected):
    """A condition of another kind, or one that is not known, may not hold."""
    graph = listener(*conditions)
    assert forwards(graph, graph.resources["l"], "a.example.com", "/up") is expected
