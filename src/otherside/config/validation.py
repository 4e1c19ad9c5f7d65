"""Rules across keys: each is a small function from a document to its problems."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Network

from otherside.config.defaults import capacity_of, instances_of, loss_max_of
from otherside.config.document import NEVER, ConfigDocument, duration_s, window_s
from otherside.config.problem import Problem, shown
from otherside.core.wire_contract import HEARTBEAT_S
from otherside.regions import (
    CONTROL_REGION,
    FAMILIES_MISSING,
    NO_RESTORE_TESTS,
    REGIONS,
    lacks,
    zones_of,
)

Constraint = Callable[[ConfigDocument], Iterable[Problem]]

GLOBAL_DB_RPO_S_MIN, GLOBAL_DB_RPO_S_MAX = 20.0, 2_147_483_647.0
"""Aurora accepts 20 s to 2,147,483,647 s."""
ALIAS_TTL_S = 60.0
"""DNS answers for a load balancer's alias are cached for 60 s; the TTL cannot be changed."""
LOG_RETENTION_DAYS = frozenset(
    {
        *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
        *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
    }
)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
ENGINE_FLOORS = {13: 18, 14: 15, 15: 10, 16: 6}
"""First minor version of each major in which a standby's readers survive the primary's loss."""
PREFIX_MAX = 25
"""A bucket name's 63, minus `-artefacts-`, the longest Region, a hyphen and an account."""
TAGS_MAX = 40
"""AWS allows 50 per resource; Pulumi and services add their own."""
STABLE_S_MIN = 60.0
UNRESOLVED = frozenset({"example", "internal", "invalid", "local", "localhost", "test", "onion"})
"""Reserved names, under which no zone is ever delegated. RFC 6761, RFC 6762."""
CRON = re.compile(r"^cron\(\S+ \S+ \S+ \S+ \S+ \S+\)$")


def names_fit(document: ConfigDocument) -> Iterator[Problem]:
    """The name leaves room for the role, Region and account in a bucket's name."""
    length = len(document.name) + 1 + len(document.environment)
    if length > PREFIX_MAX:
        rule = f"has {length} characters with the environment; there is room for {PREFIX_MAX}"
        yield _problem("name", document.name, rule)


def regions_exist(document: ConfigDocument) -> Iterator[Problem]:
    """Every Region is one that AWS has."""
    for side, region in document.regions:
        if region not in REGIONS:
            near = difflib.get_close_matches(region, sorted(REGIONS), 2, cutoff=0.85)
            hint = f"; did you mean {' or '.join(sorted(near))}?" if near else ""
            yield _problem(f"regions.{side}", region, f"is not an AWS Region{hint}")


def regions_differ(document: ConfigDocument) -> Iterator[Problem]:
    """The Regions differ: one Region cannot back up itself, or break a tie that it is part of."""
    regions = document.regions
    if regions.standby == regions.primary:
        yield _problem(
            "regions.standby", regions.standby, "is also the primary's Region; they must differ"
        )
    if regions.witness in {regions.primary, regions.standby}:
        rule = "must be a third Region; otherwise it is lost together with one of the two"
        yield _problem("regions.witness", regions.witness, rule)
    if regions.standby == CONTROL_REGION:
        rule = (
            f"cannot be {CONTROL_REGION}: Route 53's control plane is there, and recovery must "
            "not fail together with it"
        )
        yield _problem("regions.standby", regions.standby, rule)


def regions_have_it(document: ConfigDocument) -> Iterator[Problem]:
    """Both Regions support the configured instance class, restore tests and number of zones."""
    kind = document.database.instance_class
    family = kind.removeprefix("db.").split(".")[0]
    sides = {document.regions.primary: "primary", document.regions.standby: "standby"}
    without = [side for side in sides if lacks(side, family)]
    if without:
        known = {item for missing in FAMILIES_MISSING.values() for item in missing}
        there = sorted(item for item in known if not any(lacks(region, item) for region in sides))
        rule = (
            f"is not available in {' and '.join(without)}; both Regions have "
            f"{', '.join(f'db.{item}' for item in there if item != 'serverless')}"
        )
        yield _problem("database.instance_class", kind, rule)
    if document.regions.standby in NO_RESTORE_TESTS and document.backup.restore_test != NEVER:
        rule = (
            f"is not supported in {document.regions.standby}: set it to {NEVER!r} and restore "
            "manually"
        )
        yield _problem("backup.restore_test", document.backup.restore_test, rule)
    few = [side for side in sides if zones_of(side) < document.network.zones]
    for region in few:
        rule = f"is more than the {zones_of(region)} zones that {region} offers a new account"
        yield _problem("network.zones", document.network.zones, rule)


def cidrs_fit(document: ConfigDocument) -> Iterator[Problem]:
    """Both address spaces are usable networks and do not overlap."""
    networks: list[IPv4Network] = []
    for key in ("primary_cidr", "standby_cidr"):
        text = getattr(document.network, key)
        try:
            network = IPv4Network(text)
        except ValueError as error:
            yield _problem(f"network.{key}", text, f"is not an IPv4 network: {error}")
            continue
        if str(network) != text or not network.is_private:
            yield _problem(f"network.{key}", text, "must be private and written as in 10.0.0.0/16")
        if not 16 <= network.prefixlen <= 24:  # noqa: PLR2004 - the rule names the numbers
            yield _problem(f"network.{key}", text, "must be a /16 to a /24, to hold 12 subnets")
        networks.append(network)
    if len(networks) == 2 and networks[0].overlaps(networks[1]):  # noqa: PLR2004 - a pair
        rule = f"overlaps network.primary_cidr ({networks[0]}); a peering connection would fail"
        yield _problem("network.standby_cidr", document.network.standby_cidr, rule)


def database_can_move(document: ConfigDocument) -> Iterator[Problem]:
    """The standby can be promoted and can carry the load."""
    database = document.database
    family = database.instance_class.removeprefix("db.").split(".")[0]
    if family == "serverless":
        if database.serverless is None:
            rule = "needs a [database.serverless] table with its capacity"
            yield _problem("database.instance_class", database.instance_class, rule)
    elif not re.fullmatch(r"(r[5-9]|x[2-9])[a-z]*", family):
        rule = (
            "is not a memory-optimised class (db.r5 or newer, db.x2 or newer, db.serverless); "
            "Aurora global databases support no other"
        )
        yield _problem("database.instance_class", database.instance_class, rule)
    if database.serverless is not None:
        if family != "serverless":
            rule = 'applies only to instance_class = "db.serverless"'
            yield _problem("database.serverless", None, rule)
        if database.serverless.min_acu > database.serverless.max_acu:
            value = database.serverless.min_acu
            yield _problem("database.serverless.min_acu", value, "is above max_acu")
    if instances_of(document).standby < 1:
        rule = "must be 1 or more: a standby without an instance cannot be promoted"
        yield _problem("database.standby_instances", database.standby_instances, rule)


def database_version_survives(document: ConfigDocument) -> Iterator[Problem]:
    """The engine is new enough: older ones restart the standby's readers on loss of the primary."""
    major, minor = (int(part) for part in document.database.engine_version.split("."))
    if major < min(ENGINE_FLOORS) or minor < ENGINE_FLOORS.get(major, 0):
        floors = ", ".join(f"{a}.{b}" for a, b in ENGINE_FLOORS.items())
        rule = f"is too old to survive the loss of a Region; the oldest versions that do: {floors}"
        yield _problem("database.engine_version", document.database.engine_version, rule)


def global_db_rpo_is_accepted(document: ConfigDocument) -> Iterator[Problem]:
    """Aurora can block commits only from a lag of 20 s."""
    text = document.database.global_db_rpo
    seconds = GLOBAL_DB_RPO_S_MIN if text is None else duration_s(text)
    if not GLOBAL_DB_RPO_S_MIN <= seconds <= GLOBAL_DB_RPO_S_MAX or not seconds.is_integer():
        rule = "must be 20s or longer, in whole seconds; Aurora accepts nothing else"
        yield _problem("database.global_db_rpo", text, rule)


def standby_can_carry_the_load(document: ConfigDocument) -> Iterator[Problem]:
    """The standby can grow as large as the primary, and always runs an instance."""
    capacity = capacity_of(document)
    for side, item in (("primary", capacity.primary), ("standby", capacity.standby)):
        if item == capacity.primary and side == "standby":
            continue  # it defaults to the primary's, which is already checked
        if item.min > item.max:
            yield _problem(f"compute.{side}.min", item.min, f"is above max ({item.max})")
        if item.min < 1:
            rule = "must be 1 or more: Route 53 considers an empty load balancer unhealthy"
            yield _problem(f"compute.{side}.min", item.min, rule)
    if capacity.standby.max < capacity.primary.max:
        rule = f"is below the primary's ({capacity.primary.max}); the standby could not take over"
        yield _problem("compute.standby.max", capacity.standby.max, rule)


def paths_differ(document: ConfigDocument) -> Iterator[Problem]:
    """The three health endpoints have different paths."""
    compute = document.compute
    seen = {compute.health_path: "compute.health_path"}
    for key in ("readiness_path", "write_path"):
        path = getattr(compute, key)
        if path in seen:
            rule = f"is also {seen[path]}; a failing database would look like a dead process"
            yield _problem(f"compute.{key}", path, rule)
        seen.setdefault(path, f"compute.{key}")


def one_way_to_boot(document: ConfigDocument) -> Iterator[Problem]:
    """Either a script or an application decides what an instance runs, not both."""
    compute = document.compute
    if compute.user_data is not None and compute.application is not None:
        rule = "cannot be combined with compute.application: the script decides what runs"
        yield _problem("compute.user_data", compute.user_data, rule)


def users_can_be_led(document: ConfigDocument) -> Iterator[Problem]:
    """A failover redirects users through DNS, so the domain must resolve publicly."""
    domain = document.traffic.domain
    if domain is None:
        rule = (
            "is missing: name the application under a domain that you own, such as "
            '"orders.example.com"; failover redirects users through that name and is impossible '
            "without one"
        )
        yield _problem("traffic.domain", None, rule)
    elif domain.rsplit(".", 1)[-1] in UNRESOLVED:
        rule = "is under a reserved name that does not resolve publicly; use a domain that you own"
        yield _problem("traffic.domain", domain, rule)


def https_is_possible(document: ConfigDocument) -> Iterator[Problem]:
    """Certificates need HTTPS."""
    traffic = document.traffic
    if traffic.certificates is not None and traffic.protocol == "http":
        yield _problem("traffic.certificates", None, 'has no effect with protocol = "http"')


def certificates_are_regional(document: ConfigDocument) -> Iterator[Problem]:
    """A load balancer accepts only certificates of its own Region."""
    if document.traffic.certificates is None:
        return
    for side, arn in document.traffic.certificates:
        region = getattr(document.regions, side)
        pattern = rf"arn:aws:acm:{region}:\d{{12}}:certificate/[0-9a-f-]{{36}}"
        if not re.fullmatch(pattern, arn):
            rule = f"must be the ARN of an ACM certificate in {region}, where the load balancer is"
            yield _problem(f"traffic.certificates.{side}", arn, rule)


def objectives_are_reachable(document: ConfigDocument) -> Iterator[Problem]:
    """No objective is shorter than AWS's fixed times."""
    if duration_s(document.objectives.rto) < ALIAS_TTL_S:
        rule = "must be 60s or longer: DNS answers for a load balancer are cached for 60 s"
        yield _problem("objectives.rto", document.objectives.rto, rule)


def retention_is_accepted(document: ConfigDocument) -> Iterator[Problem]:
    """CloudWatch Logs accepts only certain retention periods."""
    days = document.retention.logs
    if days not in LOG_RETENTION_DAYS:
        nearest = min(LOG_RETENTION_DAYS, key=lambda day: (abs(day - days), day))
        rule = f"is not a retention that CloudWatch Logs accepts; the nearest is {nearest}"
        yield _problem("retention.logs", days, rule)


def schedules_are_cron(document: ConfigDocument) -> Iterator[Problem]:
    """AWS Backup accepts only six-field cron expressions."""
    for key, text in (
        ("backup.schedule", document.backup.schedule),
        ("backup.restore_test", document.backup.restore_test),
    ):
        if not CRON.match(text) and (key, text) != ("backup.restore_test", NEVER):
            rule = "is not an AWS cron expression of six fields, such as cron(0 5 * * ? *)"
            yield _problem(key, text, rule)


def tags_are_accepted(document: ConfigDocument) -> Iterator[Problem]:
    """AWS reserves the aws: prefix and limits the number and length of tags."""
    if len(document.tags) > TAGS_MAX:
        yield _problem("tags", None, f"has {len(document.tags)} tags; the limit is {TAGS_MAX}")
    for key, value in document.tags.items():
        if key.lower().startswith("aws:"):
            yield _problem(f"tags.{key}", value, "starts with aws:, which AWS reserves")
        if not 1 <= len(key) <= 128 or len(value) > 256:  # noqa: PLR2004 - the rule names them
            rule = "is too long: a key has 1 to 128 characters, a value up to 256"
            yield _problem(f"tags.{key}", value, rule)


def freezes_are_windows(document: ConfigDocument) -> Iterator[Problem]:
    """Freeze windows begin before they end, and both ends are valid times."""
    for number, text in enumerate(document.failover.freezes):
        key = f"failover.freezes.{number}"
        try:
            start_s, end_s = window_s(text)
        except ValueError:
            yield _problem(key, text, "contains an invalid date or time")
            continue
        if start_s >= end_s:
            yield _problem(key, text, "ends before it begins")


def loss_is_above_the_heartbeat(document: ConfigDocument) -> Iterator[Problem]:
    """The accepted loss is no finer than its estimate: the writer beats once a second."""
    text = loss_max_of(document)
    if document.failover.mode == "auto" and duration_s(text) < 2 * HEARTBEAT_S:
        key = "objectives.rpo" if document.failover.loss_max is None else "failover.loss_max"
        rule = "is finer than the estimate: heartbeats arrive once a second, so use 2s or more"
        yield _problem(key, text, rule)


def loss_is_within_the_objective(document: ConfigDocument) -> Iterator[Problem]:
    """The loss accepted without asking does not exceed the recovery point objective."""
    text, promised = document.failover.loss_max, document.objectives.rpo
    if text is not None and duration_s(text) > duration_s(promised):
        rule = f"is more than objectives.rpo ({promised}) allows to be lost without asking"
        yield _problem("failover.loss_max", text, rule)


def stable_is_a_while(document: ConfigDocument) -> Iterator[Problem]:
    """A failback is never ordered within the minute between two ticks."""
    text = document.failover.stable
    if duration_s(text) < STABLE_S_MIN:
        yield _problem("failover.stable", text, "is shorter than the tick interval: use 1m or more")


RULES: dict[Constraint, tuple[str, ...]] = {
    names_fit: ("name", "environment"),
    regions_exist: (),
    regions_differ: ("regions",),
    regions_have_it: ("regions", "database.instance_class", "network", "backup"),
    cidrs_fit: ("network.primary_cidr", "network.standby_cidr"),
    database_can_move: (
        "database.instance_class",
        "database.serverless",
        "database.standby_instances",
        "profile",
    ),
    database_version_survives: ("database.engine_version",),
    global_db_rpo_is_accepted: ("database.global_db_rpo",),
    standby_can_carry_the_load: ("compute.primary", "compute.standby", "profile"),
    paths_differ: ("compute.health_path", "compute.readiness_path", "compute.write_path"),
    one_way_to_boot: ("compute.user_data", "compute.application"),
    users_can_be_led: ("traffic.domain",),
    https_is_possible: ("traffic",),
    certificates_are_regional: ("traffic.certificates", "regions"),
    objectives_are_reachable: ("objectives.rto",),
    freezes_are_windows: ("failover.freezes",),
    loss_is_above_the_heartbeat: ("failover.loss_max", "failover.mode", "objectives.rpo"),
    loss_is_within_the_objective: ("failover.loss_max", "objectives.rpo"),
    stable_is_a_while: ("failover.stable",),
    retention_is_accepted: ("retention.logs",),
    schedules_are_cron: ("backup.schedule", "backup.restore_test"),
    tags_are_accepted: ("tags",),
}
"""The rules, in the order of the document, with the keys that each depends on.

The loader skips a rule if one of its keys already has a problem, because its result could be wrong.
"""


def _problem(key: str, value: object, rule: str) -> Problem:
    return Problem(key=key, value=shown(value), rule=rule)
