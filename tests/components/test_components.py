"""Each component by itself: what it declares, and what it refuses, in a program of two lines."""

import pulumi
import pulumi_aws as aws
import pytest

from api_validation.policies import complaints
from api_validation.request import refusals
from otherside.components.alert_topic import AlertTopic, AlertTopicArgs
from otherside.components.app_tier import AppTier, AppTierArgs
from otherside.components.backups import Backups, BackupsArgs, BackupSideArgs
from otherside.components.boot import boot_script
from otherside.components.bucket import PrivateBucket, PrivateBucketArgs
from otherside.components.dead_letters import DeadLetters, DeadLettersArgs
from otherside.components.domain import Domain, DomainArgs
from otherside.components.failover_traffic import FailoverTraffic, FailoverTrafficArgs
from otherside.components.keys import Keys, KeysArgs, Purpose
from otherside.components.network import Vpc
from otherside.components.observability import Observability, ObservabilityArgs
from otherside.components.replicated_database import MemberArgs, ReplicatedDatabaseArgs
from otherside.components.secrets import Secrets, SecretsArgs
from otherside.components.sites import Site, Sites
from otherside.components.tables import SessionTable, TableArgs
from otherside.core.topology import Backup, Capacity, Pair, Protocol, Side
from otherside.program.monitor import declare
from stacks import topology

ACCOUNT = "123456789012"
KEY = "arn:aws:kms:{}:123456789012:key/12345678-1234-1234-1234-123456789012"
TOPIC = "arn:aws:sns:{}:123456789012:alerts"
VPC = Vpc(
    vpc_id="vpc-0a1b2c3d4e5f60001",
    cidr="10.0.0.0/16",
    private_cidrs=["10.0.64.0/20"],
    database_cidrs=["10.0.128.0/20"],
    public_subnet_ids=["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"],
    private_subnet_ids=["subnet-0a1b2c3d4e5f60003"],
    database_subnet_ids=["subnet-0a1b2c3d4e5f60005"],
    route_table_ids=[],
)


def site(region):
    """Return a site with a provider of its own; only inside a program."""
    return Site(region=region, provider=aws.Provider(region, region=region), account=ACCOUNT)


def sites():
    """Return the three sites of a pair."""
    here, there, control = site("us-east-2"), site("us-west-2"), site("us-east-1")
    return Sites(primary=here, standby=there, witness=control, control=control)


def tier(where, name="app", **changes):
    """Return an application tier with every argument given."""
    design = topology("standard").compute
    arguments = {
        "site": where,
        "application": "orders",
        "vpc": VPC,
        "design": design,
        "capacity": Capacity(min=2, max=4),
        "protocol": Protocol.HTTP,
        "settings": {"COLOUR": "blue"},
        "statements": [],
        "volume_key_arn": KEY.format(where.region),
        "bucket_key_arn": KEY.format(where.region),
        "logs_key_arn": KEY.format(where.region),
    }
    return AppTier(name, AppTierArgs(**{**arguments, **changes}))


def keys_of_two_purposes():
    """Two purposes, one key for both."""
    Keys(
        "keys",
        KeysArgs(
            site=site("us-east-2"),
            application="orders",
            purposes=(Purpose.DATA, Purpose.BACKUP),
            per_purpose=False,
        ),
    )


def an_alert_topic():
    """A topic with a listener."""
    AlertTopic(
        "alerts",
        AlertTopicArgs(
            site=site("us-east-2"),
            application="orders",
            key_arn=KEY.format("us-east-2"),
            emails=["oncall@example.com"],
        ),
    )


def a_private_bucket():
    """A bucket under S3's own key, for logs."""
    PrivateBucket(
        "logs", PrivateBucketArgs(site=site("us-east-2"), name="orders-logs", key_arn=None)
    )


def dead_letters():
    """A queue and its alarm."""
    DeadLetters(
        "dead",
        DeadLettersArgs(
            site=site("us-east-2"),
            key_arn=KEY.format("us-east-2"),
            topic_arn=TOPIC.format("us-east-2"),
        ),
    )


def secrets_unpublished():
    """The secret alone, before there is a database."""
    here, there = site("us-east-2"), site("us-west-2")
    Secrets(
        "master",
        SecretsArgs(
            primary=here,
            standby=there,
            application="orders",
            primary_key_arn=KEY.format("us-east-2"),
            standby_key_arn=KEY.format("us-west-2"),
            logs_key_arn=KEY.format("us-east-2"),
        ),
    )


def a_session_table():
    """A table and its replica."""
    here, there = site("us-east-2"), site("us-west-2")
    SessionTable(
        "sessions",
        TableArgs(
            application="orders",
            primary=here,
            standby=there,
            primary_key_arn=KEY.format("us-east-2"),
            standby_key_arn=KEY.format("us-west-2"),
        ),
    )


def a_domain():
    """A zone and two certificates."""
    Domain(
        "domain",
        DomainArgs(
            sites=sites(),
            design=topology("https").traffic,
            topic_arns=Pair(primary=TOPIC.format("us-east-2"), standby=TOPIC.format("us-west-2")),
        ),
    )


def traffic_over_two_tiers():
    """Two tiers and the name that leads to one of them."""
    where = sites()
    FailoverTraffic(
        "traffic",
        FailoverTrafficArgs(
            sites=where,
            application="orders",
            design=topology("standard").traffic,
            compute=topology("standard").compute,
            zone_id="Z0123456789ABCDEFGHIJ",
            primary=tier(where.primary, "east"),
            standby=tier(where.standby, "west"),
        ),
    )


def observability_of_one_side():
    """A stream, alarms and a dashboard for one side, without a latch to wait for."""
    here = site("us-east-2")
    bucket = PrivateBucket(
        "metrics",
        PrivateBucketArgs(site=here, name="orders-metrics", key_arn=KEY.format("us-east-2")),
    )
    Observability(
        "watch",
        ObservabilityArgs(
            site=here,
            side=Side.STANDBY,
            application="orders",
            tier=tier(here),
            cluster_identifier="orders-us-east-2",
            peer_region="us-west-2",
            orchestrator_region="us-east-2",
            bucket=bucket,
            bucket_key_arn=KEY.format("us-east-2"),
            logs_key_arn=KEY.format("us-east-2"),
            topic_arn=TOPIC.format("us-east-2"),
            session_table="sessions",
        ),
    )


def backup_side(region):
    """Return one side of the backups."""
    return BackupSideArgs(
        site=site(region),
        vault_key_arn=KEY.format(region),
        data_key_arn=KEY.format(region),
        topic_arn=TOPIC.format(region),
        resource_arns=[f"arn:aws:rds:{region}:{ACCOUNT}:cluster:orders"],
    )


def backups(**changes):
    """Vaults, plans and the restore test."""
    arguments = {
        "application": "orders",
        "design": Backup(
            schedule="cron(0 5 * * ? *)",
            restore_test_schedule="cron(0 9 ? * SUN *)",
            compliance_lock=False,
            region_settings=True,
        ),
        "retention_days": 35,
        "primary": backup_side("us-east-2"),
        "standby": backup_side("us-west-2"),
        "cluster_arns": [f"arn:aws:rds:us-east-2:{ACCOUNT}:cluster:orders"],
        "restore_subnet_group": "orders",
        "restore_security_group": "sg-0a1b2c3d4e5f60001",
    }
    Backups("backups", BackupsArgs(**{**arguments, **changes}))


PROGRAMS = [
    keys_of_two_purposes,
    an_alert_topic,
    a_private_bucket,
    dead_letters,
    secrets_unpublished,
    a_session_table,
    a_domain,
    lambda: tier(site("us-east-2")),
    traffic_over_two_tiers,
    observability_of_one_side,
    backups,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda item: item.__name__.strip("<>"))
def test_a_component_stands_by_itself(program):
    """It declares what AWS accepts, with no other component around it."""
    made = [resource for resource in declare(program).resources if resource.type.startswith("aws:")]
    assert made
    for resource in made:
        assert refusals(resource) == []
        assert list(complaints(resource)) == []


def test_keys_can_be_shared_by_purposes():
    """The cheaper profile has fewer keys, with all the statements."""
    stack = declare(keys_of_two_purposes)
    assert len(stack.of("kms/key:Key")) == 1
    assert "AutoScalingVolumes" in stack.only("kms/key:Key").inputs["policy"]


def test_a_compliance_lock_is_only_made_when_asked_for():
    """It cannot be undone by anyone."""
    locked = Backup(
        schedule="cron(0 5 * * ? *)",
        restore_test_schedule="cron(0 9 ? * SUN *)",
        compliance_lock=True,
        region_settings=False,
    )
    for design, days in ((None, None), (locked, 3)):
        changes = {"design": design} if design else {}
        stack = declare(lambda changes=changes: backups(**changes))
        locks = stack.of("backup/vaultLockConfiguration:VaultLockConfiguration")
        assert [lock.inputs.get("changeableForDays") for lock in locks] == [days, days]
        settings = stack.of("backup/regionSettings:RegionSettings")
        assert len(settings) == (0 if design else 2), "the account's settings can be left alone"


def test_https_without_a_certificate_is_refused():
    """Before anything is declared."""
    with pytest.raises(ValueError, match="needs a certificate"):
        declare(lambda: tier(site("us-east-2"), protocol=Protocol.HTTPS))


def member(region, instances):
    """Return one side of a database."""
    return MemberArgs(
        site=Site(region=region, provider=None, account=ACCOUNT),
        vpc=VPC,
        instances=instances,
        data_key_arn=KEY,
        logs_key_arn=KEY,
    )


@pytest.mark.parametrize(
    ("primary", "standby", "why"),
    [
        (("us-east-2", 1), ("us-east-2", 1), "primary and standby are both in us-east-2"),
        (("us-east-2", 1), ("us-west-2", 0), "cannot be promoted"),
    ],
)
def test_a_database_that_could_not_be_promoted_is_refused(primary, standby, why):
    """One Region twice, or a standby without an instance."""
    with pytest.raises(ValueError, match=why):
        ReplicatedDatabaseArgs(
            application="orders",
            design=topology("standard").database,
            primary=member(*primary),
            standby=member(*standby),
            master_password="x",
        )


def test_a_misspelt_argument_is_an_error_in_python():
    """Arguments are typed values all the way down, so a plural is not silently dropped."""
    with pytest.raises(TypeError, match="setIdentifiers"):
        aws.route53.Record("r", zone_id="z", name="n", type="A", setIdentifiers="x")
    with pytest.raises(TypeError, match="set_identifiers"):
        TableArgs(set_identifiers="x")


def test_a_boot_script_of_ones_own_is_filled_in():
    """The same terms as the built-in one; an unknown one is an error that names it."""
    terms = {"APPLICATION": "orders", "REGION": "us-east-2"}
    script = boot_script("#!/bin/bash\necho @@REGION@@ @@SETTINGS@@", terms, {"A": "1"})
    assert script.endswith("echo us-east-2 A=1")
    with pytest.raises(ValueError, match="uses unknown @@COLOUR@@"):
        boot_script("@@COLOUR@@", terms, {})
    with pytest.raises(ValueError, match="settings that contain a line break: A"):
        boot_script(None, terms, {"A": "1\n2"})


def test_a_program_that_fails_leaves_the_next_one_alone():
    """Declarations share a process and nothing else."""
    with pytest.raises(ZeroDivisionError):
        declare(lambda: [aws.sns.Topic("t"), 1 / 0])
    stack = declare(lambda: pulumi.export("one", aws.sns.Topic("t").arn))
    assert len(stack.of("sns/topic:Topic")) == 1
    assert list(stack.exports) == ["one"]
