"""The fifteen known failures, each reintroduced into a correct stack, with its expected symptom.

Two-region stacks fail in the same fifteen ways, most of them silently. Each entry has a change to
the stack, a scenario that exposes it, the claim that must fail, and words that the failure reason
must contain: a drill that fails for another reason has not detected it.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otherside.drill.actions import AskProbe, LoseRegion, StartUnit, StopUnit
from otherside.drill.assertions import (
    DEPLOYED,
    FUNCTIONS_RUN,
    NOBODY_REFUSED,
    Assertion,
    alarm_follows,
    probed,
    users_start_at,
    woken_by,
)
from otherside.drill.conditions import Condition, called, every, later, told
from otherside.drill.mutations import Mutations, drop, edit, put, respell
from otherside.drill.probes import SIDES
from otherside.drill.scenario import Scenario, Step
from otherside.drill.target import DrillTarget

LITERAL = "MySecurePassword123!"
ALARM = "no-healthy-host"
APP_DOWN_S = 60.0
"""When the application is stopped; its alarm must report OK before that."""
AT_ONCE = later(5)
FIRED = later(15, told(f"primary-{ALARM} is ALARM"))
FIRED_BY_S = 400.0
"""Two minutes for the alarm, half a minute for its metric to arrive, and a tick for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFailure:
    """One of the fifteen failures, in one of its variants."""

    number: int
    name: str
    symptom: str
    """What operators or users see, in one sentence."""
    broken: Callable[[DrillTarget], Mutations]
    """The transforms that break the correct stack."""
    claim: Assertion
    """The claim that must fail here and pass on the correct stack."""
    words: str
    """Words that the failure reason must contain, specific to this symptom."""
    steps: tuple[Step, ...] = ()
    stop_when: Condition = AT_ONCE
    lasts_s: float = 60.0
    steady: bool = True
    """Whether the broken stack can become steady; if not, the drill waits only briefly."""
    way: str = ""
    """The variant, if there are several."""

    @property
    def key(self) -> str:
        """The number, name and variant (if any), such as `02-aws-managed-keys`."""
        return f"{self.number:02}-{self.name}{f'-{self.way}' if self.way else ''}"

    @property
    def scenario(self) -> Scenario:
        """The scenario that exposes this failure on the broken stack."""
        return Scenario(
            name=self.key,
            title=self.symptom,
            expectation=f"This claim fails: {self.claim.name}.",
            steps=self.steps,
            claims=(self.claim,),
            stop_when=self.stop_when,
            lasts_s=self.lasts_s,
        )


def _ask(probe: str) -> tuple[Step, ...]:
    return (Step(AskProbe(probe)),)


def _without(sid: str) -> Callable[[str], str]:
    """Return a change that removes one statement from a policy."""

    def how(text: str) -> str:
        document = json.loads(text)
        document["Statement"] = [
            statement for statement in document["Statement"] if statement["Sid"] != sid
        ]
        return json.dumps(document)

    return how


def _without_page(path: str) -> Callable[[str], str]:
    """Return a change to the boot script that omits the health check's page."""

    def how(text: str) -> str:
        lines = base64.b64decode(text).decode().splitlines(keepends=True)
        kept = [line for line in lines if path not in line or "=" in line.split(path)[0]]
        return base64.b64encode("".join(kept).encode()).decode()

    return how


def _dimensions(begin: str) -> Callable[[Mapping[str, str]], dict[str, str]]:
    """Return a change that adds a prefix to the suffix that metric dimensions use."""

    def how(dimensions: Mapping[str, str]) -> dict[str, str]:
        kinds = {"LoadBalancer": "loadbalancer/", "TargetGroup": ""}
        return {
            key: f"{begin}{kinds.get(key, '')}{dimension}" for key, dimension in dimensions.items()
        }

    return how


def _silent_alarm(begin: str, side: str) -> Callable[[DrillTarget], Mutations]:
    """Return mutations that make an alarm match no metric, with AWS's default for missing data."""
    kind = "cloudwatch/metricAlarm:MetricAlarm"
    return lambda target: Mutations(
        edit(kind, "dimensions", _dimensions(begin), name=ALARM, region=target.regions[side]),
        put(kind, name=ALARM, region=target.regions[side], treatMissingData="missing"),
    )


def _keyless_replicas(replicas: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in replica.items() if k != "kmsKeyArn"} for replica in replicas]


_APP_DOWN = (Step(StopUnit("primary", "app"), at_s=APP_DOWN_S),)
_STANDBY_DOWN = (Step(StopUnit("standby", "app"), at_s=APP_DOWN_S),)
_ARN = "arn:aws:elasticloadbalancing:us-east-2:123456789012:"
_ROLE_POLICY = "iam/rolePolicy:RolePolicy"

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        number=1,
        name="hardcoded-database-password",
        symptom="The database password is in the code, opens the database and never changes.",
        broken=lambda target: Mutations(
            put(
                "rds/cluster:Cluster",
                region=target.regions["primary"],
                masterPassword=LITERAL,
                masterPasswordWo=None,
                masterPasswordWoVersion=None,
            ),
            drop("secretsmanager/secretRotation:SecretRotation"),
        ),
        claim=probed("password", "the password in the program opens no database"),
        words="in the program and in its state opens the database",
        steps=_ask("password"),
    ),
    KnownFailure(
        number=2,
        name="aws-managed-keys",
        symptom="AWS's own key encrypts the data: you control neither its policy nor its rotation.",
        broken=lambda _: Mutations(put("sns/topic:Topic", kmsMasterKeyId="alias/aws/sns")),
        claim=probed("keys", "every data store uses a customer managed key"),
        words="AWS's own key",
        steps=_ask("keys"),
    ),
    KnownFailure(
        number=3,
        name="incomplete-function-permissions",
        symptom="The failover function first runs in the disaster, and its call is refused.",
        broken=lambda _: Mutations(
            edit(_ROLE_POLICY, "policy", _without("MoveTheWriter"), name="actuator")
        ),
        claim=NOBODY_REFUSED,
        words="refused rds:FailoverGlobalCluster",
        steps=(Step(LoseRegion("primary")),),
        stop_when=later(5, called("FailoverGlobalCluster")),
        lasts_s=420,
    ),
    KnownFailure(
        number=4,
        name="missing-peering-accepter",
        symptom="The peering stays pending, so the standby's application cannot reach the writer.",
        broken=lambda _: Mutations(
            drop("ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"),
            # Only an active peering accepts options; the deployment would be refused.
            drop("ec2/peeringConnectionOptions:PeeringConnectionOptions"),
        ),
        claim=probed("standby-writes", "the standby's application reaches the writer"),
        words="pending-acceptance",
        steps=_ask("standby-writes"),
        steady=False,  # the standby never reaches the writer, so it never becomes steady
        lasts_s=120,
    ),
    KnownFailure(
        number=5,
        name="misspelt-set-identifier",
        symptom="The deployment is refused, so DNS cannot fail over.",
        broken=lambda _: Mutations(
            respell(
                "route53/record:Record", "setIdentifier", "setIdentifiers", name="traffic-primary"
            )
        ),
        claim=DEPLOYED,
        words="setIdentifiers",
        steady=False,
    ),
    KnownFailure(
        number=6,
        name="health-check-protocol-mismatch",
        symptom="The primary is unhealthy from the start, so DNS sends users to the standby.",
        broken=lambda _: Mutations(
            put("route53/healthCheck:HealthCheck", name="primary-endpoint", type="HTTPS", port=80)
        ),
        claim=users_start_at("primary"),
        words="sent users to the standby",
        steady=False,
    ),
    KnownFailure(
        number=7,
        name="missing-health-endpoint",
        symptom="The health check requests a page that does not exist: no target is ever healthy.",
        broken=lambda target: Mutations(
            edit(
                "ec2/launchTemplate:LaunchTemplate",
                "userData",
                _without_page(target.topology.compute.health_path),
            )
        ),
        claim=probed("targets", "every target group has a healthy target"),
        words="no healthy target",
        steps=_ask("targets"),
        steady=False,
        lasts_s=120,
    ),
    KnownFailure(
        number=8,
        name="missing-metric-streams",
        symptom="After the disaster, the lost Region's metrics exist only in the lost Region.",
        broken=lambda target: Mutations(
            drop("cloudwatch/metricStream:MetricStream", region=target.regions["primary"])
        ),
        claim=probed("metrics", "each side's metrics are on the other side"),
        words="no metrics from",
        steps=_ask("metrics"),
        lasts_s=400,
    ),
    KnownFailure(
        number=9,
        name="alarm-dimension-is-an-arn",
        way="whole",
        symptom="The alarm never fires and shows no error.",
        broken=_silent_alarm(_ARN, "standby"),
        claim=alarm_follows(f"standby-{ALARM}"),
        words="INSUFFICIENT_DATA",
        steps=_STANDBY_DOWN,
        stop_when=later(15, told(f"standby-{ALARM} is ALARM")),
        lasts_s=FIRED_BY_S,
    ),
    KnownFailure(
        number=9,
        name="alarm-dimension-is-an-arn",
        way="after-its-last-colon",
        symptom="The usual fix leaves the `loadbalancer/` prefix: the alarm still never fires.",
        broken=_silent_alarm("", "primary"),
        claim=alarm_follows(f"primary-{ALARM}"),
        words="INSUFFICIENT_DATA",
        steps=_APP_DOWN,
        stop_when=FIRED,
        lasts_s=FIRED_BY_S,
    ),
    KnownFailure(
        number=10,
        name="missing-event-target",
        symptom="The alarm fires and its rule matches, but no function is invoked.",
        broken=lambda _: Mutations(drop("cloudwatch/eventTarget:EventTarget", name="-alarms")),
        claim=woken_by("alarms"),
        words="never invoked the decider",
        steps=_APP_DOWN,
        stop_when=FIRED,
        lasts_s=FIRED_BY_S,
    ),
    KnownFailure(
        number=11,
        name="missing-standby-vault",
        symptom="Every copy job fails, because the standby has no vault to copy to.",
        broken=lambda target: Mutations(
            *(
                drop(f"backup/{kind}", region=target.regions["standby"])
                for kind in (
                    "vault:Vault",
                    "vaultLockConfiguration:VaultLockConfiguration",
                    "vaultNotifications:VaultNotifications",
                )
            )
        ),
        claim=probed("copy", "a backup can be copied to the other side"),
        words="does not exist",
        steps=_ask("copy"),
        lasts_s=200,
    ),
    KnownFailure(
        number=12,
        name="function-that-cannot-load",
        symptom="The runtime cannot load the handler, so every invocation fails.",
        broken=lambda _: Mutations(
            put("lambda/function:Function", name="decider", handler="index.handler")
        ),
        claim=FUNCTIONS_RUN,
        words="ImportModuleError",
        stop_when=later(65),
        lasts_s=65,
        steady=False,
    ),
    KnownFailure(
        number=13,
        name="duplicated-providers",
        symptom="Both providers use one Region, so the standby's resources land in the primary.",
        broken=lambda target: Mutations(
            edit(
                "pulumi:providers:aws",
                "region",
                lambda _: target.regions["primary"],
                name="standby",
            )
        ),
        claim=DEPLOYED,
        words="refused",
        steady=False,
    ),
    KnownFailure(
        number=14,
        name="table-without-own-key",
        symptom="AWS's own key encrypts the table and its replica.",
        broken=lambda _: Mutations(
            put("dynamodb/table:Table", name="sessions", serverSideEncryption=None),
            edit("dynamodb/table:Table", "replicas", _keyless_replicas, name="sessions"),
        ),
        claim=probed("tables", "every table uses a customer managed key"),
        words="AWS's own key",
        steps=_ask("tables"),
    ),
    KnownFailure(
        number=15,
        name="database-logs-not-exported",
        symptom="After the disaster, no database log lines are available.",
        broken=lambda target: Mutations(
            put(
                "rds/cluster:Cluster",
                region=target.regions["primary"],
                enabledCloudwatchLogsExports=None,
            )
        ),
        claim=probed("logs", "the databases' logs are in CloudWatch"),
        words="no log line from",
        steps=_ask("logs"),
        lasts_s=120,
    ),
)


def inspection(failures: Sequence[KnownFailure] = FAILURES) -> Scenario:
    """Return the scenario for the correct stack: every probe and claim of the given failures.

    It runs on one twin; the steps that need the loss of a Region come last.
    """
    asked = [
        item for failure in failures for item in failure.steps if isinstance(item.action, AskProbe)
    ]
    kinds = {type(item.action) for failure in failures for item in failure.steps}
    steps, end = list(asked), later(65)
    if StopUnit in kinds:
        fired = every(FIRED, told(f"standby-{ALARM} is ALARM"))
        steps += [*_APP_DOWN, *_STANDBY_DOWN]
        steps += [Step(StartUnit(side, "app"), when=fired) for side in SIDES]
        end = fired
    if LoseRegion in kinds:
        struck = later(60, end) if StopUnit in kinds else later(65)
        steps.append(Step(LoseRegion("primary"), when=struck))
        end = later(5, called("FailoverGlobalCluster"))
    return Scenario(
        name="inspection",
        title="Check the correct stack for every symptom of these failures.",
        expectation="Every claim passes.",
        may_exceed="It ends once everything was looked at, before users have recovered.",
        steps=tuple(steps),
        claims=tuple({failure.claim.name: failure.claim for failure in failures}.values()),
        stop_when=end,
        lasts_s=1500,
    )
