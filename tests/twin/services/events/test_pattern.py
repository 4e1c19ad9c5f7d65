"""Event patterns: what fits, and what is refused, as EventBridge documents it."""

import json

import pytest

from otherside.twin.services.events.pattern import PatternError, fits, read_pattern

FITS = [
    ({"a": ["x"]}, {"a": "x"}, True),
    ({"a": ["x"]}, {"a": "X"}, False),
    ({"a": ["x"]}, {"a": ["w", "x"]}, True),
    ({"a": ["x"]}, {"b": "x"}, False),
    ({"a": [None]}, {"a": None}, True),
    ({"a": [None]}, {}, False),
    ({"a": [""]}, {"a": ""}, True),
    ({"a": [True]}, {"a": True}, True),
    ({"a": [1]}, {"a": True}, False),
    ({"a": [300]}, {"a": 300}, True),
    ({"a": [300]}, {"a": 300.0}, False),
    ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
    ({"a": {"b": ["x"]}}, {"a": "x"}, False),
    ({"a": {"b": ["x"]}}, {"a": [{"b": "w"}, {"b": "x"}]}, True),
    ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "x"}, {"c": "y"}]}, False),
    ({"a": ["arn:aws:x/y"]}, {"a": "arn:aws:x:y"}, False),
    ({"a": [{"prefix": "x"}]}, {"a": "xy"}, True),
    ({"a": [{"prefix": {"equals-ignore-case": "X"}}]}, {"a": "xy"}, True),
    ({"a": [{"suffix": "y"}]}, {"a": "xy"}, True),
    ({"a": [{"suffix": "y"}]}, {"a": 5}, False),
    ({"a": [{"equals-ignore-case": "XY"}]}, {"a": "xY"}, True),
    ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
    ({"a": [{"anything-but": ["x", 3]}]}, {"a": 3}, False),
    ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "xy"}, False),
    ({"a": [{"anything-but": {"suffix": ["x", "y"]}}]}, {"a": "xy"}, False),
    ({"a": [{"anything-but": "x"}]}, {}, False),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5.1}, False),
    ({"a": [{"numeric": ["=", 300]}]}, {"a": 300.0}, True),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, True),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.0"}, False),
    ({"a": [{"exists": True}]}, {"a": 1}, True),
    ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
    ({"a": [{"exists": False}]}, {}, True),
    ({"a": [{"wildcard": "a*c"}]}, {"a": "abbc"}, True),
    ({"a": [{"wildcard": "a\\*c"}]}, {"a": "abc"}, False),
    ({"a": [{"wildcard": "a\\*c"}]}, {"a": "a*c"}, True),
    ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True),
    ({"$or": [{"a": ["x"]}, {"b": ["y"]}], "c": ["z"]}, {"b": "y"}, False),
]


@pytest.mark.parametrize(("pattern", "event", "expected"), FITS, ids=json.dumps)
def test_EB_01_02_each_way_to_fit(pattern, event, expected):
    """As the user guide has it; where moto's matcher differs, ours is the guide's."""
    assert fits(read_pattern(json.dumps(pattern)), event) is expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not valid"),
        ("{}", "not an object"),
        ('{"a": "x"}', "must be an object or an array"),
        ('{"a": []}', "must be an object or an array"),
        ('{"a": [["x"]]}', "array within an array"),
        ('{"a": [{"begins": "x"}]}', "Unrecognized match type begins"),
        ('{"a": [{"prefix": "x", "suffix": "y"}]}', "several operators"),
        ('{"a": [{"numeric": [">"]}]}', "pairs"),
        ('{"a": [{"numeric": [">", 6000000000]}]}', "between -5.0e9 and 5.0e9"),
        ('{"a": [{"anything-but": {"numeric": 3}}]}', "Unsupported anything-but"),
        (json.dumps({"$or": [{f"f{n}": ["x"]} for n in range(1_001)]}), "too many combinations"),
    ],
)
def test_EB_02_what_is_no_pattern(text, why):
    """Refused when a rule is put, where it would otherwise never fire."""
    with pytest.raises(PatternError, match=why):
        read_pattern(text)


def test_EB_01_the_last_of_a_key_counts():
    """A key that occurs twice is not refused."""
    assert fits(read_pattern('{"a": ["x"], "a": ["y"]}'), {"a": "y"})
