"""What a template says: parameters, conditions, intrinsics, imports, nested stacks, a cdk.out."""

import json
from pathlib import Path

import pytest

from otherside.check.model.graph import Graph
from otherside.check.model.values import Code, PasswordOrigin, Ref, Unknown
from otherside.check.readers.cloudformation.template import Template
from otherside.check.readers.cloudformation.yaml_text import read_yaml
from otherside.check.readers.read import ReadOptions, read_paths

BEGIN = "Resources:\n  X:\n    Type: AWS::SNS::Topic\n    Properties:\n      TopicName: "


def value(text, *, region="us-east-2", before="", parameters=None):
    """Return what a property comes to."""
    document = read_yaml(f"{before}{BEGIN}{text}\n", "t.yaml")
    template = Template(document, "t.yaml", region=region, parameters=parameters)
    (topic,) = template.load()
    return topic["name"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("!Ref AWS::Region", "us-east-2"),
        ("!Sub 'a-${AWS::Region}'", "a-us-east-2"),
        ("!Sub ['${a}-${b}', {a: 1, b: !Ref AWS::Partition}]", "1-aws"),
        ("!Join ['-', [a, !Ref AWS::Region]]", "a-us-east-2"),
        ("!Select [1, !Split [',', 'a,b']]", "b"),
        ("!Sub 'keep-${!this}'", "keep-${this}"),
        ("!Ref AWS::NoValue", None),
        ("{'Fn::Join': ['', [a, b]]}", "ab"),
    ],
)
def test_intrinsics_are_evaluated(text, expected):
    """As CloudFormation does."""
    assert value(text) == expected


def test_parameters_are_given_or_defaulted_or_unknown():
    """And a value remembers by which it came."""
    before = "Parameters:\n  A: {Type: String, Default: d}\n  B: {Type: String}\n"
    assert value("!Ref A", before=before).defaulted
    assert not value("!Ref A", before=before, parameters={"A": "x"}).defaulted
    assert "B" in value("!Ref B", before=before).why


def test_conditions_choose_and_what_they_forbid_is_not_there():
    """A condition that cannot be told leaves the value unknown, and the resource there."""
    before = (
        "Parameters: {Env: {Type: String, Default: dev}, Any: {Type: String}}\n"
        "Conditions:\n"
        "  Prod: !Equals [!Ref Env, prod]\n"
        "  Not: !Not [!Condition Prod]\n"
        "  Both: !And [!Condition Prod, !Condition Perhaps]\n"
        "  Either: !Or [!Condition Not, !Condition Perhaps]\n"
        "  Perhaps: !Equals [!Ref Any, x]\n"
        "  Itself: !Not [!Condition Itself]\n"
    )
    assert value("!If [Prod, a, b]", before=before) == "b"
    assert value("!If [Both, a, b]", before=before) == "b"
    assert value("!If [Either, a, b]", before=before) == "a"
    assert isinstance(value("!If [Perhaps, a, b]", before=before), Unknown)
    assert isinstance(value("!If [Itself, a, b]", before=before), Unknown)


def test_mappings_are_looked_up():
    """By Region, as most are."""
    before = "Mappings: {M: {us-east-2: {Name: here}}}\n"
    assert value("!FindInMap [M, !Ref AWS::Region, Name]", before=before) == "here"


def test_a_reference_knows_its_attribute():
    """`Ref` of a load balancer is its ARN: that is the ninth failure."""
    text = (
        "Resources:\n"
        "  Lb: {Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer'}\n"
        "  A:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      Dimensions:\n"
        "      - {Name: LoadBalancer, Value: !Ref Lb}\n"
        "      - {Name: Full, Value: !GetAtt Lb.LoadBalancerFullName}\n"
    )
    template = Template(read_yaml(text, "t"), "t", region="us-east-2")
    alarm = Graph(template.load()).of("cloudwatch.alarm")[0]
    assert alarm["dimensions.LoadBalancer"] == Unknown((Ref("t#Lb", "arn"),))
    assert alarm["dimensions.Full"] == Unknown((Ref("t#Lb", "arn_suffix"),))


def test_stacks_of_a_region_import_from_one_another(tmp_path):
    """By name, within a Region; never across."""
    (tmp_path / "a.yaml").write_text(
        "Resources: {K: {Type: 'AWS::KMS::Key'}}\n"
        "Outputs: {Key: {Value: !GetAtt K.Arn, Export: {Name: key}}}\n"
    )
    (tmp_path / "b.yaml").write_text(
        "Resources:\n  D:\n    Type: AWS::RDS::DBCluster\n"
        "    Properties: {KmsKeyId: !ImportValue key}\n"
    )
    files = [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]
    here = {"a.yaml": "us-east-2", "b.yaml": "us-east-2"}
    read = read_paths(files, ReadOptions(regions=here), bytes)
    (cluster,) = read.graph.of("rds.cluster")
    assert read.graph.follow(cluster, "kms_key_id", "kms.key") is not None
    apart = read_paths(files, ReadOptions(regions={**here, "b.yaml": "us-west-2"}), bytes)
    (cluster,) = apart.graph.of("rds.cluster")
    assert "imported as key" in cluster["kms_key_id"].why


def test_a_nested_stack_takes_parameters_and_gives_outputs(tmp_path):
    """From the template that lies beside it."""
    (tmp_path / "child.yaml").write_text(
        "Parameters: {Name: {Type: String}}\n"
        "Resources: {T: {Type: 'AWS::SNS::Topic', Properties: {TopicName: !Ref Name}}}\n"
        "Outputs: {Arn: {Value: !Ref T}}\n"
    )
    (tmp_path / "parent.yaml").write_text(
        "Resources:\n"
        "  Child: {Type: 'AWS::CloudFormation::Stack', Properties: "
        "{TemplateURL: child.yaml, Parameters: {Name: alerts}}}\n"
        "  A: {Type: 'AWS::CloudWatch::Alarm', Properties: "
        "{AlarmActions: [!GetAtt Child.Outputs.Arn]}}\n"
    )
    options = ReadOptions(regions={"parent.yaml": "us-east-2"})
    graph = read_paths([str(tmp_path / "parent.yaml")], options, bytes).graph
    (topic,) = graph.of("sns.topic")
    assert (topic["name"], topic.region) == ("alerts", "us-east-2")
    (alarm,) = graph.of("cloudwatch.alarm")
    assert graph.links(alarm, alarm["alarm_actions"])[0].resource is topic


def test_a_cdk_out_names_each_stack_s_region(tmp_path):
    """And where a function's code lies."""
    manifest = {
        "version": "40.0.0",
        "artifacts": {
            "Dr": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://123456789012/us-west-2",
                "properties": {"templateFile": "Dr.template.json"},
            }
        },
    }
    template = {
        "Resources": {
            "F": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Handler": "index.handler", "Runtime": "nodejs22.x"},
                "Metadata": {"aws:asset:path": "asset.1"},
            }
        }
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "Dr.template.json").write_text(json.dumps(template))
    (tmp_path / "asset.1").mkdir()
    (tmp_path / "asset.1" / "index.ts").write_text("export const handler = 1;")
    read = read_paths([str(tmp_path)], ReadOptions(), bytes)
    (function,) = read.graph.of("lambda.function")
    assert function.region == "us-west-2"
    assert function["source"] == Code((("index.ts", "export const handler = 1;"),), whole=True)
    assert function.place.line == 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("hunter2", PasswordOrigin.LITERAL),
        ("!Ref Secret", PasswordOrigin.DEFAULT),
        ("!Ref Given", PasswordOrigin.GIVEN),
        ("!Ref Stored", PasswordOrigin.PLAIN),
        ("'{{resolve:ssm:/db/password}}'", PasswordOrigin.PLAIN),
        ("!Sub '{{resolve:secretsmanager:${S}:SecretString:password}}'", PasswordOrigin.GIVEN),
    ],
)
def test_a_password_is_told_by_where_it_comes_from(text, kept):
    """`NoEcho` hides a default from the console, and from nobody who reads the template."""
    before = (
        "Parameters:\n  Secret: {Type: String, NoEcho: true, Default: TempPassword123!}\n"
        "  Given: {Type: String, NoEcho: true}\n"
        "  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /db/password}\n"
    )
    document = read_yaml(
        f"{before}Resources:\n  S: {{Type: 'AWS::SecretsManager::Secret'}}\n  D:\n"
        f"    Type: AWS::RDS::DBCluster\n    Properties:\n      MasterUserPassword: {text}\n",
        "t",
    )
    (cluster,) = Graph(Template(document, "t").load()).of("rds.cluster")
    assert cluster["master_password"].kept is kept


def test_lines_are_those_of_the_file(tmp_path):
    """In YAML and in JSON."""
    (tmp_path / "a.yaml").write_text(
        "Description: x\n\nResources:\n  K:\n    Type: AWS::KMS::Key\n"
    )
    (tmp_path / "b.json").write_text(
        '{\n "Resources": {\n  "J": {\n   "Type": "AWS::KMS::Key"\n  }\n }\n}\n'
    )
    read = read_paths([str(tmp_path)], ReadOptions(), bytes)
    places = {Path(key.place.file).name: key.place.line for key in read.graph.of("kms.key")}
    assert places == {"a.yaml": 4, "b.json": 3}


CHILD = """
Parameters: {Name: {Type: String}, Word: {Type: String, Default: ""}}
Resources:
  Db:
    Type: AWS::RDS::DBInstance
    Properties:
      DBInstanceIdentifier: !Ref Name
      MasterUserPassword: !Ref Word
"""
PARENT = """
Resources:
  One:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: child.yaml, Parameters: {{Name: {name}, Word: "{word}"}}}}
"""


def instances(directory, **regions):
    """Return the databases of a directory's templates: each Region, name and password."""
    read = read_paths([str(directory)], ReadOptions(regions=regions), lambda: b"")
    assert read.problems == []
    return sorted(
        (item.region, str(item["identifier"]), item["password"])
        for item in read.graph.of("rds.instance")
    )


def test_two_roots_may_nest_the_same_template(tmp_path):
    """A directory of shared templates is the usual layout; one had taken the other's place."""
    (tmp_path / "child.yaml").write_text(CHILD)
    for root, name in (("east", "a"), ("west", "b")):
        word = "{{resolve:secretsmanager:db}}"
        (tmp_path / f"{root}.yaml").write_text(PARENT.format(name=name, word=word))
    found = instances(tmp_path, **{"east.yaml": "us-east-1", "west.yaml": "us-west-2"})
    assert [item[:2] for item in found] == [("us-east-1", "a"), ("us-west-2", "b")]


def test_one_template_may_be_deployed_to_two_regions(tmp_path):
    """With what its conditions and names make of each."""
    name = '!Sub "orders-${AWS::Region}"'
    text = CHILD.replace("!Ref Name", name).replace("!Ref Word", '"{{resolve:ssm-secure:/a}}"')
    (tmp_path / "app.yaml").write_text(text)
    found = instances(tmp_path, **{"app.yaml": "us-east-1,us-west-2"})
    assert [item[1] for item in found] == ["orders-us-east-1", "orders-us-west-2"]


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("hunter22x", PasswordOrigin.LITERAL),
        ("{{resolve:secretsmanager:db:SecretString:password}}", PasswordOrigin.GIVEN),
        ("{{resolve:ssm:/db/password}}", PasswordOrigin.PLAIN),
    ],
)
def test_what_a_parent_hands_to_its_child_is_in_the_code(tmp_path, word, kept):
    """As a literal of the child is; a reference is a reference."""
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "root.yaml").write_text(PARENT.format(name="a", word=word))
    ((_, _, password),) = instances(tmp_path, **{"root.yaml": "us-east-1"})
    assert password.kept is kept


@pytest.mark.parametrize(
    ("default", "kept"),
    [
        ("hunter22x", PasswordOrigin.DEFAULT),
        ("{{resolve:secretsmanager:db}}", PasswordOrigin.GIVEN),
    ],
)
def test_a_default_that_refers_to_a_secret_is_none(tmp_path, default, kept):
    """CloudFormation resolves it where the parameter is used."""
    text = CHILD.replace('Default: ""', f'Default: "{default}"').replace("!Ref Name", "a")
    (tmp_path / "root.yaml").write_text(text)
    ((_, _, password),) = instances(tmp_path, **{"root.yaml": "us-east-1"})
    assert password.kept is kept


def test_a_map_that_is_asked_by_what_is_not_known_may_give_any_of_its_entries():
    """A password in each of them is in the code, whichever it is."""
    before = (
        "Parameters: {Env: {Type: String}}\n"
        "Mappings: {Db: {prod: {Pw: hunter22x, Size: 1}, dev: {Pw: hunter23x}}}\n"
    )
    found = value("!FindInMap [Db, !Ref Env, Pw]", before=before)
    assert found.either == ("hunter22x", "hunter23x")
    assert "Env" in found.why
    assert value("!FindInMap [Db, prod, Pw]", before=before) == "hunter22x"
    assert "no such entry" in value("!FindInMap [Db, dev, Size]", before=before).why


def test_what_only_aws_expands_is_named_and_the_rest_is_read(tmp_path):
    """A resource that is included from elsewhere had made the whole file unreadable."""
    (tmp_path / "t.yaml").write_text(
        "Resources:\n"
        "  Inc: {'Fn::Transform': {Name: 'AWS::Include', Parameters: {Location: 's3://b/x'}}}\n"
        "  'Fn::ForEach::Copies': [N, [a], {'T${N}': {Type: 'AWS::SNS::Topic'}}]\n"
        "  T: {Type: AWS::SNS::Topic}\n"
    )
    read = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
    assert read.problems == []
    assert [why for _, why in read.unread] == [
        "Fn::Transform is expanded by AWS only",
        "Fn::ForEach is expanded by AWS only",
    ]
    assert len(read.graph.of("sns.topic")) == 1


def test_a_stage_of_a_cdk_app_is_where_its_manifest_says_however_it_is_named(tmp_path):
    """From the directory above, too: its templates had been read again, in no Region."""
    inner = tmp_path / "app" / "cdk.out" / "assembly-Prod"
    inner.mkdir(parents=True)
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/eu-west-1",
        "properties": {"templateFile": "Main.template.json"},
    }
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    for where, artifacts in ((inner.parent, {"assembly-Prod": stage}), (inner, {"Main": stack})):
        (where / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": artifacts}))
    template = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}
    (inner / "Main.template.json").write_text(json.dumps(template))
    for named in (tmp_path, tmp_path / "app", inner.parent):
        read = read_paths([str(named)], ReadOptions(), lambda: b"")
        assert read.problems == []
        assert [topic.region for topic in read.graph.of("sns.topic")] == ["eu-west-1"]
