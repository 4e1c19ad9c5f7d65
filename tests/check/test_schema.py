"""That every name in the vocabulary is one that the dialect really has."""

import importlib
import inspect
import json
import re
from pathlib import Path

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from otherside.check.catalogue import catalogue
from otherside.check.model.schema import NONE, by_terraform, kinds

TERRAFORM = json.loads((Path(__file__).parent / "terraform-names.json").read_text("utf-8"))
MADE = {"arn", "id", "dns_name", "arn_suffix", "endpoint", "invoke_arn", "url", "key_id", "zone_id"}
MADE |= {"bucket_domain_name", "bucket_regional_domain_name", "target_key_arn", "json", "document"}
MADE |= {"output_path", "account_id", "public_ip", "public_dns", "api_endpoint"}
"""Attributes that AWS makes: nobody sets them, so no class has them as an argument."""
KINDS = [kind for kind in kinds().values() if not kind.name.startswith("data.")]
NEWER = {"aws_arcregionswitch_plan"}
"""Newer than the schema that the names are from."""
named = pytest.mark.parametrize("kind", KINDS, ids=lambda item: item.name)
OLDER = {("s3.bucket", name) for name in ("versioning", "replication_configuration")}
OLDER |= {("s3.bucket", "server_side_encryption_configuration")}
OLDER |= {("s3.bucket", "versioning_configuration"), ("secretsmanager.secret", "secret_string")}
OLDER |= {("backup.vault", "lock"), ("events.rule", "target"), ("dynamodb.table", "replica")}
ONLY_CLOUDFORMATION = {
    ("lb.target_group", "target"),
    ("backup.vault", "lock"),
    ("events.rule", "target"),
    ("s3.bucket", "versioning_configuration"),
    ("s3.bucket", "replication_configuration"),
    ("secretsmanager.secret", "secret_string"),
    ("lambda.function", "source"),
    ("rds.instance", "cluster_identifier"),
    ("rds.instance", "automatic_backup_replication_region"),
    ("rds.instance", "source_db_cluster_identifier"),
}
"""What CloudFormation writes inside, and the others beside; `source` is an archive there."""


def wrong(kind, attributes, known, path=""):
    """Yield the names that a schema does not have."""
    for name, attribute in attributes.items():
        if not path and (name in MADE or (kind.name, name) in ONLY_CLOUDFORMATION):
            continue
        inner, where = known, path
        for step in attribute.terraform:
            if inner is None or step not in inner:
                yield f"{where}{step}"
                break
            inner, where = inner[step], f"{where}{step}."
        else:
            if attribute.members and attribute.shape not in {"map", "env"}:
                yield from wrong(kind, attribute.members, inner, where)


AIR_GAPPED = {("backup.vault", "min_retention_days"), ("backup.vault", "max_retention_days")}
"""What only a logically air-gapped vault has, which is a type of its own."""


@named
def test_terraform_has_it(kind):
    """Each attribute, in the provider's own schema."""
    if kind.terraform in {NONE, *NEWER}:
        return
    known = TERRAFORM[kind.terraform]
    attributes = {k: v for k, v in kind.attributes.items() if (kind.name, k) not in AIR_GAPPED}
    assert list(wrong(kind, attributes, known)) == []


def pulumi_class(token):
    """Return the class of a type token: `aws:rds/cluster:Cluster`."""
    _, module, name = token.split(":")
    package = module.split("/")[0]
    package = {"lambda": "lambda_"}.get(package, package)
    return getattr(importlib.import_module(f"pulumi_aws.{package}"), name)


def snake(name):
    """Return what Python calls a property of Pulumi's."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def lacking(kind, attributes, made, around=""):
    """Yield the names that a class of the SDK does not take."""
    arguments = inspect.signature(made._internal_init if around == "" else made.__init__).parameters
    for name, attribute in attributes.items():
        if not around and (
            name in MADE or (kind.name, name) in ONLY_CLOUDFORMATION | OLDER | AIR_GAPPED
        ):
            continue
        *steps, _ = attribute.terraform
        if steps:  # a block of one that only Terraform and Pulumi have around it
            assert snake(steps[0]) in arguments, steps
            continue
        if attribute.pulumi == NONE:
            continue
        python = snake(attribute.pulumi)
        if python not in arguments:
            yield f"{around}{attribute.pulumi}"
            continue
        if attribute.members and attribute.shape in {"one", "many"}:
            text = str(arguments[python].annotation)
            classes = re.findall(r"'?(\w+Args)'?\]", text)
            package = importlib.import_module(made.__module__.rpartition(".")[0] or made.__module__)
            inner = next((getattr(package, c) for c in classes if hasattr(package, c)), None)
            if inner is not None:
                yield from lacking(kind, attribute.members, inner, f"{around}{attribute.pulumi}.")


@named
def test_pulumi_has_it(kind):
    """Each attribute, among the arguments of the SDK's class, and blocks in its own classes."""
    if kind.pulumi != NONE:
        assert list(lacking(kind, kind.attributes, pulumi_class(kind.pulumi))) == []


def strange(kind, attributes, schema, node, path=()):
    """Yield the paths that CloudFormation's schema does not have."""
    for name, attribute in attributes.items():
        if attribute.cloudformation is None or (not path and name in MADE):
            continue
        inner, found = node, True
        for step in attribute.cloudformation:
            inner = resolved(schema, inner)
            options = inner.get("properties", {})
            if step not in options:
                yield ".".join((*path, *attribute.cloudformation))
                found = False
                break
            inner = options[step]
        if found and attribute.members and attribute.shape in {"one", "many", "part"}:
            below = resolved(schema, inner)
            if below.get("type") != "object" or "properties" in below:
                yield from strange(
                    kind, attribute.members, schema, inner, (*path, *attribute.cloudformation)
                )


def resolved(schema, node):
    """Return a schema without references and lists around it."""
    while True:
        if "$ref" in node:
            target = schema
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        elif "items" in node and "properties" not in node:
            node = node["items"]
        else:
            return node


@named
def test_cloudformation_has_it(kind):
    """Each path, in the resource's own schema."""
    if kind.cloudformation == NONE:
        return
    found = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind.cloudformation)
    schema = found.schema
    attributes = {k: v for k, v in kind.attributes.items() if (kind.name, k) not in SPREAD}
    assert list(strange(kind, attributes, schema, schema)) == []


SPREAD = {
    ("dynamodb.table", "replica"),
    ("lambda.function", "environment"),
    ("rds.cluster_parameter_group", "parameter"),
    ("events.rule", "event_pattern"),
    ("events.bus_policy", "policy"),
    *AIR_GAPPED,
}
"""What is written in another type, or is a document whose schema is not the resource's."""


def test_terraform_s_types_are_told_apart():
    """No two kinds share a type."""
    types = [kind.terraform for kind in kinds().values() if kind.terraform != NONE]
    assert len(types) == len(set(types))
    assert by_terraform()["aws_alb"].name == "lb.load_balancer"


def test_rules_are_asked_of_kinds_that_there_are():
    """A misspelt kind would never be asked."""
    known = {*kinds(), "region", "system", "backend", "provider"}
    assert [rule.code for rule in catalogue() if not set(rule.on) <= known] == []
