"""IAM's evaluation, document by document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otherside.twin.gateway.iam_policy import CannotTellError, Request, decide, like

ROLE = "arn:aws:iam::123456789012:role/app"
SESSION = "arn:aws:sts::123456789012:assumed-role/app/i-1"
TABLE = "arn:aws:dynamodb:us-east-2:123456789012:table/orders"


def request(action="dynamodb:GetItem", resource=TABLE, principal=SESSION, **keys):
    """Return a request with these condition keys."""
    known = {name.replace("__", ":").lower(): value for name, value in keys.items()}
    return Request(
        action=action, resource=resource, principal=principal, account="123456789012", keys=known
    )


def allow(action="dynamodb:GetItem", resource="*", **more):
    """Return a statement that allows."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="*", resource="*", **more):
    """Return a statement that denies."""
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([allow()], True),
        ([allow("dynamodb:getitem")], True),
        ([allow("dynamodb:Get*", TABLE)], True),
        ([allow("dynamodb:*", "arn:aws:dynamodb:*:*:table/ord*")], True),
        ([allow(resource="arn:aws:dynamodb:us-west-2:123456789012:table/orders")], False),
        ([allow(), deny("dynamodb:*")], False),
        ([allow(), deny(resource=TABLE)], False),
        ([allow(), deny(resource="arn:aws:dynamodb:*:*:table/other")], True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": TABLE}], False),
    ],
)
def test_IAM_01_identity_policies(statements, allowed):
    """An explicit deny wins over any allow; what nobody allows is denied."""
    assert decide(request(), identity=statements).allowed is allowed


def test_IAM_02_either_kind_of_policy_is_enough_but_for_keys_and_trust():
    """In one account identity or resource suffices; a key's own policy must allow by itself."""
    named = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "*", "Resource": "*"}
    root = {**named, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    assert decide(request(), resource=[named]).allowed
    assert decide(request(), identity=[allow()]).allowed
    assert not decide(request(), identity=[allow()], both=True).allowed
    assert decide(request(), identity=[allow()], resource=[root], both=True).allowed
    assert not decide(request(), resource=[root], both=True).allowed
    assert decide(request(), resource=[named], both=True).allowed


def test_IAM_03_a_boundary_limits_what_identity_gives():
    """Both must allow."""
    assert not decide(request(), identity=[allow()], boundary=[allow("s3:*")]).allowed
    assert decide(request(), identity=[allow()], boundary=[allow("*")]).allowed


def test_IAM_04_the_message_names_who_what_and_why():
    """AWS's own sentences, for a refusal that nobody allows and one that somebody denies."""
    asked = request()
    silent = decide(asked, identity=[])
    assert silent.message(asked) == (
        f"User: {SESSION} is not authorized to perform: dynamodb:GetItem on resource: {TABLE} "
        "because no identity-based policy allows the dynamodb:GetItem action"
    )
    denied = decide(asked, identity=[allow(), deny()])
    assert denied.message(asked).endswith("with an explicit deny in an identity-based policy")
    by_resource = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    told = decide(asked, identity=[allow()], resource=[by_resource]).message(asked)
    assert told.endswith("with an explicit deny in a resource-based policy")


def test_IAM_12_a_service_is_judged_by_the_resource_and_by_where_it_comes_from():
    """`aws:SourceArn` and `aws:SourceAccount` keep the deputy from being confused."""
    rule = "arn:aws:events:us-west-2:123456789012:rule/tick"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    queue = "arn:aws:sqs:us-west-2:123456789012:dead"
    asked = {"action": "sqs:SendMessage", "resource": queue, "principal": "events.amazonaws.com"}
    assert decide(request(**asked, aws__SourceArn=[rule]), resource=[statement]).allowed
    other = [rule.replace("tick", "other")]
    assert not decide(request(**asked, aws__SourceArn=other), resource=[statement]).allowed
    sns = {**asked, "principal": "sns.amazonaws.com"}
    assert not decide(request(**sns, aws__SourceArn=[rule]), resource=[statement]).allowed


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ({"StringEquals": {"k": "a"}}, ["a"], True),
        ({"StringEquals": {"k": ["a", "b"]}}, ["b"], True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, ["b"], False),
        ({"StringLike": {"k": "a*"}}, ["abc"], True),
        ({"StringEquals": {"k": "a"}}, [], False),
        ({"StringNotEquals": {"k": "a"}}, [], True),
        ({"StringEqualsIfExists": {"k": "a"}}, [], True),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, ["a", "b"], True),
        ({"ForAllValues:StringEquals": {"k": ["a"]}}, ["a", "b"], False),
        ({"ForAllValues:StringEquals": {"k": ["a"]}}, [], True),
        ({"ForAnyValue:StringEquals": {"k": ["a"]}}, ["a", "b"], True),
        ({"Null": {"k": "true"}}, [], True),
        ({"Null": {"k": "false"}}, ["a"], True),
        ({"Bool": {"k": "false"}}, ["false"], True),
        ({"NumericLessThan": {"k": "10"}}, ["9"], True),
        ({"DateGreaterThan": {"k": "2020-01-01T00:00:00Z"}}, ["1700000000"], True),
        ({"IpAddress": {"k": "10.0.0.0/8"}}, ["10.1.2.3"], True),
        ({"ArnLike": {"k": "arn:aws:sns:*:1:t*"}}, ["arn:aws:sns:us-east-1:1:topic"], True),
    ],
)
def test_conditions(condition, value, holds):
    """Each operator, with and without a value of the key."""
    statement = allow(Condition=condition)
    assert decide(request(k=value), identity=[statement]).allowed is holds


@pytest.mark.parametrize(
    "statement",
    [
        allow(Condition={"StringEquals": {"never:heard": "a"}}),
        allow(Condition={"StringSoundsLike": {"k": "a"}}),
    ],
)
def test_what_cannot_be_told_is_refused_and_not_guessed(statement):
    """A key that the call does not know of, and an operator that nobody implemented."""
    with pytest.raises(CannotTellError):
        decide(request(k=["a"]), identity=[statement])


def test_an_action_without_a_known_resource_is_only_judged_by_statements_about_everything():
    """A statement that names a resource is no ground to guess which one is meant."""
    assert decide(request(resource=None), identity=[allow()]).allowed
    with pytest.raises(CannotTellError):
        decide(request(resource=None), identity=[allow(resource=TABLE)])


@given(st.text("ab*?.", max_size=8), st.text("ab.", max_size=8))
def test_patterns_are_wild_in_two_ways_only(pattern, text):
    """`*` is any number of characters and `?` one; nothing else has a meaning."""

    def matches(rest, left):
        if not rest:
            return not left
        if rest[0] == "*":
            return matches(rest[1:], left) or (bool(left) and matches(rest, left[1:]))
        return bool(left) and rest[0] in {"?", left[0]} and matches(rest[1:], left[1:])

    assert like(pattern, text) is matches(pattern, text)
