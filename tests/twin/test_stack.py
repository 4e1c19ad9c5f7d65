"""The stack itself on a twin: the program unchanged, the functions unchanged, a Region lost."""

import contextlib
import json
import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import dns.message
import dns.query
import pytest
from click.testing import CliRunner

from otherside.cli import main
from otherside.program.project import read_project
from otherside.twin.deploy.creation import ProvisionError
from otherside.twin.host import registry
from otherside.twin.twin import TwinSettings
from twin.conftest import EAST, WEST, Bare, until

pytestmark = pytest.mark.slow
STANDARD = Path(__file__).parents[2] / "examples" / "standard"
PRIMARY = "orders-prod-us-east-2"


@contextlib.contextmanager
def stack(**settings):
    """Have the standard stack deployed on a twin."""
    with Bare(TwinSettings(**{"speed": 8, **settings})) as bare:
        bare.provision(read_project(STANDARD))
        yield bare


def address(bare, name="orders.example.com"):
    """Return where the public name leads, by the twin's DNS."""
    host, _, port = bare.known["dns"].rpartition(":")
    query = dns.message.make_query(name, "A")
    found = dns.query.udp(query, host, port=int(port), timeout=5)
    return next((str(item) for rrset in found.answer for item in rrset), None)


def ask(bare, path, *, method="GET", body=None, scheme="https", where=None):
    """Ask the application through the public name, as a user would; return (status, body)."""
    port = bare.known[f"{scheme}_port"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(
        f"{scheme}://{where or address(bare)}:{port}{path}",
        data=body,
        method=method,
        headers={"Host": "orders.example.com"},
    )
    handlers = [urllib.request.HTTPSHandler(context=context), NoRedirect()]
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", "").encode()
    except OSError:
        return 0, b""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Tell of a redirect, and do not follow it."""

    def redirect_request(self, *_):
        """Follow nothing."""
        return


def steady(bare):
    """Wait until the application writes, everybody is healthy, and the orchestrator has looked."""
    bare.do("delegate", name="orders.example.com")
    until(lambda: ask(bare, "/writez")[0] == 200, seconds=150)
    until(
        lambda: all(instance["health"] == "healthy" for instance in bare.do("status")["instances"])
    )
    until(lambda: looks(bare) and looks(bare)[-1].get("unknown") == [], seconds=150)


def looks(bare):
    """Return what the decider said, look by look; what another run overtook was none."""
    said = [
        json.loads(line)
        for run in bare.do("runs")["runs"]
        if run["function"] == "orders-prod-decider"
        for line in run["log"].splitlines()
        if line.startswith("{")
    ]
    return [line for line in said if "phase" in line]


@pytest.fixture(scope="module")
def deployed():
    """Return the standard stack, deployed and steady."""
    with stack() as bare:
        steady(bare)
        yield bare


def test_every_resource_is_made_and_nothing_is_dropped(deployed):
    """All of the program's, in the Regions that it names, and the exports lead to them."""
    declaration = deployed.provisioned.declaration
    made = [resource for resource in declaration.resources if resource.type.startswith("aws:")]
    assert len(made) > 400
    assert all(resource.id for resource in made)
    vpcs = {
        region: len(
            deployed.aws("ec2", region).describe_vpcs(
                Filters=[{"Name": "is-default", "Values": ["false"]}]
            )["Vpcs"]
        )
        for region in (EAST, WEST)
    }
    assert vpcs == {EAST: 1, WEST: 1}
    exports = declaration.exports
    assert exports["url"] == "https://orders.example.com"
    assert exports["global_cluster"] == "orders-prod"


def test_an_operator_sees_both_sides_and_gives_an_order(deployed, tmp_path, monkeypatch):
    """By the commands for AWS, on a twin eight times as fast: every age is the twin's."""
    monkeypatch.setattr(registry, "_place", lambda: tmp_path)
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    registry.register(deployed.directory, str(STANDARD), name="orders")

    good = set()

    def calm():
        done = CliRunner().invoke(main, ["status", "--twin", "orders", "--json"])
        assert done.exit_code == 0, done.output
        seen = json.loads(done.output)
        signals = seen["tick"]["signals"]
        good.update(name for name, value in signals.items() if value == "good")
        # On a busy machine not all at once, and a lag has a history once a minute of it is over.
        return seen if signals.keys() <= good and seen["lag_history_s"] else None

    seen = until(calm, seconds=150)
    assert seen["unread"] == []
    assert 0 <= seen["at_s"] - seen["tick"]["at_s"] < 120
    assert seen["database"]["writer"] == EAST
    assert seen["users_on"] == "primary"
    assert {side["in_service"] for side in seen["capacity"].values()} == {4}
    assert seen["in_the_way"] == []
    # It was never moved, backed up nor restored, and a twin has no quotas. The lag of the first
    # minutes, when the standby was made, may still count, and so may the loss that it stands for.
    expected = {"exercised", "backup-copy", "restore-test", "standby-quota"}

    def judged():
        done = CliRunner().invoke(main, ["readiness", "--twin", "orders", "--json"])
        assert done.exit_code == 1
        checks = {check["code"]: check for check in json.loads(done.output)["checks"]}
        pending = {code for code, check in checks.items() if check["outcome"] != "ready"}
        return pending - {"replication-lag", "expected-loss"}

    until(lambda: judged() == expected, seconds=60)  # certificates are issued a while after
    done = CliRunner().invoke(
        main,
        [*("readiness", "--twin", "--global-cluster", "orders-prod", "--region", WEST)],
    )
    assert "us-east-2 17.9, us-west-2 17.9" in done.output
    done = CliRunner().invoke(main, ["history", "--twin", "--replay", "--json"])
    assert done.exit_code == 0, done.output
    trail = json.loads(done.output)["revisions"]
    assert trail
    assert [item for item in trail if not item["replay"]["same"]] == []
    done = CliRunner().invoke(main, ["order", "freeze", "--until", "now", "--yes", "--twin"])
    assert done.exit_code == 0, done.output


def test_ELB_07_a_user_writes_and_reads_through_the_public_name(deployed):
    """TLS, a redirect from plain HTTP, and what was written is there."""
    assert ask(deployed, "/entries/one", method="PUT", body=b"first")[0] == 201
    until(lambda: ask(deployed, "/entries/one")[0] == 200)
    status, where = ask(deployed, "/readyz?x=1", scheme="http")
    assert (status, where) == (301, b"https://orders.example.com:443/readyz?x=1")


def test_ELB_01_02_03_04_targets_are_healthy_by_their_own_answers(deployed):
    """Moto says healthy whatever is there; here each target was asked."""
    for region in (EAST, WEST):
        elb = deployed.aws("elbv2", region)
        (group,) = elb.describe_target_groups()["TargetGroups"]
        arn = group["TargetGroupArn"]
        found = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        assert [description["TargetHealth"]["State"] for description in found] == ["healthy"]
        assert "Reason" not in found[0]["TargetHealth"]


def test_the_functions_run_from_the_very_bundle(deployed):
    """Decider and witness, with their roles, no error, and nothing unknown to them."""
    runs = {run["function"]: run["error"] for run in deployed.do("runs")["runs"]}
    assert {"orders-prod-decider", "orders-prod-rotation"} <= set(runs)
    assert set(runs.values()) == {None}
    assert looks(deployed)[-1]["phase"] == "steady"


def test_KMS_12_the_password_was_rotated_and_the_database_knows_it(deployed):
    """Its four steps, by the stack's own function, against the real database."""
    told = [event["text"] for event in deployed.do("events")["events"]]
    assert any("createSecret, setSecret, testSecret, finishSecret" in item for item in told)


def test_ELB_13_user_data_runs_once_in_a_place_of_its_own(deployed):
    """The launch template's own script, its paths under the instance's directory, and its log."""
    root = next((deployed.directory / "instances").iterdir())
    scripts = list(root.glob("var/lib/cloud/instances/*/user-data.sh"))
    assert len(scripts) == 1
    assert scripts[0].read_text().startswith("#!/bin/bash")
    assert (root / "var/log/cloud-init-output.log").exists()
    assert (root / "opt/otherside/static/health.html").read_text() == "OK\n"
    assert str(root / "run/otherside/lease") in (root / "etc/otherside/app.env").read_text()


def test_KMS_09_10_a_replica_secret_is_there_and_takes_no_writes(deployed):
    """The same value in the standby's Region, and changes only where the primary is."""
    arns = {}
    for region in (EAST, WEST):
        client = deployed.aws("secretsmanager", region)
        (found,) = client.list_secrets()["SecretList"]
        arns[region] = found["ARN"]
    values = {
        region: deployed.aws("secretsmanager", region).get_secret_value(SecretId=arn)[
            "SecretString"
        ]
        for region, arn in arns.items()
    }
    assert values[EAST] == values[WEST]
    assert arns[EAST].replace(EAST, WEST) == arns[WEST]
    client = deployed.aws("secretsmanager", WEST)
    key = client.describe_secret(SecretId=arns[WEST])["KmsKeyId"]
    assert (
        deployed.aws("kms", WEST).describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] == "CUSTOMER"
    )
    with pytest.raises(client.exceptions.InvalidParameterException, match="replica secret"):
        client.put_secret_value(SecretId=arns[WEST], SecretString="x")


def test_nobody_in_the_stack_is_refused_anything(deployed):
    """Least privilege holds: every call of every role was let through."""
    refused = [
        (call["principal"], call["service"], call["operation"], call["error"])
        for call in deployed.do("calls")["calls"]
        if call["status"] == 403 or "Access" in call["error"]
    ]
    assert refused == []


def test_BAK_01_02_04_a_backup_is_copied_to_the_other_region_and_not_to_a_vault_that_is_missing(
    deployed,
):
    """A job of its own each way, with AWS's states; a missing vault fails the copy."""
    assert ask(deployed, "/entries/backed-up", method="PUT", body=b"x")[0] == 201
    backup = deployed.aws("backup")
    role = deployed.aws("iam").list_roles(MaxItems=200)["Roles"]
    arn = next(other_role["Arn"] for other_role in role if "backups" in other_role["RoleName"])
    vault = next(iter(backup.list_backup_vaults()["BackupVaultList"]))["BackupVaultName"]
    cluster = deployed.aws("rds").describe_db_clusters()["DBClusters"][0]["DBClusterArn"]
    job = backup.start_backup_job(BackupVaultName=vault, ResourceArn=cluster, IamRoleArn=arn)

    def finished():
        found = backup.describe_backup_job(BackupJobId=job["BackupJobId"])
        return found if found["State"] in {"COMPLETED", "FAILED"} else None

    made = until(finished)
    assert made["State"] == "COMPLETED", made
    there = deployed.aws("backup", WEST).list_backup_vaults()["BackupVaultList"][0]
    for target, state in (
        (there["BackupVaultArn"], "COMPLETED"),
        (there["BackupVaultArn"] + "-missing", "FAILED"),
    ):
        copy = backup.start_copy_job(
            RecoveryPointArn=made["RecoveryPointArn"],
            SourceBackupVaultName=vault,
            DestinationBackupVaultArn=target,
            IamRoleArn=arn,
        )
        until(
            lambda copy=copy, state=state: (
                backup.describe_copy_job(CopyJobId=copy["CopyJobId"])["CopyJob"]["State"] == state
            )
        )
    points = deployed.aws("backup", WEST).list_recovery_points_by_backup_vault(
        BackupVaultName=there["BackupVaultName"]
    )["RecoveryPoints"]
    assert [point["ResourceArn"] for point in points] == [cluster]
    restored = restore(deployed, points[0]["RecoveryPointArn"])
    rows = "select key, sha256 from entries order by key"
    there, here = (
        deployed.do("query", cluster="again", statement=rows),
        deployed.do("query", cluster=PRIMARY, statement=rows),
    )
    assert restored.endswith(":cluster:again")
    assert there == here
    assert there


def restore(bare, point):
    """Restore a recovery point in the standby's Region, by the stack's own role; return its ARN."""
    backup = bare.aws("backup", WEST)
    roles = bare.aws("iam").list_roles(MaxItems=200)["Roles"]
    group = bare.aws("rds", WEST).describe_db_clusters()["DBClusters"][0]
    job = backup.start_restore_job(
        RecoveryPointArn=point,
        IamRoleArn=next(role["Arn"] for role in roles if "backups-standby" in role["RoleName"]),
        Metadata={"DBClusterIdentifier": "again", "DBSubnetGroupName": group["DBSubnetGroup"]},
    )

    def finished():
        found = backup.describe_restore_job(RestoreJobId=job["RestoreJobId"])
        return found if found["Status"] in {"COMPLETED", "FAILED"} else None

    done = until(finished)
    assert done["Status"] == "COMPLETED", done["StatusMessage"]
    return done["CreatedResourceArn"]


def test_STR_06_07_what_is_written_to_one_bucket_arrives_in_the_other(deployed):
    """And says so of itself, on both sides."""
    s3 = deployed.aws("s3")
    names = [
        bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if "metrics" in bucket["Name"]
    ]
    here = next(name for name in names if EAST in name)
    there = next(name for name in names if WEST in name)
    s3.put_object(Bucket=here, Key="probe", Body=b"hello")

    def arrived():
        found = s3.list_objects_v2(Bucket=there, Prefix="probe").get("Contents")
        return found and s3.get_object(Bucket=there, Key="probe")["Body"].read()

    assert until(arrived) == b"hello"


def test_ELB_05_06_10_an_application_that_breaks_is_told_from_one_that_is_gone(deployed):
    """A stopped service: 502 from the load balancer, an unhealthy target, and back again."""
    (instance,) = [
        instance["id"]
        for instance in deployed.do("status")["instances"]
        if instance["region"] == WEST
    ]
    elb = deployed.aws("elbv2", WEST).describe_load_balancers()["LoadBalancers"][0]["DNSName"]
    where = address(deployed, elb)
    assert ask(deployed, "/health.html", where=where)[0] == 200
    how = {"instance": instance, "unit": "otherside-app.service"}
    deployed.do("systemctl", verb="stop", **how)
    until(lambda: ask(deployed, "/health.html", where=where)[0] == 502)
    health = until(
        lambda: next(
            (
                other_instance["health"]
                for other_instance in deployed.do("status")["instances"]
                if other_instance["id"] == instance and other_instance["health"] == "unhealthy"
            ),
            None,
        )
    )
    assert health == "unhealthy"
    deployed.do("systemctl", verb="start", **how)
    until(lambda: ask(deployed, "/health.html", where=where)[0] == 200)


SMALL = """
import pulumi
import pulumi_aws as aws

east, west = (
    aws.Provider(name, region=region)
    for name, region in (("east", "us-east-2"), ("west", "us-west-2"))
)


def at(provider):
    return pulumi.ResourceOptions(provider=provider)


there = aws.ec2.Vpc("there", cidr_block="10.9.0.0/16", opts=at(east))
group = aws.ec2.SecurityGroup("group", vpc_id=there.id, opts=at(east))
"""
CROSSED = """
here = aws.ec2.Vpc("here", cidr_block="10.8.0.0/16", opts=at(west))
subnets = [
    aws.ec2.Subnet(
        f"in-{zone}",
        vpc_id=here.id,
        cidr_block=f"10.8.{number}.0/24",
        availability_zone=f"us-west-2{zone}",
        opts=at(west),
    )
    for number, zone in enumerate("ab")
]
aws.lb.LoadBalancer(
    "crossed",
    internal=True,
    subnets=[one.id for one in subnets],
    security_groups=[group.id],
    opts=at(west),
)
"""
UNKNOWN_TO_THE_TWIN = """
aws.ec2.Vpc(
    "odd",
    cidr_block="10.7.0.0/16",
    enable_network_address_usage_metrics=True,
    opts=at(east),
)
"""


def refusal(bare, directory, text):
    """Deploy a program that cannot be deployed; return what is said of it."""
    (directory / "Pulumi.yaml").write_text("name: small\nruntime: python\n", encoding="utf-8")
    (directory / "__main__.py").write_text(SMALL + text, encoding="utf-8")
    with pytest.raises(ProvisionError) as caught:
        bare.provision(read_project(directory))
    return str(caught.value)


def test_a_reference_to_another_region_is_refused_by_name(bare, tmp_path):
    """A group of the wrong Region: the resource, its place and the cause, and nothing more."""
    text = refusal(bare, tmp_path, CROSSED)
    assert 'aws:lb/loadBalancer:LoadBalancer "crossed" (us-west-2)' in text
    assert re.search(r"sg-[0-9a-f]+ is in us-east-2 and not in us-west-2", text)


def test_a_region_that_the_twin_has_not_is_refused(bare, tmp_path):
    """At the first resource, and not with a database that nobody reaches."""
    text = refusal(
        bare,
        tmp_path,
        """
far = aws.Provider("far", region="eu-central-1")
aws.ec2.Vpc("far", cidr_block="10.6.0.0/16", opts=at(far))
""",
    )
    assert "the twin has no Region eu-central-1" in text
    assert "it has us-east-2, us-west-2, us-east-1" in text


def test_an_option_that_is_not_honoured_is_an_error_and_not_dropped(bare, tmp_path):
    """A property that no call takes: its name, and the resource's."""
    text = refusal(bare, tmp_path, UNKNOWN_TO_THE_TWIN)
    assert "the twin does not honour enableNetworkAddressUsageMetrics" in text
    assert '"odd" (us-east-2)' in text
