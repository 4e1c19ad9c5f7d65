"""Builders of policy documents for IAM, KMS and resources."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

Statement = Mapping[str, Any]
Text = pulumi.Input[str]
Condition = Mapping[str, Mapping[str, Text | Sequence[Text]]]


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Text | Sequence[Text] = "*",
    *,
    principal: Mapping[str, Text | Sequence[Text]] | None = None,
    when: Condition | None = None,
) -> Statement:
    """Return an Allow statement; one with a principal belongs in a resource's policy."""
    return _statement("Allow", sid, actions, resources, principal, when)


def deny(
    sid: str,
    actions: Sequence[str],
    resources: Text | Sequence[Text] = "*",
    *,
    principal: Mapping[str, Text | Sequence[Text]] | None = None,
    when: Condition | None = None,
) -> Statement:
    """Return a Deny statement, which overrides every Allow."""
    return _statement("Deny", sid, actions, resources, principal, when)


def deny_plaintext(arns: Sequence[Text], actions: str) -> Statement:
    """Return the statement that denies requests without TLS."""
    insecure: Condition = {"Bool": {"aws:SecureTransport": "false"}}
    return deny("RefusePlaintext", [actions], arns, principal={"AWS": "*"}, when=insecure)


def document(*statements: Statement) -> pulumi.Output[str]:
    """Return the JSON of a policy document, once all outputs in it have resolved."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(service: str, *, when: Condition | None = None) -> pulumi.Output[str]:
    """Return a trust policy that lets this service assume the role."""
    return document(
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            **({"Condition": when} if when else {}),
        }
    )


def _statement(
    effect: str,
    sid: str,
    actions: Sequence[str],
    resources: Text | Sequence[Text],
    principal: Mapping[str, Text | Sequence[Text]] | None,
    when: Condition | None,
) -> Statement:
    return {
        "Sid": sid,
        "Effect": effect,
        **({"Principal": principal} if principal else {}),
        "Action": list(actions),
        "Resource": resources,
        **({"Condition": when} if when else {}),
    }
