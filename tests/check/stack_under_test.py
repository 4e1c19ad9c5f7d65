"""Our own stack, as the program declares it, and as the other dialects would write it."""

import json
from collections import Counter
from functools import cache
from pathlib import Path

from check.dialect_writer import Spec
from otherside.check.model.graph import Graph
from otherside.check.model.schema import kinds
from otherside.check.model.values import Code, Password, Ref, Unknown
from otherside.check.readers.pulumi.stack import Stack
from otherside.check.readers.read import settle_regions
from otherside.program.export import as_export
from otherside.program.project import declare_directory

EXAMPLES = Path(__file__).parents[2] / "examples"


@cache
def exported(example="standard"):
    """Return what the program declares, as an export; through JSON, as it would be read."""
    declaration = declare_directory(EXAMPLES / example)
    return json.dumps(as_export(declaration))


def graph_of(text, file="own"):
    """Return the graph of an export."""
    resources = list(Stack(json.loads(text), file).load())
    settle_regions(resources)
    return Graph(resources)


def label(resource):
    """Return a name that is unique, and that every dialect can spell."""
    plain = resource.name.rpartition("::")[2].replace("-", "_")
    return f"{plain}__{resource.kind.replace('.', '_')}"


def specs_of(graph):
    """Return the resources that the vocabulary knows, each link as a reference."""
    return [
        Spec(
            label(resource),
            resource.kind,
            resource.region,
            {
                key: value
                if kinds()[resource.kind].attributes[key].identity
                else _referred(graph, resource, value, key)
                for key, value in resource.attributes.items()
                if key in kinds()[resource.kind].attributes
                and not _made(key, kinds()[resource.kind].attributes[key])
            },
            resource.ignored or (),
        )
        for resource in graph.resources.values()
        if resource.kind in kinds()
    ]


def _made(key, attribute):
    """Tell whether AWS makes an attribute, so that no source sets it."""
    made = {"arn", "arn_suffix", "dns_name", "zone_id", "endpoint", "key_id", "url", "invoke_arn"}
    made |= {"bucket_domain_name", "bucket_regional_domain_name", "target_key_arn"}
    return attribute.identity and key in made


def _referred(graph, item, value, key=""):
    if isinstance(value, str):
        found = [x for x in graph.links(item, value) if x.resource.kind in kinds()]
        found = [x for x in found if x.resource is not item]
        # A name may be that of several: what the property is called tells which is meant.
        meant = [x for x in found if x.resource.kind.split(".")[1].split("_")[-1] in key] or found
        best = max(
            meant,
            key=lambda x: len(x.resource.kind.split(".")[1]) * (key in _ends(x)),
            default=None,
        )
        return Ref(label(best.resource), best.attribute) if best else value
    if isinstance(value, list):
        return [_referred(graph, item, each, key) for each in value]
    if isinstance(value, dict):
        return {name: _referred(graph, item, each, name) for name, each in value.items()}
    if isinstance(value, Code):
        return dict(value.files)
    return "?" if isinstance(value, (Password, Unknown)) else value


def _ends(link):
    """Return what a property that names this is called."""
    last = link.resource.kind.split(".")[1]
    return {last, f"{last}_identifier", f"{last}_name", f"{last}_id", f"{last}_arn"}


def essence(graph, names):
    """Return what a graph says, whatever dialect it was written in: for comparison."""
    found = Counter()
    for resource in graph.resources.values():
        if resource.kind in kinds() and not resource.kind.startswith("data."):
            plain = {
                key: _plain(graph, value, names)
                for key, value in resource.attributes.items()
                if key in kinds()[resource.kind].attributes
                and not _made(key, kinds()[resource.kind].attributes[key])
                and key not in {"filename", "source"}
            }
            found[repr((resource.kind, resource.region, sorted(plain.items(), key=str)))] += 1
    return found


def _plain(graph, value, names):
    if isinstance(value, Unknown):
        if not value.refs:
            return "?"
        targets = [graph.resources.get(ref.target) for ref in value.refs]
        if targets[0] is not None and targets[0].kind == "data.iam_policy_document":
            return _plain(graph, targets[0]["document"], names)
        return sorted(
            {(names(target), r.attribute) for target, r in zip(targets, value.refs, strict=True)}
        )
    if isinstance(value, Ref):
        return [(value.target, value.attribute)]
    if isinstance(value, dict) and "effect" in value:
        listed = value.get("resources", ())
        known = isinstance(listed, (list, tuple)) and all(
            isinstance(resource, str) for resource in listed
        )
        value = {k: v for k, v in value.items() if known or k != "resources"}
    if isinstance(value, dict):
        return sorted(((k, _plain(graph, v, names)) for k, v in value.items()), key=str)
    if isinstance(value, list):
        return [_plain(graph, item, names) for item in value]
    return "?" if isinstance(value, (Password, Code)) else value
