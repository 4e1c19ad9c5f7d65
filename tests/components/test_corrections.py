"""Where the usual fix of a failure is wrong or stops half-way, our stack goes the whole way.

The numbers are those of the fifteen failures. Each correction is a claim; those that one edit can
take back are shown to notice it.
"""

import json

import pytest

from components.stack_assertions import (
    CONTROL,
    PRIMARY,
    SIDES,
    STANDBY,
    by_urn,
    kms_keys,
    policy,
    region_of,
    role_policy,
    routes,
    script,
    tables,
)
from stacks import declared, fast

BROKEN = []
"""What a test is tried on instead, while `test_corrections_taken_back` tries it."""


def stack(variant="standard"):
    """Return a variant of the stack, or the broken one that a test is being tried on."""
    return BROKEN[-1] if BROKEN else declared(variant)


def key_statements(purpose, region):
    """Return the statements of one key's policy."""
    return policy(stack().only("kms/key:Key", f"{region}-{purpose}"))


def test_01_the_secret_is_replicated_under_the_standbys_key_and_rotated_at_once():
    """One secret, a copy on the other side, and a first password that is soon worthless."""
    secret = stack().only("secretsmanager/secret:Secret")
    (replica,) = secret.inputs["replicas"]
    assert replica["region"] == STANDBY
    assert kms_keys(stack())[replica["kmsKeyId"]] == STANDBY
    rotation = stack().only("secretsmanager/secretRotation:SecretRotation")
    assert rotation.inputs["rotateImmediately"] is True
    version = stack().only("secretsmanager/secretVersion:SecretVersion")
    assert {"secretStringWo"} == version.secrets
    assert "secretStringWo" in version.ignore_changes


def test_01_rds_does_not_manage_the_password():
    """Aurora refuses a managed master password in a global database."""
    for cluster in stack().of("rds/cluster:Cluster"):
        assert "manageMasterUserPassword" not in cluster.inputs


def test_01_the_application_logs_in_by_token_to_both_clusters():
    """No password is needed by what runs all the time, whichever side holds the writer."""
    clusters = stack().of("rds/cluster:Cluster")
    assert all(cluster.inputs["iamDatabaseAuthenticationEnabled"] for cluster in clusters)
    wanted = {
        f"arn:aws:rds-db:{cluster.region}:123456789012:dbuser:{cluster.outputs['clusterResourceId']}/app"
        for cluster in clusters
    }
    for side in ("primary", "standby"):
        statements = policy(
            next(
                o
                for o in stack().of("iam/rolePolicy:RolePolicy")
                if o.name == f"orders-prod-{side}"
            )
        )
        (connect,) = [
            statement for statement in statements if statement["Action"] == ["rds-db:connect"]
        ]
        assert wanted == set(connect["Resource"])


@pytest.mark.parametrize("region", SIDES)
def test_02_keys_on_both_sides_let_their_services_in(region):
    """A key without the right policy is a topic, a log group or a queue that stays empty."""
    (logs,) = [
        key_statement
        for key_statement in key_statements("logs", region)
        if key_statement["Sid"] == "Logs"
    ]
    assert logs["Principal"] == {"Service": f"logs.{region}.amazonaws.com"}
    messaging = {
        key_statement["Sid"]: key_statement for key_statement in key_statements("messaging", region)
    }
    assert messaging["Alarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert messaging["EventQueues"]["Principal"] == {"Service": "events.amazonaws.com"}
    volumes = {key_statement["Sid"] for key_statement in key_statements("data", region)}
    assert {"AutoScalingVolumes", "AutoScalingGrants"} <= volumes


def test_02_keys_are_slow_to_delete_and_protected():
    """An Aurora cluster whose key is gone is lost for good."""
    for key in stack().of("kms/key:Key"):
        assert key.inputs["deletionWindowInDays"] == 30
        assert key.protect
        assert key.retain
        assert any(item["Sid"] == "Administration" for item in policy(key))


def test_03_the_actuator_moves_one_database_and_no_records():
    """Exactly the calls of a failover, on exactly three resources; DNS needs no permission."""
    statements = role_policy(stack(), "actuator")
    actions = {action for statement in statements for action in statement["Action"]}
    assert not {action for action in actions if action.startswith("route53:Change")}
    (move,) = [statement for statement in statements if statement["Sid"] == "MoveTheWriter"]
    assert {"global-cluster", "cluster"} == {arn.split(":")[5] for arn in move["Resource"]}
    assert len(move["Resource"]) == 3
    (never,) = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert "rds:RemoveFromGlobalCluster" in never["Action"]


def test_03_only_the_actuator_may_move_the_writer():
    """One principal in the whole stack can call a failover."""
    movers = [
        role_policy.name
        for role_policy in stack().of("iam/rolePolicy:RolePolicy")
        if any(
            "rds:FailoverGlobalCluster" in s["Action"]
            for s in policy(role_policy)
            if s["Effect"] == "Allow"
        )
    ]
    assert movers == ["orders-prod-actuator"]


def test_04_both_sides_route_from_private_and_database_tables_through_the_accepter():
    """Half a route is no route, and a route made before the acceptance is a black hole."""
    accepter = stack().only("ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter")
    for region in SIDES:
        names = {table.name.rsplit("-", 1)[-1] for table in tables(stack(), region)}
        assert {"database"} < names
        assert all(routes(stack(), region).values())
    for route in stack().of("ec2/route:Route"):
        if "vpcPeeringConnectionId" in route.inputs:
            assert accepter.urn in route.dependencies


def test_04_each_side_sets_its_own_dns_option_once_the_connection_is_active():
    """Options are set in each side's own Region, after the acceptance."""
    accepter = stack().only("ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter")
    options = {
        o.region: o for o in stack().of("ec2/peeringConnectionOptions:PeeringConnectionOptions")
    }
    assert options[PRIMARY].inputs["requester"] == {"allowRemoteVpcDnsResolution": True}
    assert options[STANDBY].inputs["accepter"] == {"allowRemoteVpcDnsResolution": True}
    assert all(accepter.urn in option.dependencies for option in options.values())


def test_04_the_database_lets_the_other_side_in_by_its_subnets():
    """A security group of another Region cannot be named in a rule."""
    groups = {
        security_group.id: security_group.region
        for security_group in stack().of("ec2/securityGroup:SecurityGroup")
    }
    for region, there in SIDES.items():
        rules = [
            ingress
            for ingress in stack().of("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
            if "database" in ingress.name and ingress.region == region
        ]
        named = {
            groups[o.inputs["referencedSecurityGroupId"]]
            for o in rules
            if "referencedSecurityGroupId" in o.inputs
        }
        assert named == {region}
        private = {
            subnet.inputs["cidrBlock"]
            for subnet in stack().of("ec2/subnet:Subnet")
            if subnet.region == there and subnet.inputs["tags"]["Tier"] == "private"
        }
        assert private == {rule.inputs["cidrIpv4"] for rule in rules if "cidrIpv4" in rule.inputs}


def test_04_database_tables_have_no_way_out():
    """Database subnets reach this network and the other side, and nothing else."""
    isolated = {
        o.id for o in stack().of("ec2/routeTable:RouteTable") if o.name.endswith("database")
    }
    for route in stack().of("ec2/route:Route"):
        if route.inputs["routeTableId"] in isolated:
            assert "vpcPeeringConnectionId" in route.inputs


def test_05_a_failover_pair_is_latched():
    """Which side a record stands for is not enough: the pair needs routing, health and a latch."""
    declaration = stack()
    records = {
        (
            declared_record.inputs["type"],
            declared_record.inputs["failoverRoutingPolicies"][0]["type"],
        ): declared_record
        for declared_record in declaration.of("route53/record:Record")
        if "failoverRoutingPolicies" in declared_record.inputs
    }
    checks = {
        health_check.id: health_check
        for health_check in declaration.of("route53/healthCheck:HealthCheck")
    }
    gate = checks[records["A", "PRIMARY"].inputs["healthCheckId"]]
    children = [
        checks[child_healthcheck] for child_healthcheck in gate.inputs.get("childHealthchecks", [])
    ]
    latch = next((o for o in children if o.inputs["type"] == "CLOUDWATCH_METRIC"), None)
    alarm = declaration.only("cloudwatch/metricAlarm:MetricAlarm", "latch")
    assert gate.inputs["type"] == "CALCULATED"
    assert gate.inputs["childHealthThreshold"] == len(children) == 2
    assert latch is not None
    assert latch.inputs["cloudwatchAlarmRegion"] == STANDBY == alarm.region
    assert latch.inputs["insufficientDataHealthStatus"] == "LastKnownStatus"
    assert alarm.inputs["treatMissingData"] == "missing"
    assert alarm.inputs["period"] >= 60
    assert "datapointsToAlarm" not in alarm.inputs
    assert "healthCheckId" not in records["A", "SECONDARY"].inputs
    for (kind, _), record in records.items():
        if kind == "A":
            # The latch alone says where users are: ill targets of either side must not move them.
            assert record.inputs["aliases"][0]["evaluateTargetHealth"] is False


def test_06_checks_are_fast_and_ask_whether_the_application_can_serve():
    """Ten seconds, three failures, the readiness path, several continents."""
    for health_check in stack().of("route53/healthCheck:HealthCheck"):
        if "fqdn" in health_check.inputs:
            assert health_check.inputs["requestInterval"] == 10
            assert health_check.inputs["failureThreshold"] == 3
            assert health_check.inputs["resourcePath"] == "/readyz"
            assert len(health_check.inputs["regions"]) >= 3


@pytest.mark.parametrize("variant", fast(["https", "owned"], "https"))
def test_06_with_https_the_check_follows_the_listener_that_forwards(variant):
    """Port 80 redirects then, and a redirect always looks healthy."""
    declaration = stack(variant)
    actions = {
        (listener.region, listener.inputs["port"]): listener.inputs["defaultActions"][0]["type"]
        for listener in declaration.of("lb/listener:Listener")
    }
    for region in SIDES:
        assert (actions[region, 443], actions[region, 80]) == ("forward", "redirect")
    for health_check in declaration.of("route53/healthCheck:HealthCheck"):
        if "fqdn" in health_check.inputs:
            assert (
                health_check.inputs["type"],
                health_check.inputs["port"],
            ) == ("HTTPS", 443)
            assert health_check.inputs["enableSni"] is True
    certificates = [
        o.inputs["certificateArn"]
        for o in declaration.of("lb/listener:Listener")
        if "certificateArn" in o.inputs
    ]
    assert sorted(map(region_of, certificates)) == sorted(SIDES)


def test_07_three_questions_have_three_answers():
    """The load balancer asks for life, Route 53 for readiness, the orchestrator for writes."""
    groups = stack().of("lb/targetGroup:TargetGroup")
    assert {"/health.html"} == {group.inputs["healthCheck"]["path"] for group in groups}
    settings = (
        stack().only("lambda/function:Function", "decider").inputs["environment"]["variables"]
    )
    assert settings["OTHERSIDE_WRITE_PATH"] == "/writez"
    assert settings["OTHERSIDE_READINESS_PATH"] == "/readyz"


def test_07_an_instance_boots_from_its_own_region_alone():
    """What an instance fetches at boot, it fetches from the Region that it boots in."""
    for region, there in SIDES.items():
        boot = script(stack().only("ec2/launchTemplate:LaunchTemplate", region=region))
        fetched = [line for line in boot.splitlines() if line.startswith(("aws ", "dnf ", "curl "))]
        assert any(region in line for line in fetched)
        assert not any(there in line for line in fetched)


def test_08_the_buckets_replicate_encrypted_objects_and_deletions_both_ways():
    """S3 leaves out what is encrypted, deleted or itself a replica, unless told otherwise."""
    keys = kms_keys(stack())
    configs = stack().of("s3/bucketReplicationConfig:BucketReplicationConfig")
    assert {config.region for config in configs} == set(SIDES)
    for config in configs:
        (rule,) = config.inputs["rules"]
        selection = rule["sourceSelectionCriteria"]
        assert selection["sseKmsEncryptedObjects"]["status"] == "Enabled"
        assert selection["replicaModifications"]["status"] == "Enabled"
        assert rule["deleteMarkerReplication"]["status"] == "Enabled"
        replica_key = rule["destination"]["encryptionConfiguration"]["replicaKmsKeyId"]
        assert keys[replica_key] == SIDES[config.region]
        waits = [by_urn(stack())[urn].type for urn in config.dependencies if urn in by_urn(stack())]
        assert waits.count("aws:s3/bucketVersioning:BucketVersioning") == 2


def test_09_dimensions_are_what_the_load_balancer_says_of_itself():
    """Taken from the resource, not cut out of its ARN; and silence counts as failure."""
    suffixes = {
        load_balancer.region: load_balancer.outputs["arnSuffix"]
        for load_balancer in stack().of("lb/loadBalancer:LoadBalancer")
    }
    for region in SIDES:
        alarm = stack().only("cloudwatch/metricAlarm:MetricAlarm", "no-healthy-host", region=region)
        assert alarm.inputs["dimensions"]["LoadBalancer"] == suffixes[region]
        assert alarm.inputs["treatMissingData"] == "breaching"


def test_09_lag_is_watched_where_it_is_published_on_both_sides():
    """The reading side publishes lag, under its own name and with the writer's Region."""
    for region, there in SIDES.items():
        cluster = stack().only("rds/cluster:Cluster", region=region)
        alarm = stack().only("cloudwatch/metricAlarm:MetricAlarm", "rpo-lag", region=region)
        assert alarm.inputs["dimensions"] == {
            "DBClusterIdentifier": cluster.id,
            "SourceRegion": there,
        }
        missing = "breaching" if region == STANDBY else "notBreaching"
        assert alarm.inputs["treatMissingData"] == missing


def test_09_route_53_is_watched_where_its_metrics_are():
    """Health check metrics exist in one Region only."""
    alarms = [
        o
        for o in stack().of("cloudwatch/metricAlarm:MetricAlarm")
        if o.inputs["namespace"] == "AWS/Route53"
    ]
    assert [alarm.region for alarm in alarms] == [CONTROL]


def test_10_each_hop_has_a_queue_for_what_fails_in_its_own_region():
    """A standard queue, under our key, in the rule's Region; old wake-ups are dropped."""
    queues = {
        declared_queue.outputs["arn"]: declared_queue
        for declared_queue in stack().of("sqs/queue:Queue")
    }
    for target in stack().of("cloudwatch/eventTarget:EventTarget"):
        queue = queues[target.inputs["deadLetterConfig"]["arn"]]
        assert queue.region == target.region
        assert "fifoQueue" not in queue.inputs
        if target.inputs["targetId"] != "alerts":  # people may hear late; the decider may not
            assert target.inputs["retryPolicy"]["maximumEventAgeInSeconds"] <= 300


def test_10_alarms_are_matched_by_name_and_reach_the_standby_in_one_hop():
    """No other alarm wakes the orchestrator, and no event is forwarded twice."""
    alarms = {o.outputs["name"] for o in stack().of("cloudwatch/metricAlarm:MetricAlarm")}
    bus = stack().only("cloudwatch/eventBus:EventBus")
    assert bus.region == STANDBY
    for rule in stack().of("cloudwatch/eventRule:EventRule"):
        pattern = json.loads(rule.inputs.get("eventPattern", "{}"))
        for name in pattern.get("detail", {}).get("alarmName", []):
            assert name in alarms
    for target in stack().of("cloudwatch/eventTarget:EventTarget"):
        if target.inputs["eventBusName"] == bus.id:
            assert ":function:" in target.inputs["arn"]


def test_10_the_orchestrator_lives_on_the_standby_side_and_ticks_by_itself():
    """A Region that is gone sends no events."""
    for role in ("decider", "actuator"):
        assert stack().only("lambda/function:Function", role).region == STANDBY
    tick = stack().only("cloudwatch/eventRule:EventRule", "tick")
    assert (tick.region, tick.inputs["scheduleExpression"]) == (STANDBY, "rate(1 minute)")


def test_10_the_orchestrator_depends_on_nothing_of_the_primarys():
    """Among its settings, only the database that it moves."""
    settings = (
        stack().only("lambda/function:Function", "decider").inputs["environment"]["variables"]
    )
    there = {key for key, value in settings.items() if PRIMARY in value}
    assert there == {
        "OTHERSIDE_PRIMARY_REGION",
        "OTHERSIDE_PRIMARY_CLUSTER_ARN",
    }


def test_11_backups_go_both_ways_under_lock_and_are_restored():
    """Vaults with keys and locks, a plan on each side, opted in, and a weekly restore."""
    for region in SIDES:
        vault = stack().only("backup/vault:Vault", region=region)
        lock = stack().only("backup/vaultLockConfiguration:VaultLockConfiguration", region=region)
        plan = stack().only("backup/plan:Plan", region=region)
        rule = plan.inputs["rules"][0]
        assert lock.inputs["backupVaultName"] == vault.id
        assert "changeableForDays" not in lock.inputs
        assert lock.inputs["minRetentionDays"] <= rule["lifecycle"]["deleteAfter"]
        selection = stack().only("backup/selection:Selection", region=region)
        assert {region_of(arn) for arn in selection.inputs["resources"]} == {region}
    test = stack().only("backup/restoreTestingPlan:RestoreTestingPlan")
    vault = stack().only("backup/vault:Vault", region=STANDBY)
    assert (test.region, test.inputs["recoveryPointSelection"]["includeVaults"]) == (
        STANDBY,
        [vault.outputs["arn"]],
    )


def test_12_functions_are_packaged_python_on_a_runtime_that_lasts():
    """Tested files in an archive, not code in a string."""
    for function in stack().of("lambda/function:Function"):
        assert function.inputs["architectures"] == ["arm64"]
        assert function.inputs["runtime"] == "python3.13"
        assert "otherside/core/wire_contract.py" in function.inputs["code"].assets


def test_13_every_resource_is_where_its_provider_is():
    """One source of truth about where things are: no resource names its own Region."""
    for resource in stack().resources:
        if resource.type.startswith("aws:"):
            assert resource.provider
            assert "region" not in resource.inputs


def test_14_replicas_have_what_does_not_carry_over():
    """Key, recovery, deletion protection and tags are set on each replica by itself."""
    for table in stack().of("dynamodb/table:Table"):
        for replica in table.inputs["replicas"]:
            assert replica["pointInTimeRecovery"] is True
            assert replica["deletionProtectionEnabled"] is True
            assert replica["propagateTags"] is True
        assert table.inputs["billingMode"] == "PAY_PER_REQUEST"


def test_14_the_state_table_is_a_majority_where_regions_can_vote():
    """Two replicas and a witness; and neither a time to live nor a stream, which it cannot have."""
    state = stack().only("dynamodb/table:Table", "state")
    assert state.region == STANDBY
    assert [replica["consistencyMode"] for replica in state.inputs["replicas"]] == ["STRONG"]
    assert state.inputs["globalTableWitness"] == {"regionName": CONTROL}
    assert not {"ttl", "streamEnabled"} & set(state.inputs)


@pytest.mark.slow
def test_14_without_a_quorum_the_standby_alone_holds_the_state():
    """An eventually consistent copy would look like a lock and be none."""
    state = stack("no-quorum").only("dynamodb/table:Table", "state")
    assert state.region == "us-west-2"
    assert not {"replicas", "globalTableWitness"} & set(state.inputs)


def test_14_a_lease_is_kept_only_where_three_regions_vote():
    """In one Region's table it would stop the primary whenever that Region is away."""
    for made, file in ((stack(), "/run/otherside/lease"), (declared("no-quorum"), "none")):
        for template in made.of("ec2/launchTemplate:LaunchTemplate"):
            assert f"\nAPP_LEASE_FILE={file}\n" in script(template)


def test_14_both_sides_read_the_pledge_where_the_orchestrator_writes_it():
    """In the standby's Region, beside the state table and apart from it."""
    bucket = stack().only("s3/bucket:Bucket", "pledge", region=STANDBY).outputs["bucket"]
    for template in stack().of("ec2/launchTemplate:LaunchTemplate"):
        assert f"PLEDGE_BUCKET={bucket}" in script(template)
        assert f"PLEDGE_REGION={STANDBY}" in script(template)
    decider = stack().only("lambda/function:Function", "decider")
    assert decider.inputs["environment"]["variables"]["OTHERSIDE_PLEDGE_BUCKET"] == bucket


def test_15_log_groups_are_encrypted_and_expire_on_both_sides():
    """Made before the cluster, or Aurora makes them: in clear and for ever."""
    keys = kms_keys(stack())
    for group in stack().of("cloudwatch/logGroup:LogGroup"):
        assert group.inputs["retentionInDays"] == 90
        assert keys[group.inputs["kmsKeyId"]] == group.region


def test_the_standby_can_be_promoted_and_carries_the_load():
    """As many instances, of the same class and version, with credentials from the primary."""
    primary = stack().only("rds/cluster:Cluster", region=PRIMARY)
    standby = stack().only("rds/cluster:Cluster", region=STANDBY)
    assert standby.inputs["sourceRegion"] == PRIMARY
    assert not {"masterUsername", "masterPasswordWo", "databaseName"} & set(standby.inputs)
    assert primary.inputs["clusterIdentifier"] != standby.inputs["clusterIdentifier"]
    classes = {}
    for cluster_instance in stack().of("rds/clusterInstance:ClusterInstance"):
        classes.setdefault(cluster_instance.region, []).append(
            (
                cluster_instance.inputs["instanceClass"],
                cluster_instance.inputs["engineVersion"],
            )
        )
    assert classes[PRIMARY] == classes[STANDBY]
    first = stack().only("rds/clusterInstance:ClusterInstance", "primary-0")
    assert first.urn in standby.dependencies


def test_a_later_deployment_does_not_fight_a_failover():
    """After one the primary side is a reader, and the standby is larger than it was."""
    changed = {"globalClusterIdentifier", "replicationSourceIdentifier", "engineVersion"}
    for cluster in stack().of("rds/cluster:Cluster"):
        assert changed <= set(cluster.ignore_changes)
        assert cluster.protect
    for group in stack().of("autoscaling/group:Group"):
        assert list(group.ignore_changes) == ["desiredCapacity"]


@pytest.mark.slow
def test_the_lag_is_enforced_on_the_primary_alone():
    """Promoted with the bound set, the new primary would block every commit."""
    for variant, expected in (("standard", None), ("enforced", "20")):
        values = {
            clusterparametergroup.region: {
                p["name"]: p["value"] for p in clusterparametergroup.inputs["parameters"]
            }
            for clusterparametergroup in stack(variant).of(
                "rds/clusterParameterGroup:ClusterParameterGroup"
            )
        }
        assert values[PRIMARY].pop("rds.global_db_rpo", None) == expected
        assert values[PRIMARY] == values[STANDBY]


def test_the_lag_alarm_is_silent_while_the_latch_holds():
    """After a failover the standby publishes no lag, by design."""
    composite = stack().only("cloudwatch/compositeAlarm:CompositeAlarm")
    latch = stack().only("cloudwatch/metricAlarm:MetricAlarm", "latch")
    assert composite.inputs["actionsSuppressor"]["alarm"] == latch.outputs["arn"]


def test_both_regions_have_the_same():
    """Type by type the sides hold the same, but for what has one home."""
    one_home = {
        *("aws:rds/globalCluster:GlobalCluster", "aws:dynamodb/table:Table"),
        *("aws:ec2/vpcPeeringConnection:VpcPeeringConnection",),
        *("aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",),
    }
    counted = {region: {} for region in SIDES}
    single = (
        "Orchestrator",
        "Secrets",
        "orders-prod-backups-restore-test",
        "latch",
        "-lag",
        "pledge",
    )
    for resource in stack().resources:
        apart = any(word in f"{resource.component} {resource.name}" for word in single)
        if resource.region in SIDES and resource.type not in one_home and not apart:
            counted[resource.region][resource.type] = (
                counted[resource.region].get(resource.type, 0) + 1
            )
    assert counted[PRIMARY] == counted[STANDBY]
