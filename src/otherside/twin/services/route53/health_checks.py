"""Route 53's health checkers: many locations that check independently, and their aggregate.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

import asyncio
import datetime as dt
import gzip
import random
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.json_types import JsonObject
from otherside.twin.net.http1 import Connection, fetch
from otherside.twin.net.reachability import Reach, Reachability, Source
from otherside.twin.services.cloudwatch.alarms import Alarms, AlarmState
from otherside.twin.services.cloudwatch.metrics import Metrics
from otherside.twin.services.route53.provider import Route53Provider

SHARE_PERCENT = 18
"""More than this percentage of the checkers must report healthy."""
CHECKERS_PER_REGION = 2
"""AWS has about sixteen in eight Regions."""
DEFAULT_REGIONS = (
    *("us-east-1", "us-west-1", "us-west-2", "eu-west-1"),
    *("ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"),
)
CONNECT_S, ANSWER_S, TCP_CONNECT_S, BODY_S = 4.0, 2.0, 10.0, 2.0
BODY_BYTES = 5120
SUCCESS = range(200, 400)
TIMED_OUT = (
    "Failure: Connection timed out. The endpoint or the internet connection is down,"
    " or requests are being blocked by your firewall."
)
METRICS_S = 60.0
METRICS_REGION = "us-east-1"


@dataclass(slots=True)
class HealthChecker:
    """One location that checks one endpoint."""

    region: str
    streak: int = 0
    """How many answers in a row contradict what it believes."""
    believes: bool = True
    last: str = "Success: not asked yet"
    at_s: float = 0.0

    def hear(self, *, good: bool, threshold: int) -> None:
        """Record one answer; `threshold` contrary answers in a row change the checker's belief."""
        if good == self.believes:
            self.streak = 0
            return
        self.streak += 1
        if self.streak >= threshold:
            self.believes, self.streak = good, 0


@dataclass(slots=True)
class Health:
    """What is known about one check."""

    health_checkers: list[HealthChecker] = field(default_factory=list)
    last_known: bool = True


class HealthCheckers:
    """Every health check, run for as long as it exists."""

    def __init__(
        self,
        context: TwinContext,
        network: Reachability,
        checks: Route53Provider,
        alarms: Alarms,
        metrics: Metrics,
        resolve: Callable[[Source, str], list[str]],
    ) -> None:
        """Provide `checks` with the checkers' reports."""
        self._context, self._network, self._checks = context, network, checks
        self._alarms, self._metrics, self._resolve = alarms, metrics, resolve
        self._known: dict[str, Health] = {}
        self._chance = random.Random(context.account)  # noqa: S311 - when a checker starts
        self._said: dict[str, bool] = {}
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        checks.reports = self.reports

    def healthy(self, identifier: str) -> bool:
        """Return whether Route 53 considers a check healthy."""
        config = self._checks.configurations.get(identifier)
        if config is None:
            return True
        inverted = bool(config.get("Inverted"))
        if config.get("Disabled"):
            return not inverted
        match config["Type"]:
            case "CALCULATED":
                children = config["ChildHealthChecks"]
                wanted = int(config.get("HealthThreshold") or 0)
                found = sum(map(self.healthy, children)) >= wanted
            case "CLOUDWATCH_METRIC":
                found = self._known.setdefault(identifier, Health()).last_known
            case _:
                found = self._aggregate(identifier)
        return found is not inverted

    def _aggregate(self, identifier: str) -> bool:
        known = self._known.get(identifier)
        if known is None or not known.health_checkers:
            return True  # healthy until there are reports; so an inverted one is unhealthy
        # A checker in a lost Region reports nothing and does not count.
        heard = [
            health_checker
            for health_checker in known.health_checkers
            if self._context.partitions.stands(health_checker.region)
        ]
        good = sum(health_checker.believes for health_checker in heard)
        return good * 100 > SHARE_PERCENT * len(heard)

    def reports(self, identifier: str) -> list[JsonObject]:
        """Return each checker's report, in the API's format."""
        known = self._known.get(identifier, Health())
        return [
            {
                "Region": health_checker.region,
                "IPAddress": f"198.51.100.{number + 1}",
                "StatusReport": {
                    "Status": health_checker.last,
                    "CheckedTime": dt.datetime.fromtimestamp(health_checker.at_s, dt.UTC),
                },
            }
            for number, health_checker in enumerate(known.health_checkers)
        ]

    async def run(self) -> None:
        """Run every check, and report each change of health."""
        published_s = 0.0
        while True:
            for identifier, config in list(self._checks.configurations.items()):
                if identifier not in self._known:
                    self._begin(identifier, config)
                if config["Type"] == "CLOUDWATCH_METRIC":
                    self._read_metric(identifier, config)
                self._tell(identifier, config)
            if self._context.now_s - published_s >= METRICS_S:
                published_s = self._context.now_s
                self._publish()
            await asyncio.sleep(1.0)

    def _begin(self, identifier: str, config: JsonObject) -> None:
        known = self._known[identifier] = Health()
        if config["Type"] in {"CALCULATED", "CLOUDWATCH_METRIC"}:
            return
        for region in config.get("Regions") or DEFAULT_REGIONS:
            for _ in range(CHECKERS_PER_REGION):
                checker = HealthChecker(region)
                known.health_checkers.append(checker)
                work = self._ask_on_and_on(identifier, checker)
                self._context.spawn(work, name=f"checker in {region}")

    async def _ask_on_and_on(self, identifier: str, checker: HealthChecker) -> None:
        """Check from one location; the interval runs from an answer to the next request."""
        config = self._checks.configurations[identifier]
        interval_s = float(config.get("RequestInterval") or 30)
        await asyncio.sleep(self._chance.uniform(0, interval_s))
        while identifier in self._checks.configurations:
            config = self._checks.configurations[identifier]
            if self._context.partitions.stands(checker.region) and not config.get("Disabled"):
                good, checker.last = await self._ask(checker, config)
                checker.at_s = self._context.now_s
                checker.hear(good=good, threshold=int(config.get("FailureThreshold") or 3))
            await asyncio.sleep(interval_s)

    async def _ask(self, checker: HealthChecker, config: JsonObject) -> tuple[bool, str]:
        """Return whether an endpoint answers correctly, and a readable status."""
        kind = str(config["Type"])
        name = config.get("FullyQualifiedDomainName")
        source = Source(name="checker", region=checker.region)
        port = int(config.get("Port") or (443 if kind.startswith("HTTPS") else 80))
        address = config.get("IPAddress")
        if not address:
            try:
                address = self._resolve(source, str(name))[0]
            except (LookupError, TimeoutError):  # an empty answer raises LookupError
                return False, "Failure: DNS resolution failed"
        verdict = self._network.decide(source, str(address), port)
        wait_s = TCP_CONNECT_S if kind == "TCP" else CONNECT_S
        if verdict.reach is not Reach.OPEN or verdict.local is None:
            if verdict.reach is Reach.TIMEOUT:
                await asyncio.sleep(wait_s)
                return False, TIMED_OUT
            return False, "Failure: Connection refused"
        try:
            async with asyncio.timeout(wait_s):
                secure = kind.startswith("HTTPS")
                tls = self._tls if secure else None
                told = str(name) if secure and config.get("EnableSNI") and name else None
                reader, writer = await asyncio.open_connection(
                    *verdict.local, ssl=tls, server_hostname=told or ("" if secure else None)
                )
        except TimeoutError:
            return False, TIMED_OUT
        except ConnectionRefusedError:
            return False, "Failure: Connection refused"
        except OSError as error:
            return False, f"Failure: {type(error).__name__}"
        try:
            if kind == "TCP":
                return True, "Success: TCP connection established"
            return await self._request(reader, writer, config, address=str(address), port=port)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            return False, f"Failure: {type(error).__name__}"
        finally:
            writer.close()

    async def _request(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        config: JsonObject,
        *,
        address: str,
        port: int,
    ) -> tuple[bool, str]:
        kind, name = str(config["Type"]), config.get("FullyQualifiedDomainName")
        usual = port == (443 if kind.startswith("HTTPS") else 80)
        host = address if not name else str(name) if usual else f"{name}:{port}"
        path = config.get("ResourcePath") or "/"
        headers = [
            (b"Host", host.encode()),
            (b"User-Agent", b"Amazon-Route53-Health-Check-Service"),
            (b"Connection", b"close"),
        ]
        async with asyncio.timeout(ANSWER_S):
            response = await fetch(
                Connection.client(reader, writer), b"GET", path.encode(), headers
            )
        status = response.status
        good = status in SUCCESS
        if good and kind.endswith("STR_MATCH"):
            async with asyncio.timeout(BODY_S):
                body = await _start_of(response.connection)
            good = str(config.get("SearchString", "")).encode() in body
        word = "Success" if good else "Failure"
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
        return good, f"{word}: HTTP Status Code {status}, {phrase}".rstrip(", ")

    def _read_metric(self, identifier: str, config: JsonObject) -> None:
        """Follow an alarm's metric, and not its state."""
        known = self._known.setdefault(identifier, Health())
        named = config["AlarmIdentifier"]
        region = str(named["Region"])
        if not self._context.partitions.stands(region):
            return  # unreachable: keep the last known state
        alarm = moto_backend.cloudwatch(self._context.account, region).alarms.get(named["Name"])
        if alarm is None:
            return
        periods = int(alarm.evaluation_periods)
        state, _ = self._alarms.judge(region, alarm, wanted=periods)
        if state is AlarmState.OK:
            known.last_known = True
        elif state is AlarmState.ALARM:
            known.last_known = False
        elif state is AlarmState.INSUFFICIENT_DATA:
            rule = config.get("InsufficientDataHealthStatus") or "LastKnownStatus"
            if rule != "LastKnownStatus":
                known.last_known = rule == "Healthy"

    def _tell(self, identifier: str, config: JsonObject) -> None:
        healthy = self.healthy(identifier)
        if self._said.get(identifier) not in {None, healthy}:
            word = "healthy" if healthy else "unhealthy"
            name = config.get("FullyQualifiedDomainName") or config["Type"].lower()
            self._context.emit("dns", "", f"health check of {name} is {word}", check=identifier)
        self._said[identifier] = healthy

    def _publish(self) -> None:
        """Publish the checks' health in the only Region that has Route 53's metrics."""
        for identifier, config in list(self._checks.configurations.items()):
            dimensions = {"HealthCheckId": identifier}
            value = 1.0 if self.healthy(identifier) else 0.0
            put = self._metrics.put
            put(METRICS_REGION, "AWS/Route53", "HealthCheckStatus", value, dimensions)
            health_checkers = self._known.get(identifier, Health()).health_checkers
            if health_checkers and not config.get("Disabled"):
                share = (
                    100.0
                    * sum(health_checker.believes for health_checker in health_checkers)
                    / len(health_checkers)
                )
                name = "HealthCheckPercentageHealthy"
                put(METRICS_REGION, "AWS/Route53", name, share, dimensions)
            if config["Type"] == "CALCULATED":
                good = float(sum(map(self.healthy, config["ChildHealthChecks"])))
                name = "ChildHealthCheckHealthyCount"
                put(METRICS_REGION, "AWS/Route53", name, good, dimensions)


async def _start_of(connection: Connection) -> bytes:
    """Return the first bytes of a body, decompressed if necessary."""
    body = b""
    async for part in connection.body():
        body += part
        if len(body) >= BODY_BYTES:
            break
    body = body[:BODY_BYTES]
    if body.startswith(b"\x1f\x8b"):
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            body = zlib.decompressobj(wbits=31).decompress(body)
    return body[:BODY_BYTES]
