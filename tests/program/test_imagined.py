"""A program gets what AWS would answer in the right shape, and no rule takes that for known."""

import json
import os
import sys
from textwrap import dedent

import pulumi
import pytest

from otherside.check.readers.pulumi.stack import UNKNOWN
from otherside.program.answers import GivenAnswers, read_answers
from otherside.program.export import as_export
from otherside.program.imagined import is_imagined
from otherside.program.program_error import ProgramError
from otherside.program.project import declare_directory

HEAD = "import base64, ipaddress, json, pulumi, pulumi_aws as aws\n"
ROLE = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture
def declared(tmp_path):
    """Return what declares a program's text."""

    def declare(text, answers=None):
        (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
        (tmp_path / "Pulumi.dev.yaml").write_text("config: {aws:region: us-east-1}\n")
        (tmp_path / "__main__.py").write_text(HEAD + text)
        return declare_directory(tmp_path, answers=answers or GivenAnswers())

    return declare


TAKEN_APART = {
    "text": """
        api = aws.apigatewayv2.Api("a", protocol_type="HTTP")
        pulumi.export("url", pulumi.Output.concat(api.api_endpoint, "/x"))
    """,
    "data": """
        vpc = aws.ec2.get_vpc(default=True)
        ids = aws.ec2.get_subnets(filters=[{"name": "vpc-id", "values": [vpc.id]}]).ids
        assert len({ids[0], ids[1], ids[5]}) == 3
        assert ipaddress.ip_network(vpc.cidr_block).num_addresses > 1
    """,
    "document": """
        role = aws.iam.Role("r", assume_role_policy={"Version": "2012-10-17", "Statement": []})
        aws.iam.RolePolicyAttachment("a", role=role.name, policy_arn="arn:aws:iam::aws:policy/X")
        role.assume_role_policy.apply(json.loads)
    """,
    "nested": """
        inside = {"subnet_ids": ["a"]}
        cluster = aws.eks.Cluster("c", role_arn="arn:aws:iam::1:role/r", vpc_config=inside)
        cluster.certificate_authority.data.apply(base64.b64decode)
        issuer = cluster.identities[0].oidcs[0].issuer
        pulumi.export("issuer", issuer.apply(lambda url: url.split("//")[1]))
    """,
    "endpoint": """
        db = aws.rds.Instance("d", instance_class="db.t3.micro")
        db.endpoint.apply(lambda text: text.split(":")[0])
        db.port.apply(lambda port: port + 1)
    """,
    "resource": """
        vpc = aws.ec2.Vpc("v", cidr_block="10.0.0.0/16")
        subnet = aws.ec2.Subnet("s", vpc_id=vpc, cidr_block="10.0.0.0/24")
        subnet.vpc_id.apply(lambda text: text.upper())
    """,
    "arn": """
        aws.kms.get_key(key_id="alias/x").arn.split(":")[5]
    """,
    "typed": """
        assert aws.ec2.get_ami(most_recent="true", owners=["amazon"]).most_recent is True
    """,
    "secret": """
        held = aws.secretsmanager.get_secret_version(secret_id="db")
        login = json.loads(held.secret_string)
        pulumi.export("user", login["username"] + login.get("host", "x"))
    """,
    "secret output": """
        held = aws.secretsmanager.get_secret_version_output(secret_id="db")
        password = held.secret_string.apply(json.loads)["password"]
        aws.rds.Instance("d", instance_class="db.t3.micro", password=password)
    """,
    "parameter": """
        network = json.loads(aws.ssm.get_parameter(name="/network").value)
        for name, subnet in network["subnets"].items():
            aws.ec2.Subnet(name, vpc_id=network["vpc"]["id"], cidr_block=subnet["cidr"])
    """,
    "other stack's table": """
        network = pulumi.StackReference("org/network/prod")
        vpc = network.get_output("vpc").apply(lambda found: found["id"])
        aws.ec2.SecurityGroup("g", vpc_id=vpc)
    """,
    "settings": """
        settings = pulumi.Config()
        zones = int(settings.require("az_count"))
        ports = [int(port) for port in settings.require("ports").split(",")]
        cidr = settings.require_object("network")["primary"]["cidr"]
        aws.ec2.Vpc("v", cidr_block=cidr, tags={"zones": str(zones), "ports": str(ports)})
        for region in settings.require_object("regions"):
            pulumi.export(region, region)
    """,
    "environment": """
        import os
        aws.sns.Topic("t", name="orders-" + os.environ["ENVIRONMENT_SUFFIX"])
        assert os.environ.get("ENVIRONMENT_SUFFIX") is None
    """,
    "default": """
        import os
        try:
            region = os.environ["MY_REGION"]
        except KeyError:
            region = "us-west-2"
        assert region == "us-west-2"
        named = os.environ["OTHER_REGION"]
        assert named
    """,
    "list": """
        cidrs = pulumi.Config().require_object("net")["cidrs"]
        aws.ec2.Vpc("a", cidr_block=cidrs[0])
        assert len(cidrs) == 2 and ipaddress.ip_network(cidrs[1])
    """,
    "image": """
        aws.ecr.get_image(repository_name="r", image_tag="1").image_digest.split(":")[1]
        aws.ec2.get_ami(owners=["self"]).block_device_mappings[0].ebs["volume_size"]
    """,
    "certificate": """
        names = ["b.example.com", "*.example.com"]
        held = aws.acm.Certificate("c", domain_name="example.com", subject_alternative_names=names)
        pulumi.export("third", held.domain_validation_options[2].resource_record_name)
    """,
    "token": """
        token = aws.ecr.get_authorization_token().authorization_token
        base64.b64decode(token).decode().split(":")[1]
    """,
}


@pytest.mark.parametrize("text", TAKEN_APART.values(), ids=TAKEN_APART)
def test_what_a_program_takes_apart_has_the_form_that_it_takes_apart(declared, text):
    """None of these has an answer of its own here; Pulumi would have gone on, too."""
    declared(dedent(text))


def inputs(declaration, kind):
    """Return one resource's inputs, as a checker reads them."""
    resources = as_export(declaration)["deployment"]["resources"]
    return next(item for item in resources if item["type"] == kind)


def test_what_was_imagined_is_unknown_to_the_rules_and_keeps_its_origin(declared):
    """The value, what was made of it, and a list with one such item in it; a literal stays."""
    declaration = declared(
        'db = aws.rds.Instance("d", instance_class="db.t3.micro")\n'
        'aws.ec2.SecurityGroup("g", description="ours", name=db.endpoint.apply(lambda e: e + "!"),'
        ' ingress=[{"protocol": "tcp", "from_port": db.port, "to_port": 5432,'
        ' "cidr_blocks": ["10.0.0.0/8", aws.ec2.get_vpc(default=True).cidr_block]}])'
    )
    group = inputs(declaration, "aws:ec2/securityGroup:SecurityGroup")
    (rule,) = group["inputs"]["ingress"]
    assert group["inputs"]["description"] == "ours"
    assert {group["inputs"]["name"], rule["fromPort"], rule["cidrBlocks"][1]} == {UNKNOWN[0]}
    assert (rule["toPort"], rule["cidrBlocks"][0]) == (5432, "10.0.0.0/8")
    assert {urn.rpartition("::")[2] for urn in group["propertyDependencies"]["name"]} == {"d"}
    assert "description" not in group["propertyDependencies"]


def test_a_resource_passed_as_a_value_is_its_identifier(declared):
    """As the engine hands it to a provider that takes no references."""
    declaration = declared(
        'vpc = aws.ec2.Vpc("v", cidr_block="10.0.0.0/16")\n'
        'aws.ec2.Subnet("s", vpc_id=vpc, cidr_block="10.0.0.0/24")'
    )
    vpc = declaration.only("ec2/vpc:Vpc")
    assert declaration.only("ec2/subnet:Subnet").inputs["vpcId"] == vpc.id


def test_an_optional_setting_that_was_left_out_stays_away(declared):
    """AWS returns none, and programs ask whether it is there."""
    declared(
        f'role = aws.iam.Role("r", assume_role_policy=json.dumps({ROLE}))\n'
        "def seen(boundary):\n    assert boundary is None\n"
        "role.permissions_boundary.apply(seen)"
    )


STACKS = (
    'net = pulumi.StackReference("org/network/prod")\n'
    'aws.ec2.SecurityGroup("g", vpc_id=net.require_output("vpc_id"))\n'
    'aws.ec2.Instance("i", ami="ami-1", subnet_id=net.get_output("subnet_ids")[0])\n'
    'settings = pulumi.Config()\naws.sns.Topic("t", name=settings.require("topic"),'
    ' fifo_topic=settings.require_bool("fifo"))\nassert settings.require_int("count") == 2\n'
)


def test_other_stacks_and_missing_settings_are_imagined_and_told(declared):
    """By name: what was read under a condition says so."""
    declaration = declared(STACKS)
    group = inputs(declaration, "aws:ec2/securityGroup:SecurityGroup")
    assert group["inputs"]["vpcId"] == UNKNOWN[0]
    assert inputs(declaration, "aws:sns/topic:Topic")["inputs"]["name"] == UNKNOWN[0]
    assert sorted(declaration.imagined) == [
        "the output subnet_ids of the stack org/network/prod was imagined",
        "the output vpc_id of the stack org/network/prod was imagined",
        "the setting p:count is missing and was imagined",
        "the setting p:fifo is missing and was imagined",
        "the setting p:topic is missing and was imagined",
    ]


DECIDED = {
    'aws.sns.Topic("t", name=setting)': False,
    'aws.sns.Topic("t", name=f"orders-{setting}", tags={"of": setting})': False,
    'aws.sns.Topic("t") if setting == "prod" else None': True,
    'aws.sns.Topic("t") if setting.lower() in ("yes", "true") else None': True,
    'aws.sns.Topic("t") if "prod" in setting else None': True,
    'aws.sns.Topic("t") if setting != "prod" else None': True,
    'aws.sns.Topic("t") if setting in {"prod"} else None': True,
    'aws.sns.Topic("t") if setting.strip().upper() == "PROD" else None': True,
    'aws.sns.Topic("t", name=__import__("copy").deepcopy(setting))': False,
    '[aws.sns.Topic(f"t{at}") for at in range(int(setting))]': True,
    '[aws.sns.Topic(name) for name in setting.split(",")]': True,
    "[aws.sns.Topic(name) for name, _ in setting.items()]": True,
}


@pytest.mark.parametrize(("then", "decided"), DECIDED.items(), ids=range(len(DECIDED)))
def test_a_setting_hides_something_only_if_the_program_decides_by_it(declared, then, decided):
    """Only then may there be resources that this run did not make."""
    declaration = declared(f'setting = pulumi.Config().require("x")\n{then}\n')
    assert declaration.imagined == {"the setting p:x is missing and was imagined": decided}


def test_a_library_that_misses_a_variable_is_told_that_it_is_missing(declared):
    """It expects that; only the program's own question is answered."""
    declaration = declared("""
import os
assert os.path.expandvars("$HOME_OF_NOBODY") == "$HOME_OF_NOBODY"
""")
    assert declaration.imagined == {}


def test_what_exists_is_known_by_no_name_that_was_made_up(declared):
    """Nobody makes a vault of that name, and there is one all the same."""
    declaration = declared("""
vault = aws.backup.Vault.get("central", "central")
aws.backup.Plan("p", rules=[{"rule_name": "r", "target_vault_name": "v",
    "copy_actions": [{"destination_vault_arn": vault.arn}]}])
""")
    (rule,) = inputs(declaration, "aws:backup/plan:Plan")["inputs"]["rules"]
    assert rule["copyActions"][0]["destinationVaultArn"] == UNKNOWN[0]


def test_an_imagined_output_keeps_its_name(declared):
    """A rule can tell the ARN of a database from its name, though it knows neither."""
    declaration = declared("""
db = aws.rds.Instance("d", instance_class="db.t3.micro")
aws.cloudwatch.MetricAlarm("a", comparison_operator="GreaterThanThreshold", evaluation_periods=1,
    namespace="AWS/RDS", metric_name="CPUUtilization", dimensions={"DBInstanceIdentifier": db.arn})
""")
    alarm = inputs(declaration, "aws:cloudwatch/metricAlarm:MetricAlarm")["inputs"]
    told = alarm["dimensions"]["DBInstanceIdentifier"]
    assert told["attribute"] == "arn"
    assert told["dependencies"][0].endswith("::d")


def test_nothing_stays_changed_after_a_program_whose_gaps_were_filled(declared):
    """The next program in the process has to fail as Pulumi says."""
    before = [vars(kind) for kind in (pulumi.StackReference, pulumi.Config, type(os.environ))]
    kept = [dict(item) for item in before]
    declared(STACKS)
    assert [dict(item) for item in before] == kept


def test_answers_go_before_what_would_be_imagined(declared, tmp_path):
    """Settings, other stacks and data sources; the rest is imagined all the same."""
    file = tmp_path / "answers.yaml"
    file.write_text(
        json.dumps(
            {
                "settings": {"p:topic": "orders", "p:count": 2},
                "stacks": {"org/network/prod": {"vpc_id": "vpc-9"}},
                "data": {"aws:ec2/getVpc:getVpc": {"id": "vpc-8", "cidrBlock": "10.8.0.0/16"}},
            }
        )
    )
    more = 'aws.ec2.SecurityGroup("h", vpc_id=aws.ec2.get_vpc(default=True).id)'
    declaration = declared(STACKS + more, read_answers(file))
    groups = {
        item.name: item.inputs["vpcId"]
        for item in declaration.of("ec2/securityGroup:SecurityGroup")
    }
    assert groups == {"g": "vpc-9", "h": "vpc-8"}
    assert declaration.only("sns/topic:Topic").inputs["name"] == "orders"
    assert len(declaration.imagined) == 2


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("[1]", "not a table"),
        ("{stack: {}}", "stack: there is no such part; it has settings, stacks, data"),
        ("{data: {x: 1}}", "data: x: not a table"),
        ("{", "cannot be read"),
    ],
)
def test_answers_of_another_form_are_refused_by_file_and_place(tmp_path, text, cause):
    """One clear error, and no half of them."""
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(ProgramError, match=cause) as refused:
        read_answers(file)
    assert str(refused.value).startswith(str(file))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("imagined-0f", True),
        ("a-imagined-0f-b", True),
        ("198.18.0.0/20", True),
        (47713, True),
        ("10.0.0.0/16", False),
        (5432, False),
        (True, False),
        (None, False),
    ],
)
def test_a_mark_is_known_again_in_what_was_made_of_it(value, said):
    """A cut network and a joined text are no more known than they were."""
    assert is_imagined(value) is said


def test_a_programs_own_environment_is_used_if_this_python_can(tmp_path):
    """Pulumi runs it there; packages of another Python would not load."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = tmp_path / "venv" / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (packages / "only_there.py").write_text("NAME = 'orders'\n")
    (tmp_path / "Pulumi.yaml").write_text(
        "name: p\nruntime:\n  name: python\n  options: {virtualenv: venv}\n"
    )
    (tmp_path / "__main__.py").write_text(
        "import only_there, pulumi\npulumi.export('name', only_there.NAME)\n"
    )
    before = list(sys.path)
    assert declare_directory(tmp_path).exports == {"name": "orders"}
    assert sys.path == before
