"""Aurora Global Database on a twin: real servers, real replication, and AWS's moves."""

import contextlib
import json
import threading
import time

import psycopg
import pytest
from botocore.exceptions import ClientError

from otherside.twin.net.certificates import CertificateAuthority
from otherside.twin.twin import TwinError
from twin.conftest import ACCOUNT, EAST, WEST, Bare, TwinSettings, until

pytestmark = pytest.mark.slow
PASSWORD = "correct-horse-battery"
VERSION = "17.4"


def arn(side):
    """Return a cluster's ARN."""
    return f"arn:aws:rds:{side}:{ACCOUNT}:cluster:shop-{side}"


def network(bare, region, cidr):
    """Make the least that a database needs to live in."""
    ec2 = bare.aws("ec2", region)
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=cidr.replace("0.0/16", f"{n}.0/24"),
            AvailabilityZone=f"{region}{letter}",
        )["Subnet"]["SubnetId"]
        for n, letter in enumerate("ab")
    ]
    bare.aws("rds", region).create_db_subnet_group(
        DBSubnetGroupName="shop", DBSubnetGroupDescription="shop", SubnetIds=subnets
    )


def cluster(bare, region, *, instance=True, version=VERSION, **more):
    """Make one member, with an instance or without."""
    rds = bare.aws("rds", region)
    rds.create_db_cluster(
        DBClusterIdentifier=f"shop-{region}",
        GlobalClusterIdentifier="shop",
        Engine="aurora-postgresql",
        EngineVersion=version,
        DBSubnetGroupName="shop",
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["postgresql"],
        **more,
    )
    if instance:
        rds.create_db_instance(
            DBInstanceIdentifier=f"shop-{region}-1",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
            DBClusterIdentifier=f"shop-{region}",
        )


@contextlib.contextmanager
def shop(*, standby_instance=True, standby_version=VERSION, **settings):
    """Have a twin with a global database of two members."""
    with Bare(TwinSettings(**{"speed": 10, "latency": False, **settings})) as bare:
        network(bare, EAST, "10.0.0.0/16")
        network(bare, WEST, "10.1.0.0/16")
        bare.aws("rds").create_global_cluster(
            GlobalClusterIdentifier="shop", Engine="aurora-postgresql", EngineVersion=VERSION
        )
        first = {"MasterUsername": "dba", "MasterUserPassword": PASSWORD, "DatabaseName": "shop"}
        cluster(bare, EAST, **first)
        cluster(bare, WEST, instance=standby_instance, version=standby_version)
        bare.do("settle")
        yield bare


@pytest.fixture(scope="module")
def db():
    """Return a twin with a global database, without modelled times."""
    with shop() as bare:
        yield bare


def whole(bare, region=WEST):
    """Return the global database as a Region describes it."""
    return bare.aws("rds", region).describe_global_clusters(GlobalClusterIdentifier="shop")[
        "GlobalClusters"
    ][0]


def writer(bare, region=WEST):
    """Return the writer's Region."""
    members = whole(bare, region)["GlobalClusterMembers"]
    return next(member["DBClusterArn"].split(":")[3] for member in members if member["IsWriter"])


def address(bare, region, *, reader=False):
    """Return where a cluster's endpoint leads from outside, by the twin's DNS."""
    import dns.message
    import dns.query

    found = bare.aws("rds", region).describe_db_clusters()["DBClusters"][0]
    name = found["ReaderEndpoint" if reader else "Endpoint"]
    host, _, port = bare.known["dns"].rpartition(":")
    answer = dns.query.udp(dns.message.make_query(name, "A"), host, port=int(port), timeout=5)
    return next((str(item) for rrset in answer.answer for item in rrset), None)


def connect(bare, region, *, reader=True, user="dba", password=PASSWORD, **more):
    """Connect to a cluster, as a client of its endpoint would."""
    return psycopg.connect(
        host=address(bare, region, reader=reader),
        port=bare.known["database_port"],
        user=user,
        password=password,
        dbname="shop",
        sslmode=more.pop("sslmode", "require"),
        connect_timeout=5,
        autocommit=True,
        **more,
    )


def rows(bare, region):
    """Return what a cluster's table holds, asked beside the endpoint; `None` where it is gone."""
    try:
        found = bare.do("query", cluster=f"shop-{region}", statement="select 1")
        assert found
        with connect(bare, region) as connection:
            return [n for (n,) in connection.execute("select n from entries order by n")]
    except (psycopg.Error, TwinError):
        return None


def test_AUR_14_19_what_each_member_answers(db):
    """Writes at the primary; a secondary reads, refuses to write, and its own name is inactive."""
    with connect(db, EAST, reader=False) as connection:
        connection.execute("create table if not exists entries (n int primary key)")
        connection.execute("insert into entries values (1)")
    until(lambda: rows(db, WEST) == [1])
    with connect(db, WEST) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as e:
        connection.execute("insert into entries values (2)")
    assert e.value.sqlstate == "25006"
    assert address(db, WEST) is None


def test_a_password_must_be_right_and_a_token_may_be_used(db):
    """IAM decides for whoever is in `rds_iam`; nobody else logs in by a token."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(db, EAST, password="wrong-password")
    with connect(db, EAST) as connection:
        connection.execute("create role app login")
        connection.execute("grant rds_iam to app")
    found = db.aws("rds").describe_db_clusters()["DBClusters"][0]
    user = f"arn:aws:rds-db:{EAST}:{ACCOUNT}:dbuser:{found['DbClusterResourceId']}/app"
    allowed = db.role("app", {"Effect": "Allow", "Action": "rds-db:connect", "Resource": user})
    other = db.role(
        "other", {"Effect": "Allow", "Action": "rds-db:connect", "Resource": user + "x"}
    )

    def token(role, region=EAST):
        client = db.as_role(role, "rds", region)
        return client.generate_db_auth_token(found["ReaderEndpoint"], 5432, "app", Region=region)

    with connect(db, EAST, user="app", password=token(allowed)) as connection:
        assert connection.execute("select current_user").fetchone() == ("app",)
    for wrong in (token(other), token(allowed, WEST), "no token at all", token(allowed) + "x"):
        with pytest.raises(psycopg.OperationalError, match="PAM authentication failed"):
            connect(db, EAST, user="app", password=wrong)
    with pytest.raises(psycopg.OperationalError):
        connect(db, EAST, user="app", password=token(allowed), sslmode="disable")


def test_a_client_can_verify_whom_it_speaks_to(db):
    """The certificate has the endpoint's names, and the twin's authority signed it."""
    name = db.aws("rds").describe_db_clusters()["DBClusters"][0]["ReaderEndpoint"]

    def verified(host):
        return psycopg.connect(
            host=host,
            hostaddr=address(db, EAST, reader=True),
            port=db.known["database_port"],
            user="dba",
            password=PASSWORD,
            dbname="shop",
            sslmode="verify-full",
            sslrootcert=db.known["authority"],
            connect_timeout=5,
        )

    with verified(name) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        verified("other.example.com")


def test_a_name_may_be_longer_than_a_common_name(tmp_path):
    """Real endpoints are: 64 characters are a certificate's limit for its common name alone."""
    name = f"orders-prod-standby.cluster-{'x' * 20}.us-west-2.rds.amazonaws.com"
    assert len(name) > 64
    assert CertificateAuthority(tmp_path).context([name]) is not None


def test_a_connection_without_tls_is_refused_unless_the_parameter_allows_it(db):
    """By default from version 17 on; the refusal is worded as `pg_hba` words it."""
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba.conf entry.*no encryption"):
        connect(db, EAST, sslmode="disable")
    rds = db.aws("rds")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="plain",
        DBParameterGroupFamily="aurora-postgresql17",
        Description="takes connections without TLS",
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="plain",
        Parameters=[
            {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}
        ],
    )
    rds.modify_db_cluster(DBClusterIdentifier=f"shop-{EAST}", DBClusterParameterGroupName="plain")
    with connect(db, EAST, sslmode="disable") as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_global_database_of_a_cluster_that_is_there_is_refused_by_name(db):
    """The twin would have to move a running server into it; it does not ignore what it was told."""
    made = db.aws("rds").describe_db_clusters()["DBClusters"][0]["DBClusterArn"]
    with pytest.raises(ClientError, match="the twin does not make a global database"):
        db.aws("rds").create_global_cluster(
            GlobalClusterIdentifier="other", SourceDBClusterIdentifier=made
        )


def test_logs_are_exported(db):
    """Of the cluster that asked for it, in the group that RDS names."""
    with connect(db, EAST) as connection, contextlib.suppress(psycopg.Error):
        connection.execute("select no_such_column_anywhere")
    group = f"/aws/rds/cluster/shop-{EAST}/postgresql"
    logs = db.aws("logs")

    def found():
        try:
            events = logs.filter_log_events(logGroupName=group)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return False
        return any("no_such_column_anywhere" in event["message"] for event in events)

    until(found)


def test_AUR_01_02_05_what_a_move_refuses(db):
    """The wrong Region, the writer itself, what nobody knows, and both ways at once."""
    rds = {region: db.aws("rds", region) for region in (EAST, WEST)}
    common = {"GlobalClusterIdentifier": "shop"}
    for region, more, code in (
        (EAST, {"TargetDbClusterIdentifier": arn(WEST), "AllowDataLoss": True}, "InvalidGlobal"),
        (WEST, {"TargetDbClusterIdentifier": arn(WEST), "Switchover": True}, "InvalidGlobal"),
        (EAST, {"TargetDbClusterIdentifier": arn(EAST)}, "InvalidDBClusterState"),
        (WEST, {"TargetDbClusterIdentifier": arn("nowhere")}, "DBClusterNotFound"),
        (
            WEST,
            {
                "TargetDbClusterIdentifier": arn(WEST),
                "AllowDataLoss": True,
                "Switchover": True,
            },
            "InvalidParameterCombination",
        ),
    ):
        with pytest.raises(ClientError) as caught:
            rds[region].failover_global_cluster(**common, **more)
        assert caught.value.response["Error"]["Code"].startswith(code), more
    assert writer(db) == EAST


def test_AUR_03_04_15_a_switchover_loses_nothing(db):
    """The reply is of before, the state goes its way, and the topology is kept."""
    with connect(db, EAST, reader=False) as connection:
        connection.execute("create table if not exists entries (n int primary key)")
        connection.execute("insert into entries select generate_series(100, 600)")
    answer = db.aws("rds", EAST).switchover_global_cluster(
        GlobalClusterIdentifier="shop", TargetDbClusterIdentifier=arn(WEST)
    )["GlobalCluster"]
    assert answer["Status"] == "switching-over"
    assert answer["FailoverState"]["Status"] == "pending"
    assert answer["FailoverState"]["ToDbClusterArn"] == arn(WEST)
    assert not answer["FailoverState"]["IsDataLossAllowed"]
    assert next(m for m in answer["GlobalClusterMembers"] if m["IsWriter"])["DBClusterArn"] == arn(
        EAST
    )
    until(lambda: writer(db) == WEST and whole(db)["Status"] == "available")
    assert "FailoverState" not in whole(db, EAST)
    until(lambda: {*range(100, 601)} <= set(rows(db, WEST) or ()))
    until(lambda: rows(db, EAST) == rows(db, WEST))
    assert address(db, EAST) is None
    assert address(db, WEST) is not None
    events = db.aws("rds", WEST).describe_events(Duration=60)["Events"]
    assert any("finished" in event["Message"] for event in events)
    db.aws("rds", WEST).switchover_global_cluster(
        GlobalClusterIdentifier="shop", TargetDbClusterIdentifier=arn(EAST)
    )
    until(lambda: writer(db) == EAST and whole(db)["Status"] == "available")


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"standby_instance": False}, "no instances"), ({"standby_version": "16.6"}, "versions")],
)
def test_AUR_05_06_a_standby_that_cannot_take_over_is_refused(settings, words):
    """Headless, or of another version: said at once, and nothing moves."""
    with shop(**settings) as bare:
        with pytest.raises(ClientError, match=words) as caught:
            bare.aws("rds", WEST).failover_global_cluster(
                GlobalClusterIdentifier="shop",
                TargetDbClusterIdentifier=arn(WEST),
                AllowDataLoss=True,
            )
        assert caught.value.response["Error"]["Code"] == "InvalidDBClusterStateFault"
        assert writer(bare) == EAST


def write_until_lost(bare, region):
    """Write numbered rows until the Region is lost; return those that were acknowledged."""
    backup_settings = []
    connection = connect(bare, region, reader=False)
    connection.execute("create table entries (n int primary key)")
    until(lambda: rows(bare, WEST) == [])
    with contextlib.suppress(psycopg.Error), contextlib.closing(connection):
        for n in range(100_000):
            connection.execute("insert into entries values (%s)", (n,))
            backup_settings.append(n)
            if n == 1500:
                bare.do("lose", region=region)
    return backup_settings


def test_AUR_07_09_11_12_16_17_18_a_region_is_lost_and_comes_back():
    """What had not arrived is lost, the rest is whole; the old primary rejoins on a new volume."""
    with shop(speed=10, latency=True) as bare:
        bare.do("lengthen", source=EAST, target=WEST, delay_s=0.5)
        bare.do("lengthen", source=WEST, target=EAST, delay_s=0.5)
        url, queue = bare.queue("aurora", region=WEST, principal="events.amazonaws.com")
        events = bare.aws("events", WEST)
        events.put_rule(Name="aurora", EventPattern=json.dumps({"source": ["aws.rds"]}))
        events.put_targets(Rule="aurora", Targets=[{"Id": "q", "Arn": queue}])
        backup_settings = write_until_lost(bare, EAST)
        bare.aws("rds", WEST).failover_global_cluster(
            GlobalClusterIdentifier="shop",
            TargetDbClusterIdentifier=arn(WEST),
            AllowDataLoss=True,
        )
        assert whole(bare)["FailoverState"]["IsDataLossAllowed"]
        assert writer(bare) == EAST
        until(lambda: whole(bare).get("FailoverState", {}).get("Status") == "failing-over")
        until(lambda: writer(bare) == WEST)
        survived = rows(bare, WEST)
        assert survived == backup_settings[: len(survived)], "what survives is whole"
        assert 0 < len(survived) < len(backup_settings), "over a slow way something is lost"
        with connect(bare, WEST, reader=False) as connection:
            connection.execute("insert into entries values (1000000)")
        told = []
        until(lambda: told.extend(bare.received(url, WEST)) or len(told) >= 3)
        found = {item["detail"]["EventID"]: item for item, _ in told}
        assert {"RDS-EVENT-0238", "RDS-EVENT-0397", "RDS-EVENT-0391"} <= set(found)
        fence = found["RDS-EVENT-0391"]
        assert fence["detail-type"] == "RDS DB Instance Event"
        assert fence["detail"]["SourceType"] == "DB_INSTANCE"
        done = found["RDS-EVENT-0238"]
        assert done["detail-type"] == "RDS DB Cluster Event"
        assert done["resources"] == [arn(WEST)]
        members = {m["DBClusterArn"]: m for m in whole(bare)["GlobalClusterMembers"]}
        assert members[arn(EAST)]["SynchronizationStatus"] == "pending-resync"
        bare.do("restore", region=EAST)
        until(lambda: rows(bare, EAST) == rows(bare, WEST), seconds=60)
        members = {m["DBClusterArn"]: m for m in whole(bare)["GlobalClusterMembers"]}
        assert members[arn(EAST)]["SynchronizationStatus"] == "connected"
        assert writer(bare, EAST) == WEST


def test_without_a_way_between_the_regions_nothing_is_ever_lost():
    """The negative control: over a bare loopback the same loss proves nothing."""
    with shop(speed=1) as bare:
        for item, other in ((EAST, WEST), (WEST, EAST)):
            bare.do("lengthen", source=item, target=other, delay_s=0.0)
        with connect(bare, EAST, reader=False) as connection:
            connection.execute("create table entries (n int primary key)")
            for n in range(300):
                connection.execute("insert into entries values (%s)", (n,))
        time.sleep(0.3)
        bare.do("lose", region=EAST)
        assert rows(bare, WEST) == list(range(300))


def test_AUR_21_commits_wait_while_every_secondary_is_too_far_behind(db):
    """The other negative control: nothing is acknowledged beyond what may be lost."""
    rds = db.aws("rds")
    group = {"DBClusterParameterGroupName": "waits"}
    rds.create_db_cluster_parameter_group(
        **group, DBParameterGroupFamily="aurora-postgresql17", Description="waits"
    )

    def put(text):
        given = {"ParameterName": "rds.global_db_rpo", "ParameterValue": text}
        rds.modify_db_cluster_parameter_group(
            **group, Parameters=[{**given, "ApplyMethod": "immediate"}]
        )

    with pytest.raises(ClientError, match="allowed values are: -1,20-2147483647"):
        put("5")
    put("20")
    rds.modify_db_cluster(DBClusterIdentifier=f"shop-{EAST}", **group)
    with connect(db, EAST, reader=False) as connection:
        connection.execute("create table if not exists waits (n int primary key)")
        connection.execute("insert into waits values (1)")
        db.do("cut", source=EAST, target=WEST)
        connection.execute("insert into waits values (2)")
        until(lambda: any("commits wait: every secondary" in item for item in told_of(db)))
        third = threading.Thread(
            target=connection.execute, args=("insert into waits values (3)",), daemon=True
        )
        third.start()
        third.join(timeout=1)
        assert third.is_alive()
        db.do("mend", source=EAST, target=WEST)
        third.join(timeout=20)
        assert not third.is_alive()
    put("-1")
    assert any("commits go on: one caught up" in item for item in told_of(db))
    asked = {"cluster": f"shop-{WEST}", "statement": "select n from waits order by n"}

    def seen():
        try:
            return db.do("query", **asked) == [[1], [2], [3]]
        except TwinError as error:  # a standby that has received all may have replayed nothing yet
            if "does not exist" not in str(error):
                raise
            return False

    until(seen)


def told_of(bare):
    """Return everything that a twin has told."""
    return [event["text"] for event in bare.do("events")["events"]]


def test_a_standby_that_is_busy_with_aurora_s_own_work_is_moved_to(db):
    """AWS documents no refusal for it; one that is stopped is refused."""
    answer = {"GlobalClusterIdentifier": "shop", "TargetDbClusterIdentifier": arn(WEST)}
    rds = db.aws("rds", EAST)
    db.do("occupy", cluster=f"shop-{WEST}", region=WEST, status="stopped", seconds=600)
    until(lambda: status(db, WEST) == "stopped")
    with pytest.raises(ClientError, match="stopped") as caught:
        rds.switchover_global_cluster(**answer)
    assert caught.value.response["Error"]["Code"] == "InvalidDBClusterStateFault"
    db.do("occupy", cluster=f"shop-{WEST}", region=WEST, status="available", seconds=0)
    until(lambda: status(db, WEST) == "available")
    db.do("occupy", cluster=f"shop-{WEST}", region=WEST, status="backing-up", seconds=600)
    until(lambda: status(db, WEST) == "backing-up")
    rds.switchover_global_cluster(**answer)
    until(lambda: writer(db) == WEST and whole(db)["Status"] == "available")
    db.aws("rds", WEST).switchover_global_cluster(
        GlobalClusterIdentifier="shop", TargetDbClusterIdentifier=arn(EAST)
    )
    until(lambda: writer(db) == EAST and whole(db)["Status"] == "available")


def status(bare, region):
    """Return what a cluster's own Region says of it."""
    return bare.aws("rds", region).describe_db_clusters()["DBClusters"][0]["Status"]


def test_a_member_that_is_taken_out_stands_alone_and_takes_writes():
    """The primary goes last; and whoever was taken out is no member any more."""
    with shop() as bare:
        with pytest.raises(ClientError, match="has other members"):
            bare.aws("rds", EAST).remove_from_global_cluster(
                GlobalClusterIdentifier="shop", DbClusterIdentifier=arn(EAST)
            )
        bare.aws("rds", WEST).remove_from_global_cluster(
            GlobalClusterIdentifier="shop", DbClusterIdentifier=arn(WEST)
        )
        members = whole(bare)["GlobalClusterMembers"]
        assert [member["DBClusterArn"] for member in members] == [arn(EAST)]

        def writes():
            with contextlib.suppress(psycopg.Error, OSError), connect(bare, WEST) as connection:
                connection.execute("create table if not exists alone (n int)")
                return True

        until(writes)
