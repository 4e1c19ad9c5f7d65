"""Read policy documents against the Service Authorization Reference, in cfn-lint's copy."""

import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

DOCUMENTS = ("policy", "assumeRolePolicy")
KEY_POLICY = "aws:kms/key:Key"

NO_NARROWER = {
    "xray:PutTraceSegments": "X-Ray has no resources to name",
    "xray:PutTelemetryRecords": "X-Ray has no resources to name",
}


@cache
def _reference() -> dict:
    text = (files("cfnlint.data.AdditionalSpecs") / "Policies.json").read_text(encoding="utf-8")
    return json.loads(text)


def documents(resource) -> Iterator[tuple[str, dict]]:
    """Yield a resource's policy documents with the input that holds each."""
    for name in DOCUMENTS:
        text = resource.inputs.get(name)
        if isinstance(text, str) and text.startswith("{"):
            yield name, json.loads(text)


def statements(resource) -> Iterator[dict]:
    """Yield the statements of a resource's policies."""
    for _, document in documents(resource):
        yield from document["Statement"]


def listed(value) -> list[str]:
    """Return an element of a statement as the list that it may be short for."""
    return [value] if isinstance(value, str) else list(value)


def expand(action: str) -> list[str]:
    """Return the actions that a name or a pattern stands for, in lower case; none if it is none."""
    service, _, pattern = action.lower().partition(":")
    known = _reference().get(service, {}).get("Actions", {})
    return [f"{service}:{action}" for action in known if fnmatch.fnmatchcase(action, pattern)]


def has_resources(action: str) -> bool:
    """Return whether an action (in lower case) can be limited to resources."""
    service, _, name = action.partition(":")
    return bool(_reference()[service]["Actions"][name].get("Resources"))


def resource_patterns(action: str) -> list[str]:
    """Return the regular expressions of ARNs that an action (in lower case) applies to."""
    service, _, name = action.partition(":")
    kinds = _reference()[service]["Actions"][name].get("Resources") or []
    kinds = [kinds] if isinstance(kinds, str) else kinds
    formats = []
    for kind in kinds:
        for a_r_n_format in _reference()[service]["Resources"].get(kind, {}).get("ARNFormats", []):
            formats.append(re.sub(r"\$\{\w+\}", "[^:]*", a_r_n_format))
    return formats


def complaints(resource) -> Iterator[str]:
    """Say what is wrong with a resource's policies."""
    for statement in statements(resource):
        sid = statement.get("Sid", "?")
        for action in listed(statement["Action"]):
            names = expand(action) if action != "*" else []
            if not names:
                yield f"{resource.name}/{sid}: there is no action {action}"
        if resource.type == KEY_POLICY or statement["Effect"] == "Deny":
            continue  # in a key's policy, * is the key itself; a denial should be wide
        yield from _too_wide(resource, statement)


def _too_wide(resource, statement) -> Iterator[str]:
    sid, resources = statement.get("Sid", "?"), statement.get("Resource")
    if resources is None:
        return
    for action in listed(statement["Action"]):
        for name in expand(action):
            if "*" in listed(resources) and has_resources(name):
                yield f"{resource.name}/{sid}: {name} on *, though it can be limited to resources"
            patterns = resource_patterns(name)
            for arn in listed(resources):
                if arn == "*" or not patterns:
                    continue
                if not any(re.fullmatch(pattern, arn) for pattern in patterns):
                    yield f"{resource.name}/{sid}: {name} does not apply to {arn}"
