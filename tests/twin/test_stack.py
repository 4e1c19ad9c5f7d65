"""The stack itself on a twin: the program unchanged, the functions unchanged, a Region lost."""

import contextlib
import dataclasses
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import dns.message
import dns.query
import pytest

from otherside.infra.project import read_project
from otherside.twin.engine.birth import ProvisionError
from otherside.twin.twin import TwinSettings
from twin.conftest import CONTROL, EAST, WEST, Bare, until

pytestmark = pytest.mark.slow
STANDARD = Path(__file__).parents[2] / "examples" / "standard"
PRIMARY = "orders-prod-us-east-2"


@contextlib.contextmanager
def stack(*, transform=lambda one: one, **settings):
    """Have the standard stack deployed on a twin."""
    with Bare(TwinSettings(**{"speed": 8, **settings})) as bare:
        bare.provision(read_project(STANDARD), transform=transform)
        yield bare


def address(bare, name="orders.example.com"):
    """Return where the public name leads, by the twin's DNS."""
    host, _, port = bare.known["dns"].rpartition(":")
    query = dns.message.make_query(name, "A")
    found = dns.query.udp(query, host, port=int(port), timeout=5)
    return next((str(one) for rrset in found.answer for one in rrset), None)


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
    until(lambda: ask(bare, "/writez")[0] == 200, seconds=60)
    until(lambda: all(one["health"] == "healthy" for one in bare.do("status")["instances"]))
    until(lambda: looks(bare) and looks(bare)[-1]["unknown"] == [], seconds=60)


def looks(bare):
    """Return what the decider said, look by look."""
    return [
        json.loads(line)
        for run in bare.do("runs")["runs"]
        if run["function"] == "orders-prod-decider"
        for line in run["log"].splitlines()
        if line.startswith("{")
    ]


@pytest.fixture(scope="module")
def deployed():
    """Return the standard stack, deployed and steady."""
    with stack() as bare:
        steady(bare)
        yield bare


def test_every_resource_is_made_and_nothing_is_dropped(deployed):
    """All of the program's, in the Regions that it names, and the exports lead to them."""
    declaration = deployed.provisioned.declaration
    made = [one for one in declaration.resources if one.type.startswith("aws:")]
    assert len(made) > 400
    assert all(one.id for one in made)
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
        assert [one["TargetHealth"]["State"] for one in found] == ["healthy"]
        assert "Reason" not in found[0]["TargetHealth"]


def test_the_functions_run_from_the_very_bundle(deployed):
    """Decider and witness, with their roles, no error, and nothing unknown to them."""
    runs = {one["function"]: one["error"] for one in deployed.do("runs")["runs"]}
    assert {"orders-prod-decider", "orders-prod-rotation"} <= set(runs)
    assert set(runs.values()) == {None}
    assert looks(deployed)[-1]["reason"].startswith("steady")


def test_KMS_12_the_password_was_rotated_and_the_database_knows_it(deployed):
    """Its four steps, by the stack's own function, against the real database."""
    told = [one["text"] for one in deployed.do("happenings")["happenings"]]
    assert any("createSecret, setSecret, testSecret, finishSecret" in one for one in told)


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
        (one["principal"], one["service"], one["operation"], one["error"])
        for one in deployed.do("calls")["calls"]
        if one["status"] == 403 or "Access" in one["error"]
    ]
    assert refused == []


def test_BAK_01_02_04_a_backup_is_copied_to_the_other_region_and_not_to_a_vault_that_is_missing(
    deployed,
):
    """A job of its own each way, with AWS's states; a missing vault fails the copy."""
    assert ask(deployed, "/entries/backed-up", method="PUT", body=b"x")[0] == 201
    backup = deployed.aws("backup")
    role = deployed.aws("iam").list_roles(MaxItems=200)["Roles"]
    arn = next(one["Arn"] for one in role if "backups" in one["RoleName"])
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
    assert [one["ResourceArn"] for one in points] == [cluster]
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
        IamRoleArn=next(one["Arn"] for one in roles if "backups-standby" in one["RoleName"]),
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
    names = [one["Name"] for one in s3.list_buckets()["Buckets"] if "metrics" in one["Name"]]
    here = next(one for one in names if EAST in one)
    there = next(one for one in names if WEST in one)
    s3.put_object(Bucket=here, Key="probe", Body=b"hello")

    def arrived():
        found = s3.list_objects_v2(Bucket=there, Prefix="probe").get("Contents")
        return found and s3.get_object(Bucket=there, Key="probe")["Body"].read()

    assert until(arrived) == b"hello"


def test_ELB_05_06_10_an_application_that_breaks_is_told_from_one_that_is_gone(deployed):
    """A stopped service: 502 from the load balancer, an unhealthy target, and back again."""
    (instance,) = [one["id"] for one in deployed.do("status")["instances"] if one["region"] == WEST]
    elb = deployed.aws("elbv2", WEST).describe_load_balancers()["LoadBalancers"][0]["DNSName"]
    where = address(deployed, elb)
    assert ask(deployed, "/health.html", where=where)[0] == 200
    how = {"instance": instance, "unit": "otherside-app.service"}
    deployed.do("systemctl", verb="stop", **how)
    until(lambda: ask(deployed, "/health.html", where=where)[0] == 502)
    health = until(
        lambda: next(
            (
                one["health"]
                for one in deployed.do("status")["instances"]
                if one["id"] == instance and one["health"] == "unhealthy"
            ),
            None,
        )
    )
    assert health == "unhealthy"
    deployed.do("systemctl", verb="start", **how)
    until(lambda: ask(deployed, "/health.html", where=where)[0] == 200)


def test_VPC_05_06_a_peering_that_nobody_accepts_carries_nothing():
    """The standby's application never reaches the writer, and its Region's target is healthy."""

    def pending(one):
        kind = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
        if one.type != kind:
            return one
        return dataclasses.replace(one, inputs={**one.inputs, "autoAccept": False})

    def reachable(one):
        # Options are of an active peering only, so they go with it.
        kind = "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions"
        return None if one.type == kind else pending(one)

    with stack(transform=reachable) as bare:
        until(lambda: ask(bare, "/writez")[0] == 200, seconds=60)
        elb = bare.aws("elbv2", WEST).describe_load_balancers()["LoadBalancers"][0]["DNSName"]
        where = address(bare, elb)
        until(lambda: ask(bare, "/readyz", where=where)[0] == 200, seconds=60)
        assert ask(bare, "/writez", where=where)[0] in {0, 503}


def test_a_reference_to_another_region_is_refused_by_name():
    """A group of the wrong Region: the resource, its place and the cause, and nothing more."""
    found = {}

    def crossed(one):
        if one.type == "aws:ec2/securityGroup:SecurityGroup":
            found.setdefault(one.region, one.urn)
        if one.type != "aws:lb/loadBalancer:LoadBalancer" or one.region != WEST:
            return one
        return dataclasses.replace(one, inputs={**one.inputs, "securityGroups": ["sg-0123456789"]})

    with Bare(TwinSettings()) as bare, pytest.raises(ProvisionError) as caught:
        bare.provision(read_project(STANDARD), transform=crossed)
    text = str(caught.value)
    assert 'aws:lb/loadBalancer:LoadBalancer "orders-prod-standby" (us-west-2)' in text
    assert "sg-0123456789 does not exist" in text


def test_a_region_that_the_twin_has_not_is_refused():
    """At the first resource, and not with a database that nobody reaches."""
    settings = TwinSettings(regions=("eu-central-1", CONTROL))
    with Bare(settings) as bare, pytest.raises(ProvisionError) as caught:
        bare.provision(read_project(STANDARD))
    assert "the twin has no Region us-" in str(caught.value)
    assert "it has eu-central-1, us-east-1" in str(caught.value)


def test_an_option_that_is_not_honoured_is_an_error_and_not_dropped():
    """A property that no call takes: its name, and the resource's."""

    def typo(one):
        if one.type != "aws:ec2/vpc:Vpc":
            return one
        extra = {"enableNetworkAddressUsageMetrics": True}
        return dataclasses.replace(one, inputs={**one.inputs, **extra})

    with Bare(TwinSettings()) as bare, pytest.raises(ProvisionError) as caught:
        bare.provision(read_project(STANDARD), transform=typo)
    assert "the twin does not honour enableNetworkAddressUsageMetrics" in str(caught.value)
    assert CONTROL
