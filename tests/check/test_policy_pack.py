"""The pack as Pulumi's engine runs it: a process of its own, asked over gRPC."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from check.stack_under_test import exported
from otherside.check.catalogue import catalogue
from otherside.check.model.values import strings
from otherside.check.readers.pulumi.stack import SECRET, SIGNATURE, UNKNOWN
from processes import ended

pytestmark = pytest.mark.slow
PACK = Path(__file__).parents[2] / "examples" / "policy-pack"


@contextmanager
def served():
    """Run the pack; return what asks it."""
    command = [sys.executable, "-u", str(PACK / "__main__.py")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline())
        limit = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", limit) as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.terminate()
        ended(process, 30)


@pytest.fixture(scope="module")
def analyzer():
    """Run the pack once for all tests."""
    with served() as stub:
        yield stub


def request(change=None):
    """Return our own stack as the engine hands it to a pack: without identifiers."""
    resources = json.loads(exported())["deployment"]["resources"]
    if change is not None:
        change(
            {
                resource["urn"].rpartition("::")[2] + " " + resource["type"]: resource
                for resource in resources
            }
        )
    providers = {
        resource["urn"]: resource
        for resource in resources
        if resource["type"] == "pulumi:providers:aws"
    }
    owners = {
        resource["id"]: resource["urn"] for resource in reversed(resources) if resource.get("id")
    }
    found = proto.AnalyzeStackRequest()
    for resource in resources:
        urn = resource.get("provider", "").rpartition("::")[0]
        made = proto.AnalyzerResource(
            type=resource["type"],
            urn=resource["urn"],
            name=resource["urn"].rpartition("::")[2],
            properties=properties(resource.get("inputs", {})),
            options=proto.AnalyzerResourceOptions(ignoreChanges=resource.get("ignoreChanges", [])),
        )
        for key, value in resource.get("inputs", {}).items():
            urns = sorted({owners[text] for text in strings(value) if text in owners})
            made.propertyDependencies[key].urns.extend(urns)
        if urn in providers:
            made.provider.type = "pulumi:providers:aws"
            made.provider.urn = urn
            made.provider.name = urn.rpartition("::")[2]
            made.provider.properties.CopyFrom(properties(providers[urn].get("inputs", {})))
        found.resources.append(made)
    return found


def properties(inputs):
    """Return properties on the wire, where a secret is there with its value."""
    return json_format.ParseDict(_wire(inputs), struct_pb2.Struct())


def _wire(value):
    if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
        return {SIGNATURE: SECRET, "value": "hunter2"}
    if isinstance(value, dict):
        return {key: _wire(item) for key, item in value.items()}
    return [_wire(item) for item in value] if isinstance(value, list) else value


def said(analyzer, change=None):
    """Return what the pack says of our stack: policy, resource and message."""
    answer = analyzer.AnalyzeStack(request(change))
    return {
        (diagnostic.policyName, diagnostic.urn.rpartition("::")[2], diagnostic.message)
        for diagnostic in answer.diagnostics
    }


def test_every_rule_is_a_policy_with_its_page(analyzer):
    """Advisory by default, with severity, remedy and reference."""
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    policies = {policy.name: policy for policy in info.policies}
    assert set(policies) == {rule.name for rule in catalogue()}
    for rule in catalogue():
        assert policies[rule.name].enforcementLevel == proto.ADVISORY
        assert policies[rule.name].severity != proto.POLICY_SEVERITY_UNSPECIFIED
        assert policies[rule.name].remediation_steps
        assert policies[rule.name].url.startswith("https://")


def test_our_own_stack_violates_nothing(analyzer):
    """In the engine's shape as in an export's."""
    assert said(analyzer) == set()


def test_a_broken_stack_violates_the_rule_at_its_resource(analyzer):
    """With the finding, the reason and the remedy; a mandatory one is so in the answer."""

    def headless(resources):
        for key, resource in resources.items():
            if key.startswith("orders-prod-database-standby-") and "ClusterInstance" in key:
                resource["type"] = "aws:ec2/eip:Eip"

    (found,) = said(analyzer, headless)
    policy, urn, message = found
    assert (policy, urn) == ("headless-secondary-cluster", "orders-prod-database-standby")
    assert "it has no instance, so nothing can be promoted" in message
    assert "Fix: " in message
    config = proto.ConfigureAnalyzerRequest()
    config.policyConfig["headless-secondary-cluster"].enforcementLevel = proto.MANDATORY
    analyzer.Configure(config)
    (diagnostic,) = analyzer.AnalyzeStack(request(headless)).diagnostics
    assert diagnostic.enforcementLevel == proto.MANDATORY


def test_what_a_preview_does_not_know_is_no_violation(analyzer):
    """The engine's marks for values that are known only later are read as such."""

    def hidden(resources):
        for key, resource in resources.items():
            if "aws:rds/cluster:Cluster" in key:
                resource["inputs"]["kmsKeyId"] = UNKNOWN[0]
                resource["inputs"]["enabledCloudwatchLogsExports"] = UNKNOWN[3]

    assert said(analyzer, hidden) == set()
