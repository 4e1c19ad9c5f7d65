"""Actions of a scenario on a twin: inject faults, repair them, and give operator orders.

`actions.py` has a class for each. Faults of the network, the API, units and databases register
their repair, for a scenario that ends early or shares its twin with the next one. What changes the
stack for good (rules, clusters, the table, orders) does not: such a scenario is not `reusable`.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.credentials import ReadOnlyCredentials

from otherside.core.wire_contract import (
    FAILOVER_ACTIVE,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
    STATE_PARTITION,
    STATE_SORT,
    ItemType,
)
from otherside.drill.entries import Entry, ProbeEntry
from otherside.drill.probes import PROBES
from otherside.drill.target import DrillTarget
from otherside.failover.decision.observation import BY_TWO, Order
from otherside.failover.decision.state import State
from otherside.failover.operator import CallerProof, Operator, grant_by_hand, signature
from otherside.twin.partitions import OUTSIDE, WAN
from otherside.twin.twin import Twin, TwinError

SKEW_S = 300.0
ONCALL = "arn:aws:iam::123456789012:user/oncall"
"""The principal that gives orders in a drill."""
UNITS = {"app": "otherside-app.service", "agent": "otherside-lease-agent.service"}


class FaultInjector:
    """Fault injection and operator actions for one stack on one twin."""

    def __init__(self, twin: Twin, target: DrillTarget) -> None:
        self._twin, self._target = twin, target
        self._undo: dict[str, Callable[[], object]] = {}
        self._stopped: set[tuple[str, str]] = set()
        self._oncall: dict[int, ReadOnlyCredentials] = {}

    def rollback(self) -> None:
        """Repair every remaining fault, newest first."""
        while self._undo:
            _, undo = self._undo.popitem()
            undo()

    # --- Regions and network paths --------------------------------------------------------------

    def lose_region(self, side: str) -> None:
        """Take down a Region and everything in it."""
        self._twin.do("lose", region=self._region(side))
        self._undo[f"lose {side}"] = lambda: self._twin.do("restore", region=self._region(side))

    def restore_region(self, side: str) -> None:
        """Bring a lost Region back."""
        self._undo.pop(f"lose {side}")()

    def cut_path(self, source: str, target: str) -> None:
        """Cut the network path from one side to the other."""
        ends = {"source": self._region(source), "target": self._region(target)}
        self._twin.do("cut", **ends)
        self._undo[f"cut {source} {target}"] = lambda: self._twin.do("mend", **ends)

    def isolate_region(self, side: str) -> None:
        """Cut all network paths to and from a Region."""
        others = [region for region in (*self._target.regions, OUTSIDE) if region != side]
        for other in others:
            self.cut_path(side, other)
            self.cut_path(other, side)

    def reconnect_region(self, side: str) -> None:
        """Reconnect an isolated Region."""
        for name in [
            text for text in self._undo if text.startswith("cut ") and side in text.split()
        ]:
            self._undo.pop(name)()

    def add_latency(self, source: str, target: str, delay_s: float) -> None:
        """Delay one direction of the link between two sides; replication lags by as much."""
        ends = {"source": self._region(source), "target": self._region(target)}
        self._twin.do("lengthen", **ends, delay_s=delay_s)
        usual = {"delay_s": WAN.delay_s, "jitter_s": WAN.jitter_s}
        self._undo[f"slow {source} {target}"] = lambda: self._twin.do("lengthen", **ends, **usual)

    # --- AWS's own API --------------------------------------------------------------------------

    def inject_api_fault(self, name: str, side: str = "", **fault: Any) -> None:  # noqa: ANN401 - JSON
        """Inject a named fault into the AWS API; `heal` removes it by that name."""
        if side:
            fault["region"] = self._region(side)
        if "source" in fault:
            fault["source"] = self._region(fault["source"])
        self._twin.do("fault", name=name, **fault)
        self._undo[f"fault {name}"] = lambda: self._twin.do("heal", name=name)

    def break_health_check_path(self, path: str) -> None:
        """Point the primary's Route 53 health check at another path, as a mistaken change would."""
        route53 = self._client("route53", "primary")
        for check in route53.list_health_checks()["HealthChecks"]:
            config = check["HealthCheckConfig"]
            if self._region("primary") in config.get("FullyQualifiedDomainName", ""):
                asked = {"HealthCheckId": check["Id"]}
                was = config["ResourcePath"]
                route53.update_health_check(**asked, ResourcePath=path)
                self._undo["misdirect"] = partial(
                    route53.update_health_check, **asked, ResourcePath=was
                )

    def clear_api_fault(self, name: str) -> None:
        """Remove a fault from the AWS API."""
        self._undo.pop(f"fault {name}")()

    # --- the application ------------------------------------------------------------------------

    def stop_unit(self, side: str, unit: str) -> None:
        """Stop `app` or `agent` on every instance of a side."""
        self._stopped.add((side, unit))
        self.uphold()

        def start() -> None:
            self._stopped.discard((side, unit))
            self._systemctl(side, "start", unit)

        self._undo[f"stop {side} {unit}"] = start

    def start_unit(self, side: str, unit: str) -> None:
        """Start a stopped unit again."""
        self._undo.pop(f"stop {side} {unit}")()

    def uphold(self) -> None:
        """Stop the units on replacement instances, too: a bad release outlives its instances."""
        for side, unit in self._stopped:
            self._systemctl(side, "stop", unit)

    def _systemctl(self, side: str, verb: str, unit: str) -> None:
        for instance in self._twin.do("status")["instances"]:
            here = instance["region"] == self._region(side)
            if here and instance["units"].get(UNITS[unit], False) is (verb == "stop"):
                try:
                    self._twin.do("systemctl", instance=instance["id"], verb=verb, unit=UNITS[unit])
                except TwinError:
                    now = self._twin.do("status")["instances"]
                    if any(other["id"] == instance["id"] for other in now):
                        raise  # an instance that has since been replaced needs no stop

    def refresh_instances(self, side: str) -> None:
        """Replace every instance of a side at once, as for a new image or after a lost zone."""
        groups = self._client("autoscaling", side)
        for group in groups.describe_auto_scaling_groups()["AutoScalingGroups"]:
            for instance in group["Instances"]:
                groups.terminate_instance_in_auto_scaling_group(
                    InstanceId=instance["InstanceId"], ShouldDecrementDesiredCapacity=False
                )

    # --- the orchestrator -----------------------------------------------------------------------

    def kill_function(self, role: str) -> None:
        """Kill a running function: `decider`, `actuator` or `witness`."""
        self._twin.do("kill", function=f"{self._target.prefix}-{role}")

    def invoke_function(self, role: str, times: int) -> None:
        """Invoke a function with one alarm event several times: duplicates and late events."""
        client = self._client("lambda", "standby")
        event = {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change"}
        for _ in range(times):
            client.invoke(
                FunctionName=f"{self._target.prefix}-{role}",
                InvocationType="Event",
                Payload=json.dumps(event),
            )

    def disable_event_rules(self) -> None:
        """Disable every event rule that invokes the decider, except its scheduled tick."""
        for side in self._target.regions:
            events = self._client("events", side)
            for bus in events.list_event_buses()["EventBuses"]:
                for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]:
                    if rule.get("EventPattern") and rule["Name"].startswith(self._target.prefix):
                        events.disable_rule(Name=rule["Name"], EventBusName=bus["Name"])

    def give_order(self, what: str, until_s: float | None = None) -> None:
        """Give the orchestrator an order, as `otherside order` does."""
        operator, order = self._operator(), Order(what)
        last, state = operator.last(order), operator.store.newest()
        end_s = None if until_s is None else operator.clock.now_s() + until_s
        proofs = [self._signature(order, state, number) for number in range(self._people(order))]
        operator.give(order, state, author=ONCALL, over=last, until_s=end_s, proofs=proofs)

    def _people(self, order: Order) -> int:
        """Return how many people have to sign an order."""
        approvers = self._target.topology.failover.approvers
        return approvers if approvers > 1 and order in BY_TWO else 0

    def _signature(self, order: Order, state: State, number: int) -> CallerProof:
        """Sign an order as one of the people on call, who are users of the twin's account."""
        if number not in self._oncall:
            iam, name = self._client("iam", "standby"), f"oncall-{number}"
            iam.create_user(UserName=name)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            self._oncall[number] = ReadOnlyCredentials(
                key["AccessKeyId"], key["SecretAccessKey"], None
            )
        return signature(
            self._oncall[number],
            self._client("sts", "standby").meta.endpoint_url,
            self._region("standby"),
            self._target.prefix,
            order,
            state,
        )

    def lose_state_table(self) -> None:
        """Empty the state table, as if it had been lost and recreated."""
        client, table = self._client("dynamodb", "standby"), f"{self._target.prefix}-state"
        for item in client.scan(TableName=table, ConsistentRead=True)["Items"]:
            if not item[STATE_PARTITION]["S"].endswith(f"/{ItemType.PULSE}"):
                key = {name: item[name] for name in (STATE_PARTITION, STATE_SORT)}
                client.delete_item(TableName=table, Key=key)

    def break_glass(self, for_s: float) -> None:
        """Allow the standby to serve without the state table, as `otherside breakglass` does."""
        s3, clock = self._client("s3", "standby"), self._twin.clock
        names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        name = next(item for item in names if item.startswith(f"{self._target.prefix}-pledge-"))
        grant_by_hand(s3, name, clock, for_s=for_s, author=ONCALL)

    def hold_latch(self) -> None:
        """Hold users on the standby through the latch's metric, as an operator would manually."""
        self._client("cloudwatch", "standby").put_metric_data(
            Namespace=METRIC_NAMESPACE,
            MetricData=[
                {
                    "MetricName": FAILOVER_ACTIVE,
                    "Dimensions": [{"Name": METRIC_DIMENSION, "Value": self._target.prefix}],
                    "Value": 1.0,
                }
            ],
        )

    def _operator(self) -> Operator:
        return Operator.connect(
            self._client("dynamodb", "standby"),
            self._target.prefix,
            clock=self._twin.clock,
            code="drill",
            skew_s=SKEW_S,
        )

    # --- the database ---------------------------------------------------------------------------

    def stop_database(self, side: str) -> None:
        """Stop only a side's database; it is not replaced."""
        name = f"{self._target.prefix}-{self._region(side)}"
        self._twin.do("database", cluster=name, verb="stop")
        again = {"cluster": name, "verb": "start"}
        self._undo[f"stop database {side}"] = lambda: self._twin.do("database", **again)

    def move_by_hand(self, target: str, *, lossy: bool) -> None:
        """Move the writer as an operator would from the console, bypassing the orchestrator."""
        rds = self._client("rds", target)
        whole = rds.describe_global_clusters()["GlobalClusters"][0]
        members = [member["DBClusterArn"] for member in whole["GlobalClusterMembers"]]
        arn = next(member for member in members if f":{self._region(target)}:" in member)
        side = target if lossy else "primary" if target == "standby" else "standby"
        self._client("rds", side).failover_global_cluster(
            GlobalClusterIdentifier=whole["GlobalClusterIdentifier"],
            TargetDbClusterIdentifier=arn,
            **({"AllowDataLoss": True} if lossy else {"Switchover": True}),
        )

    def delete_instance(self, side: str) -> None:
        """Delete every instance of a side's cluster, leaving only its storage."""
        rds = self._client("rds", side)
        for cluster in rds.describe_db_clusters()["DBClusters"]:
            for member in cluster["DBClusterMembers"]:
                name = member["DBInstanceIdentifier"]
                rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False)
                rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)

    def detach_cluster(self, side: str) -> None:
        """Remove a side's cluster from the global database, as an operator at the console would."""
        rds = self._client("rds", side)
        whole = rds.describe_global_clusters()["GlobalClusters"][0]
        members = [member["DBClusterArn"] for member in whole["GlobalClusterMembers"]]
        rds.remove_from_global_cluster(
            GlobalClusterIdentifier=whole["GlobalClusterIdentifier"],
            DbClusterIdentifier=next(
                member for member in members if f":{self._region(side)}:" in member
            ),
        )

    def occupy_cluster(self, side: str, status: str, for_s: float) -> None:
        """Put a side's cluster into an Aurora maintenance status, such as its nightly backup."""
        region = self._region(side)
        self._twin.do(
            "occupy",
            cluster=f"{self._target.prefix}-{region}",
            region=region,
            status=status,
            seconds=for_s,
        )

    def set_engine_version(self, side: str) -> None:
        """Upgrade the engine of one side only by a minor version."""
        rds = self._client("rds", side)
        (cluster,) = rds.describe_db_clusters()["DBClusters"]
        major, _, minor = cluster["EngineVersion"].partition(".")
        rds.modify_db_cluster(
            DBClusterIdentifier=cluster["DBClusterIdentifier"],
            EngineVersion=f"{major}.{int(minor) + 1}",
            ApplyImmediately=True,
        )

    def rotate_secret(self) -> None:
        """Rotate the master secret."""
        secrets = self._client("secretsmanager", "primary")
        for item in secrets.list_secrets()["SecretList"]:
            if item.get("RotationEnabled"):
                secrets.rotate_secret(SecretId=item["ARN"])

    def reduce_capacity(self, side: str) -> None:
        """Reduce a side's Auto Scaling groups to one instance each."""
        groups = self._client("autoscaling", side)
        for group in groups.describe_auto_scaling_groups()["AutoScalingGroups"]:
            groups.update_auto_scaling_group(
                AutoScalingGroupName=group["AutoScalingGroupName"], MinSize=1, DesiredCapacity=1
            )

    # --- probes ---------------------------------------------------------------------------------

    def ask(self, probe: str) -> Iterator[Entry]:
        """Run a named probe against the live stack."""
        verdict, text = PROBES[probe](self._twin, self._target)
        at_s = self._twin.clock.now_s()
        yield ProbeEntry(at_s=at_s, name=probe, verdict=verdict, text=text)

    # --- helpers --------------------------------------------------------------------------------

    def _region(self, side: str) -> str:
        return self._target.regions.get(side, side)

    def _client(self, service: str, side: str) -> Any:  # noqa: ANN401 - botocore makes the class
        return self._twin.clients.get(service, self._region(side))
