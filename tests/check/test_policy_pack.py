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
        process.wait(30)
        process.stdout.close()


@pytest.fixture(scope="module")
def analyzer():
    """Run the pack once for all tests."""
    with served() as stub:
        yield stub


def request(change=None):
    """Return our own stack as the engine hands it to a pack: without identifiers."""
    resources = json.loads(exported())["deployment"]["resources"]
    if change is not None:
        change({one["urn"].rpartition("::")[2] + " " + one["type"]: one for one in resources})
    providers = {one["urn"]: one for one in resources if one["type"] == "pulumi:providers:aws"}
    owners = {one["id"]: one["urn"] for one in reversed(resources) if one.get("id")}
    found = proto.AnalyzeStackRequest()
    for one in resources:
        urn = one.get("provider", "").rpartition("::")[0]
        made = proto.AnalyzerResource(
            type=one["type"],
            urn=one["urn"],
            name=one["urn"].rpartition("::")[2],
            properties=properties(one.get("inputs", {})),
            options=proto.AnalyzerResourceOptions(ignoreChanges=one.get("ignoreChanges", [])),
        )
        for key, value in one.get("inputs", {}).items():
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
        return {key: _wire(one) for key, one in value.items()}
    return [_wire(one) for one in value] if isinstance(value, list) else value


def said(analyzer, change=None):
    """Return what the pack says of our stack: policy, resource and message."""
    answer = analyzer.AnalyzeStack(request(change))
    return {
        (one.policyName, one.urn.rpartition("::")[2], one.message) for one in answer.diagnostics
    }


def test_every_rule_is_a_policy_with_its_page(analyzer):
    """Advisory by default, with severity, remedy and reference."""
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    policies = {one.name: one for one in info.policies}
    assert set(policies) == {one.name for one in catalogue()}
    for one in catalogue():
        assert policies[one.name].enforcementLevel == proto.ADVISORY
        assert policies[one.name].severity != proto.POLICY_SEVERITY_UNSPECIFIED
        assert policies[one.name].remediation_steps
        assert policies[one.name].url.startswith("https://")


def test_our_own_stack_violates_nothing(analyzer):
    """In the engine's shape as in an export's."""
    assert said(analyzer) == set()


def test_a_broken_stack_violates_the_rule_at_its_resource(analyzer):
    """With the finding, the reason and the remedy; a mandatory one is so in the answer."""

    def headless(resources):
        for key, one in resources.items():
            if key.startswith("orders-prod-database-standby-") and "ClusterInstance" in key:
                one["type"] = "aws:ec2/eip:Eip"

    (found,) = said(analyzer, headless)
    policy, urn, message = found
    assert (policy, urn) == ("headless-secondary-cluster", "orders-prod-database-standby")
    assert "it has no instance, so nothing can be promoted" in message
    assert "Fix: " in message
    config = proto.ConfigureAnalyzerRequest()
    config.policyConfig["headless-secondary-cluster"].enforcementLevel = proto.MANDATORY
    analyzer.Configure(config)
    (one,) = analyzer.AnalyzeStack(request(headless)).diagnostics
    assert one.enforcementLevel == proto.MANDATORY


def test_what_a_preview_does_not_know_is_no_violation(analyzer):
    """The engine's marks for values that are known only later are read as such."""

    def hidden(resources):
        for key, one in resources.items():
            if "aws:rds/cluster:Cluster" in key:
                one["inputs"]["kmsKeyId"] = UNKNOWN[0]
                one["inputs"]["enabledCloudwatchLogsExports"] = UNKNOWN[3]

    assert said(analyzer, hidden) == set()
