"""Our own stack under our own rules, in each dialect."""

import json
from collections import Counter
from functools import cache

import pytest
from click.testing import CliRunner

from check import dialect_writer as writing
from check.stack_under_test import EXAMPLES, essence, exported, graph_of, label, specs_of
from otherside.check.engine import CheckConfig, check
from otherside.check.model.graph import Graph
from otherside.check.model.schema import kinds
from otherside.check.readers.cloudformation.template import Template
from otherside.check.readers.terraform.plan_json import TerraformPlan
from otherside.cli import main
from stacks import fast

NOT_IN_CLOUDFORMATION = {
    "ec2.peering_options",
    "backup.region_settings",
    "s3.object",
}
"""Kinds of ours that CloudFormation has no type for."""


@cache
def standard():
    """Return the graph of our stack; read only when a test asks, for it takes seconds."""
    return graph_of(exported())


PROGRAMS = sorted(path.parent for path in EXAMPLES.glob("*/Pulumi.yaml"))


@pytest.mark.parametrize(
    "example", fast(PROGRAMS, EXAMPLES / "standard"), ids=lambda item: item.name
)
def test_no_example_of_ours_has_a_finding(example):
    """Under the command, with the settings that lie beside it; and all could be told."""
    done = CliRunner().invoke(main, ["check", str(example), "--run-programs", "--format", "json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["findings"] == []
    assert document["unknown"] == []
    assert document["summary"]["rules"] == 83


def terraform():
    """Return the graph of our stack as a plan."""
    document = json.loads(json.dumps(writing.Terraform(specs_of(standard())).document()))
    return Graph(list(TerraformPlan(document, "plan.json").load()))


def cloudformation(specs):
    """Return the graph of our stack as templates."""
    documents = writing.CloudFormation(specs).documents()
    templates = [
        Template(json.loads(json.dumps(document)), f"{region}.json", region=region)
        for region, document in documents.items()
    ]
    return Graph([item for template in templates for item in template.load()])


def test_it_is_clean_as_a_terraform_plan():
    """Nothing is known at planning but what the program says, and that is enough."""
    result = check(terraform(), CheckConfig())
    assert [
        f"{finding.rule.code} {finding.resource}: {finding.message}" for finding in result.findings
    ] == []
    assert {item.rule.code for item in result.unsure} <= {"DR105"}


def test_a_plan_of_it_says_the_same_as_the_program():
    """Every resource, every attribute and every reference that the vocabulary has."""
    specs = {spec.name: spec for spec in specs_of(standard())}
    planned = terraform()
    ours = essence(referred(), label)
    theirs = essence(planned, lambda item: item.name.rpartition(".")[2] if item else "?")
    assert ours - theirs == Counter()
    assert theirs - ours == Counter()
    assert len(specs) == sum(ours.values())


def expressible():
    """Return what of our stack CloudFormation has words for."""
    specs = [spec for spec in specs_of(standard()) if spec.kind not in NOT_IN_CLOUDFORMATION]
    for spec in specs:
        allowed = kinds()[spec.kind].attributes
        if spec.kind == "lambda.function":
            spec.attributes.pop("source", None)  # a bundle of several files lies in a bucket
        spec.attributes = {
            key: value
            for key, value in spec.attributes.items()
            if allowed[key].cloudformation is not None or spec.kind in writing.WRITTEN_INSIDE
        }
    return specs


def test_it_is_clean_as_templates():
    """One a Region; what CloudFormation has no type for is left out."""
    specs = expressible()
    result = check(cloudformation(specs), CheckConfig())
    assert [
        f"{finding.rule.code} {finding.resource}: {finding.message}" for finding in result.findings
    ] == []


@cache
def referred():
    """Return our graph with each link as a reference, as the writers are given it."""
    graph = graph_of(exported())
    by_label = {label(resource): resource for resource in graph.resources.values()}
    for spec in specs_of(standard()):
        by_label[spec.name].attributes = spec.attributes
    return graph


def test_the_vocabulary_covers_what_the_program_declares():
    """What it does not cover is listed, and no rule needs it."""
    unseen = {
        resource.kind for resource in standard().resources.values() if resource.kind not in kinds()
    }
    assert {text for text in unseen if text.startswith("aws:")} == {
        "aws:acm/certificateValidation:CertificateValidation",
        "aws:backup/restoreTestingPlan:RestoreTestingPlan",
        "aws:backup/restoreTestingSelection:RestoreTestingSelection",
        "aws:backup/vaultNotifications:VaultNotifications",
        "aws:cloudwatch/dashboard:Dashboard",
        "aws:cloudwatch/logStream:LogStream",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ec2/flowLog:FlowLog",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:iam/instanceProfile:InstanceProfile",
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:sns/topicSubscription:TopicSubscription",
    }
