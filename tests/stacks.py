"""Our own stack, declared in the variants that the tests need, once each in a process."""

import json
from functools import cache
from pathlib import Path

import pulumi
import pytest

from otherside.components.disaster_recovery import DisasterRecovery, DisasterRecoveryArgs
from otherside.config import parse_config
from otherside.program.monitor import Declaration, declare


def fast(names, *chosen):
    """Return parameters: the chosen ones are tried in the fast lane, and all in the whole."""
    return [
        item if item in chosen else pytest.param(item, marks=pytest.mark.slow) for item in names
    ]


CERTIFICATE = "arn:aws:acm:{}:123456789012:certificate/12345678-1234-1234-1234-123456789012"

PLAIN = '\n[traffic]\ndomain = "orders.example.com"\nprotocol = "http"\n'
"""A public name over plain HTTP, for variants that are about something else."""

DESIGNS = {
    "standard": 'name = "orders"',
    "minimal": 'name = "orders"\nenvironment = "trial"\nprofile = "minimal"',
    "https": 'name = "orders"\n[traffic]\ndomain = "app.example.com"',
    "owned": f"""
        name = "orders"
        account = "123456789012"
        [traffic]
        domain = "app.example.com"
        zone_id = "Z0123456789ABCDEFGHIJ"
        certificates.primary = "{CERTIFICATE.format("us-east-2")}"
        certificates.standby = "{CERTIFICATE.format("us-west-2")}"
        [compute]
        images.primary = "ami-0123456789abcdef0"
        images.standby = "ami-0fedcba9876543210"
        [failover]
        notify = ["oncall@example.com"]
    """,
    "europe": """
        name = "orders"
        [regions]
        primary = "eu-west-1"
        standby = "eu-west-3"
        witness = "eu-central-1"
    """,
    "control": """
        name = "orders"
        [regions]
        primary = "us-east-1"
        standby = "us-west-2"
        witness = "us-east-2"
    """,
    "no-quorum": """
        name = "orders"
        [regions]
        primary = "ca-central-1"
        standby = "us-west-2"
        witness = "us-east-2"
    """,
    "longest": """
        name = "a-name-that-is-long"
        environment = "stage"
        [regions]
        primary = "ap-southeast-1"
        standby = "ap-southeast-2"
        witness = "ap-northeast-1"
    """,
    "enforced": 'name = "orders"\n[database]\nglobal_db_rpo = "20s"',
    "serverless": """
        name = "orders"
        [database]
        instance_class = "db.serverless"
        serverless = { min_acu = 8, max_acu = 32 }
    """,
}
DESIGNS = {
    name: text if "[traffic]" in text else f"{text}{PLAIN}" for name, text in DESIGNS.items()
}
STRICT = {"pulumi:disable-default-providers": json.dumps(["aws"])}


def topology(variant):
    """Return a variant's design."""
    return parse_config(DESIGNS[variant], Path("otherside.toml"))


def declare_variant(variant, transform=lambda resource: resource) -> Declaration:
    """Declare a variant, with every resource passed through a transform first."""
    design = topology(variant)

    def program():
        whole = DisasterRecovery(design.prefix, DisasterRecoveryArgs(topology=design))
        for key, value in whole.summary().items():
            pulumi.export(key, value)

    return declare(program, project="orders", config=STRICT, transform=transform)


@cache
def declared(variant="standard") -> Declaration:
    """Return a variant as declared; do not change it."""
    return declare_variant(variant)
