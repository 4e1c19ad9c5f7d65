"""A stack set's template is read where it deploys it: once for each Region."""

import json

from otherside.check.engine import CheckConfig, check
from otherside.check.readers.read import ReadOptions, read_paths

BODY = """
Parameters:
  Password: {Type: String, NoEcho: true}
  Name: {Type: String, Default: orders}
Resources:
  Cluster:
    Type: AWS::RDS::DBCluster
    Properties:
      DBClusterIdentifier: !Ref Name
      Engine: aurora-postgresql
      MasterUsername: u
      MasterUserPassword: !Ref Password
      StorageEncrypted: true
"""


def stack_set(**properties):
    """Return a template with one stack set."""
    resource = {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}
    return json.dumps({"Resources": {"Set": resource}})


def read(place, text, **files):
    """Return what is read of a template, with some files beside it."""
    for name, beside in files.items():
        (place / f"{name}.yaml").write_text(beside)
    (place / "set.json").write_text(text)
    return read_paths([str(place / "set.json")], ReadOptions(), bytes)


GROUPS = [{"Regions": ["us-east-2", "us-west-2"]}, {"Regions": ["us-west-2"]}]


def test_a_body_is_read_once_for_each_region(tmp_path):
    """With the parameters that the set gives; one that is in the code is a literal."""
    given = [{"ParameterKey": "Password", "ParameterValue": "Hunter22222!"}]
    found = read(
        tmp_path, stack_set(TemplateBody=BODY, StackInstancesGroup=GROUPS, Parameters=given)
    )
    clusters = found.graph.of("rds.cluster")
    assert [cluster.region for cluster in clusters] == ["us-east-2", "us-west-2"]
    assert {cluster.label for cluster in clusters} == {"Set/Cluster"}
    assert found.unread == found.problems == []
    findings = check(found.graph, CheckConfig(select=("DR001",))).findings
    assert findings
    assert "Hunter" not in str(findings)


def test_parameters_of_one_group_are_that_groups(tmp_path):
    """As `ParameterOverrides` has them."""
    groups = [
        {"Regions": ["us-east-2"]},
        {
            "Regions": ["us-west-2"],
            "ParameterOverrides": [{"ParameterKey": "Name", "ParameterValue": "standby"}],
        },
    ]
    found = read(tmp_path, stack_set(TemplateBody=BODY, StackInstancesGroup=groups))
    assert {item.region: item["cluster_identifier"] for item in found.graph.of("rds.cluster")} == {
        "us-east-2": "orders",
        "us-west-2": "standby",
    }


def test_a_template_beside_it_and_a_body_as_a_table_are_read(tmp_path):
    """A file by its relative path; nobody says the Region of the other."""
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Name"}}}
    table = {"Resources": {"Topic": topic}, "Parameters": {"Name": {"Default": "alarms"}}}
    beside = stack_set(TemplateURL="body.yaml", StackInstancesGroup=GROUPS)
    assert len(read(tmp_path, beside, body=BODY).graph.of("rds.cluster")) == 2
    (topic,) = read(tmp_path, stack_set(TemplateBody=table)).graph.of("sns.topic")
    assert (topic.region, topic["name"]) == (None, "alarms")
    wrong = read(tmp_path, stack_set(TemplateBody={"Resources": [{"Ref": "A"}]}))
    assert [problem.cause for problem in wrong.problems] == ["no template: it has no Resources"]
    assert read(tmp_path, stack_set(TemplateBody={"Ref": "Given"})).problems == []


def test_a_body_that_is_no_template_is_one_error(tmp_path):
    """It names the stack set; what is stored elsewhere is unread."""
    found = read(tmp_path, stack_set(TemplateBody="Resources: [\n", StackInstancesGroup=GROUPS))
    (problem,) = found.problems
    assert problem.file.endswith("set.json#Set")
    far = read(tmp_path, stack_set(TemplateURL="https://s3.amazonaws.com/b/t.yaml"))
    ((name, why),) = far.unread
    assert name.endswith("set.json#Set")
    assert "a stack set" in why


def test_a_stack_set_that_is_not_deployed_makes_nothing(tmp_path):
    """Its condition is false; nothing of it is unread, either."""
    document = json.loads(stack_set(TemplateBody=BODY, StackInstancesGroup=GROUPS))
    document["Resources"]["Set"]["Condition"] = "Never"
    document["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    found = read(tmp_path, json.dumps(document))
    assert (found.graph.of("rds.cluster"), found.unread) == ([], [])


def test_a_template_beside_it_is_read_once(tmp_path):
    """Where the set deploys it, and not by itself."""
    beside = stack_set(TemplateURL="body.yaml", StackInstancesGroup=GROUPS)
    read(tmp_path, beside, body=BODY)
    found = read_paths([str(tmp_path)], ReadOptions(), bytes)
    assert len(found.graph.of("rds.cluster")) == 2


def test_a_body_of_one_long_line_is_a_body(tmp_path):
    """And no path."""
    line = (
        "{Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {TopicName: "
        + "x" * 300
        + "}}}}"
    )
    assert len(read(tmp_path, stack_set(TemplateBody=line)).graph.of("sns.topic")) == 1
