"""Readiness of the orchestrator's rights and paths: roles, routes, names and subscriptions."""

from collections.abc import Iterator, Mapping, Sequence

from otherside.core.topology import Side
from otherside.core.wire_contract import PLEDGE_KEY, ItemType, actuator_name
from otherside.operate.readiness.model import Judged, ReadinessCheck, StackTarget, judged, not_ready


def _role_of(target: StackTarget, function: str) -> str:
    client = target.deployment.client("lambda", target.deployment.standby)
    return str(client.get_function_configuration(FunctionName=function)["Role"])


def _denied(
    target: StackTarget,
    role: str,
    wanted: Sequence[tuple[str, str]],
    keys: Mapping[str, str] | None = None,
) -> list[str]:
    """Return which actions a role's own policies do not allow, as `action on resource`."""
    iam = target.deployment.client("iam", target.deployment.standby)
    context = [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "stringList"}
        for name, value in (keys or {}).items()
    ]
    denied: list[str] = []
    for action, resource in wanted:
        found = iam.simulate_principal_policy(
            PolicySourceArn=role,
            ActionNames=[action],
            ResourceArns=[resource],
            **({"ContextEntries": context} if context else {}),
        )["EvaluationResults"][0]
        if found["EvalDecision"] != "allowed":
            denied.append(f"{action} on {resource}: {found['EvalDecision']}")
    return denied


def _table(target: StackTarget) -> str:
    account = target.settings.standby_cluster_arn.split(":")[4]
    region, name = target.deployment.standby, target.settings.state_table
    return f"arn:aws:dynamodb:{region}:{account}:table/{name}"


def _fence(target: StackTarget) -> Judged:
    role = _role_of(target, target.deployment.decider())
    lease = {"dynamodb:LeadingKeys": ItemType.LEASE.of(target.deployment.application)}
    denied = _denied(target, role, [("dynamodb:UpdateItem", _table(target))], lease)
    pledge = f"arn:aws:s3:::{target.settings.pledge_bucket}/{PLEDGE_KEY}"
    denied += _denied(target, role, [("s3:GetObject", pledge), ("s3:PutObject", pledge)])
    return judged(not denied, "; ".join(denied) or "the decider may close the lease and the pledge")


def _move(target: StackTarget) -> Judged:
    settings = target.settings
    role = _role_of(target, actuator_name(target.deployment.application))
    account = settings.standby_cluster_arn.split(":")[4]
    whole = f"arn:aws:rds::{account}:global-cluster:{settings.global_cluster}"
    wanted = [
        (f"rds:{verb}GlobalCluster", resource)
        for verb in ("Failover", "Switchover")
        for resource in (whole, settings.primary_cluster_arn, settings.standby_cluster_arn)
    ]
    denied = _denied(target, role, wanted)
    return judged(not denied, "; ".join(denied) or "the actuator may fail over and switch over")


def _peering(target: StackTarget) -> Judged:
    """Judge that every private route table leads to the other side through an active peering."""
    bad = [text for side in Side for text in _unrouted(target, side)]
    return judged(not bad, "; ".join(bad) or "each side reaches the other's network")


def _unrouted(target: StackTarget, side: Side) -> Iterator[str]:
    """Yield what is wrong with the ways from one side to the other."""
    region, cidr = target.deployment.region(side), target.deployment.topology.network.cidrs
    far = cidr.on(side.other)
    ec2 = target.deployment.client("ec2", region)
    active = {
        item["VpcPeeringConnectionId"]
        for item in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
        if item["Status"]["Code"] == "active"
    }
    network = f"{target.deployment.application}-{side}"
    names = [f"{network}-private-*", f"{network}-database"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": names}])
    if not tables["RouteTables"]:
        yield f"{region} has no route table named {' or '.join(names)}"
    for table in tables["RouteTables"]:
        led = any(
            route.get("DestinationCidrBlock") == far
            and route.get("VpcPeeringConnectionId") in active
            and route.get("State", "active") == "active"
            for route in table["Routes"]
        )
        if not led:
            yield f"{region}: {table['RouteTableId']} has no active route to {far}"


def _delegation(target: StackTarget) -> Judged:
    domain = target.deployment.topology.traffic.domain
    try:
        found = target.deployment.resolve(domain)
    except OSError as error:
        return not_ready(f"{domain} does not resolve from here: {error}")
    return judged(bool(found), f"{domain} resolves to {', '.join(found)}")


def _subscriptions(target: StackTarget) -> Judged:
    topic = target.settings.topic_arn
    sns = target.deployment.client("sns", topic.split(":")[3])
    found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    pending = [item["Endpoint"] for item in found if not item["SubscriptionArn"].startswith("arn:")]
    if pending:
        return not_ready(f"not confirmed: {', '.join(pending)}")
    return judged(bool(found), f"{len(found)} confirmed subscriptions")


CHECKS: tuple[ReadinessCheck[StackTarget], ...] = (
    ReadinessCheck(
        code="fencing-rights",
        title="The decider may close the old writer's lease",
        why="Without that right, no failover ever gets past fencing.",
        remedy="Restore the decider's role as the program declares it. Boundaries, SCPs, table, "
        "bucket and key policies are not part of this simulation; a drill covers them.",
        ask=_fence,
    ),
    ReadinessCheck(
        code="actuator-rights",
        title="The actuator may move the writer",
        why="The call is made for the first time in the disaster, and AWS refuses it.",
        remedy="Restore the actuator's role as the program declares it.",
        ask=_move,
    ),
    ReadinessCheck(
        code="routes",
        title="Each side has an active route to the other",
        why="The standby's application cannot reach the writer, so a failback never works.",
        remedy="Accept the peering, and add the routes in both Regions.",
        ask=_peering,
    ),
    ReadinessCheck(
        code="delegation",
        title="The public name resolves",
        why="A zone that nobody delegated to answers no user, whatever it says.",
        remedy="Enter the zone's name servers at the parent domain.",
        ask=_delegation,
    ),
    ReadinessCheck(
        code="subscriptions",
        title="Somebody is notified, and has confirmed it",
        why="SNS sends nothing to an address that did not confirm.",
        remedy="Confirm the subscription from the message that SNS sent, or subscribe anew.",
        ask=_subscriptions,
    ),
)
