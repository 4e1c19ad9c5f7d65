"""Application Load Balancers: listeners, target health checks and request routing.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

import asyncio
import itertools
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import h11

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import (
    CertificateNotFound,
    FakeListener,
    FakeLoadBalancer,
    FakeTargetGroup,
)
from otherside.twin.net.certificates import CertificateAuthority
from otherside.twin.net.http1 import (
    BadMessageError,
    Connection,
    Headers,
    Response,
    end_to_end,
    fetch,
    header,
    phrase,
)
from otherside.twin.net.reachability import Interface, Local, Reach, Reachability
from otherside.twin.partitions import OUTSIDE
from otherside.twin.services.base import ServiceProvider, api_error, operation
from otherside.twin.services.cloudwatch.metrics import Metrics

CONNECT_S, IDLE_S = 10.0, 60.0
METRICS_S = 60.0
LOOK_S = 1.0
_TRAFFIC_PORT = "traffic-port"
"""A health check's port that is each target's own."""


@dataclass(slots=True)
class Target:
    """One registered target of a target group."""

    instance: str
    state: str = "initial"
    reason: str = "Elb.InitialHealthChecking"
    description: str = "Initial health checks in progress"
    streak: int = 0
    draining_until_s: float | None = None
    next_s: float = 0.0
    asking: bool = False

    @property
    def takes(self) -> bool:
        """Whether it may receive requests."""
        return self.draining_until_s is None


@dataclass(slots=True)
class LoadBalancer:
    """One load balancer and the servers that really listen for it."""

    arn: str
    region: str
    nodes: list[Interface]
    servers: dict[int, asyncio.Server] = field(default_factory=dict)
    turn: "itertools.count[int]" = field(default_factory=itertools.count)
    counts: dict[str, float] = field(default_factory=dict)


class LoadBalancers(ServiceProvider):
    """Every load balancer of every Region."""

    def __init__(
        self,
        context: TwinContext,
        network: Reachability,
        metrics: Metrics,
        authority: CertificateAuthority,
        take_address: Callable[[str], str],
        ports: Mapping[int, int],
        instance: Callable[[str], Interface | None],
        *,
        inside: str,
    ) -> None:
        """Find instances with `instance`; `ports` maps 80 and 443 to ports on this machine.

        Guests connect from the address `inside`.
        """
        self._inside = inside
        self._context, self._network, self._metrics = context, network, metrics
        self._authority, self._take, self._ports = authority, take_address, ports
        self._instance = instance
        self._load_balancers: dict[str, LoadBalancer] = {}
        self._targets: dict[str, dict[str, Target]] = {}
        self._lines: set[asyncio.Task[None]] = set()

    # --- API operations -------------------------------------------------------------------------

    @operation("elbv2", "DescribeTargetHealth")
    def describe_health(self, call: ApiCall, params: Params) -> JsonObject:
        """Return the targets' health, from their answers to health checks."""
        arn = str(params["TargetGroupArn"])
        group = moto_backend.elbv2(self._context.account, call.region).target_groups.get(arn)
        if group is None:
            raise LeaveToMotoError
        used = bool(self._listeners_of(call.region, arn))
        found: list[JsonObject] = []
        for target in self._targets.get(arn, {}).values():
            health = {"State": target.state}
            if not used:
                health = {"State": "unused", "Reason": "Target.NotInUse"}
                health["Description"] = "Target group is not configured to receive traffic"
            elif target.reason:
                health |= {"Reason": target.reason, "Description": target.description}
            described = {"Id": target.instance, "Port": int(group.port)}
            found.append({"Target": described, "TargetHealth": health})
        asked = params.get("Targets")
        if asked is not None:
            found = _only(asked, found, int(group.port))
        fixed = str(group.health_check_port or _TRAFFIC_PORT)
        return {
            "TargetHealthDescriptions": [
                {
                    "HealthCheckPort": str(each["Target"]["Port"])
                    if fixed == _TRAFFIC_PORT
                    else fixed
                }
                | each
                for each in found
            ]
        }

    @operation("elbv2", "RegisterTargets")
    def refuse_targets(self, _call: ApiCall, _params: Params) -> None:
        """Refuse targets that nothing here would ask: instances come from Auto Scaling groups."""
        message = "the twin balances over the instances of Auto Scaling groups, and no others"
        raise api_error("TwinNotImplemented", message, 501)

    # --- queries --------------------------------------------------------------------------------

    def addresses(self, name: str) -> list[str] | None:
        """Return the addresses of a load balancer's name, or `None` for any other name."""
        found = self._by_name(name)
        return None if found is None else [node.public for node in found.nodes[:1]]

    def healthy(self, name: str) -> bool | None:
        """Return whether Route 53 considers it healthy: every target group has a healthy target.

        A target group without targets is unhealthy. `None` if no load balancer has the name.
        """
        found = self._by_name(name)
        if found is None:
            return None
        groups = self._groups_of(found)
        return bool(groups) and all(
            any(item.state == "healthy" for item in self._targets.get(arn, {}).values())
            for arn in groups
        )

    def state_of(self, instance: str) -> str | None:
        """Return a target's state across its target groups; the worst one counts."""
        states = [
            target.state
            for targets in self._targets.values()
            for target in targets.values()
            if target.instance == instance
        ]
        return None if not states else "unhealthy" if "unhealthy" in states else states[0]

    def register(self, groups: list[str], instance: str) -> None:
        """Register an instance as a target of target groups."""
        for arn in groups:
            self._targets.setdefault(arn, {}).setdefault(instance, Target(instance))

    def deregister(self, instance: str) -> None:
        """Drain an instance, then deregister it from its target groups."""
        for arn, targets in self._targets.items():
            target = targets.get(instance)
            if target is not None and target.draining_until_s is None:
                target.draining_until_s = self._context.now_s + self._delay_s(arn)
                target.state, target.reason = "draining", "Target.DeregistrationInProgress"
                target.description = "Target deregistration is in progress"

    def _by_name(self, name: str) -> LoadBalancer | None:
        wanted = name.rstrip(".").lower().removeprefix("dualstack.")
        for balancer in self._load_balancers.values():
            held = self._held(balancer)
            if held is not None and str(held.dns_name).lower() == wanted:
                return balancer
        return None

    def _held(self, balancer: LoadBalancer) -> FakeLoadBalancer | None:
        backend = moto_backend.elbv2(self._context.account, balancer.region)
        return backend.load_balancers.get(balancer.arn)

    # --- running --------------------------------------------------------------------------------

    async def run(self, region: str) -> None:
        """Serve a Region's load balancers until the twin stops."""
        measured_s = self._context.now_s
        while True:
            backend = moto_backend.elbv2(self._context.account, region)
            for arn, held in list(backend.load_balancers.items()):
                if arn not in self._load_balancers:
                    self._load_balancers[arn] = self._make(arn, region, held)
                await self._listen(self._load_balancers[arn], held)
            for arn, group in list(backend.target_groups.items()):
                self._look_at(region, arn, group)
            if self._context.now_s - measured_s >= METRICS_S:
                measured_s = self._context.now_s
                if self._context.partitions.stands(region):
                    self._measure(region)
            await asyncio.sleep(LOOK_S)

    async def close(self) -> None:
        """Stop serving."""
        for balancer in self._load_balancers.values():
            for server in balancer.servers.values():
                server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _make(self, arn: str, region: str, held: FakeLoadBalancer) -> LoadBalancer:
        """Give a load balancer one node in each of its subnets, all at one address."""
        address = self._take(region)
        nodes = []
        for number, other_subnet in enumerate(held.subnets):
            subnet = getattr(other_subnet, "id", other_subnet)
            private = self._private(region, str(subnet), number)
            node = Interface(
                name=f"{held.name}-{number}",
                region=region,
                subnet=str(subnet),
                address=private,
                groups=tuple(map(str, held.security_groups)),
                public=address if held.scheme == "internet-facing" else "",
            )
            nodes.append(node)
            self._network.add(node)
        return LoadBalancer(arn, region, nodes)

    def _private(self, region: str, subnet: str, number: int) -> str:
        import ipaddress  # noqa: PLC0415 - only here

        held = moto_backend.ec2(self._context.account, region).get_subnet(subnet)
        network = ipaddress.ip_network(held.cidr_block)
        return str(
            network[network.num_addresses // 2 + number]
        )  # instances use the start of the subnet

    async def _listen(self, balancer: LoadBalancer, held: FakeLoadBalancer) -> None:
        """Open every listener that is not open yet."""
        for listener in list(held.listeners.values()):
            port = int(listener.port)
            if port in balancer.servers or not balancer.nodes:
                continue
            secure = str(listener.protocol) == "HTTPS"
            address = balancer.nodes[0].public or "127.0.0.1"
            wanted = self._ports.get(port, 0)

            async def answer(
                reader: asyncio.StreamReader,
                writer: asyncio.StreamWriter,
                port: int = port,
            ) -> None:
                task = asyncio.current_task()
                assert task is not None
                self._lines.add(task)
                try:
                    await self._serve(balancer, port, Connection.server(reader, writer))
                except (OSError, BadMessageError, h11.ProtocolError):
                    return
                finally:
                    self._lines.discard(task)
                    writer.close()

            server = await asyncio.start_server(
                answer, address, wanted, ssl=self._tls_context(listener) if secure else None
            )
            balancer.servers[port] = server
            where: Local = server.sockets[0].getsockname()[:2]
            for node in balancer.nodes:
                node.ports[port] = where

    def _tls_context(self, listener: FakeListener) -> ssl.SSLContext:
        """Return a TLS context for the names on the listener's ACM certificate."""
        arn = str(listener.certificate or "")
        known = moto_backend.acm(self._context.account, arn.split(":")[3]) if arn else None
        try:
            held = known.get_certificate(arn) if known is not None else None
        except CertificateNotFound:  # deleted: the listener goes on without its own
            held = None
        if held is None:
            return self._authority.context()
        return self._authority.context(tuple(dict.fromkeys([held.common_name, *held.sans])))

    def _listeners_of(self, region: str, group: str) -> list[FakeListener]:
        backend = moto_backend.elbv2(self._context.account, region)
        return [
            listener
            for balancer in backend.load_balancers.values()
            for listener in balancer.listeners.values()
            if group in _forwards(listener)
        ]

    def _groups_of(self, balancer: LoadBalancer) -> list[str]:
        held = self._held(balancer)
        found: list[str] = []
        for listener in held.listeners.values() if held is not None else ():
            found += [forward for forward in _forwards(listener) if forward not in found]
        return found

    # --- health ---------------------------------------------------------------------------------

    def _look_at(self, region: str, arn: str, group: FakeTargetGroup) -> None:
        """Check every target of a group that is due, and remove drained targets."""
        now_s = self._context.now_s
        for identifier, target in list(self._targets.get(arn, {}).items()):
            if target.draining_until_s is not None:
                if now_s >= target.draining_until_s:
                    del self._targets[arn][identifier]
            elif now_s >= target.next_s and not target.asking and self._listeners_of(region, arn):
                target.next_s = now_s + float(group.health_check_interval_seconds or 30)
                target.asking = True
                self._context.spawn(self._ask(region, group, target), name="target health")

    async def _ask(self, region: str, group: FakeTargetGroup, target: Target) -> None:
        try:
            if self._context.partitions.stands(region):
                good, reason, text = await self._probe(group, target)
                self._hear(group, target, good=good, reason=reason, text=text)
        finally:
            target.asking = False

    def _hear(
        self, group: FakeTargetGroup, target: Target, *, good: bool, reason: str, text: str
    ) -> None:
        """Record one health check; a new target needs only one success."""
        if target.draining_until_s is not None:
            return
        wanted = int(
            (group.healthy_threshold_count if good else group.unhealthy_threshold_count)
            or (5 if good else 2)
        )
        now = "healthy" if good else "unhealthy"
        if target.state == now:
            target.streak = 0
            if not good:
                target.reason, target.description = reason, text
            return
        target.streak += 1
        if target.streak >= wanted or (good and target.state == "initial"):
            before, target.state, target.streak = target.state, now, 0
            target.reason, target.description = ("", "") if good else (reason, text)
            region = str(group.arn).split(":")[3]
            said = f"{target.instance} is {now} (was {before})" + (f": {text}" if text else "")
            self._context.emit("target", region, said, instance=target.instance, state=now)

    async def _probe(self, group: FakeTargetGroup, target: Target) -> tuple[bool, str, str]:
        """Check a target's health; return what AWS would report."""
        interface = self._instance(target.instance)
        timeout_s = float(group.health_check_timeout_seconds or 5)
        port = group.health_check_port
        number = int(group.port) if port in {None, _TRAFFIC_PORT} else int(port)
        failed = (False, "Target.FailedHealthChecks", "Health checks failed")
        if interface is None:
            return failed
        balancer = self._balancer_for(str(group.arn))
        if balancer is not None:
            verdict = self._network.between(balancer.nodes[0], interface, number)
            if verdict.reach is Reach.TIMEOUT:
                await asyncio.sleep(timeout_s)
                return False, "Target.Timeout", "Request timed out"
            if verdict.reach is not Reach.OPEN:
                return failed
        local = interface.ports.get(number)
        if local is None:
            return failed
        path = group.health_check_path or "/"
        host = f"{interface.address}:{number}"
        try:
            async with asyncio.timeout(timeout_s):
                status = await _status(local, path, host)
        except TimeoutError:
            return False, "Target.Timeout", "Request timed out"
        except (OSError, BadMessageError):
            return failed
        matcher = (group.matcher or {}).get("HttpCode", "200")
        if _matches(status, str(matcher)):
            return True, "", ""
        text = f"Health checks failed with these codes: [{status}]"
        return False, "Target.ResponseCodeMismatch", text

    def _balancer_for(self, group: str) -> LoadBalancer | None:
        return next((b for b in self._load_balancers.values() if group in self._groups_of(b)), None)

    # --- requests -------------------------------------------------------------------------------

    async def _serve(self, balancer: LoadBalancer, port: int, client: Connection) -> None:
        """Answer the requests of one connection."""
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    request = await client.request()
                if request is None:
                    return
                await self._until_heard(balancer, client.writer)
                status = await self._route(balancer, port, request, client)
            except TimeoutError:
                return
            except BadMessageError as error:
                if client.protocol.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
                    return
                status = await _say(client, error.status)
            if status > 0:  # the load balancer's own answer, not a target's
                _count(balancer, "ELB", status)
            balancer.counts["RequestCount"] = balancer.counts.get("RequestCount", 0) + 1
            if not await client.next_cycle():
                return

    async def _until_heard(self, balancer: LoadBalancer, writer: asyncio.StreamWriter) -> None:
        """Wait while the link to the caller is cut: neither answer nor refuse.

        The gateway already let its guests through; every other caller is a user from outside.
        """
        partitions = self._context.partitions
        place = balancer.region
        guest = writer.get_extra_info("peername")[0] == self._inside
        while not (partitions.stands(place) and (guest or partitions.converse(OUTSIDE, place))):  # noqa: ASYNC110 - threads call back
            await asyncio.sleep(1.0)

    async def _route(
        self, balancer: LoadBalancer, port: int, request: h11.Request, client: Connection
    ) -> int:
        """Carry out a listener's default action; return the status, negated if a target sent it."""
        held = self._held(balancer)
        listeners = held.listeners.values() if held is not None else ()
        listener = next((open_ for open_ in listeners if int(open_.port) == port), None)
        if listener is None:
            return await _say(client, HTTPStatus.SERVICE_UNAVAILABLE)
        data = listener.default_actions[-1].data
        match data.get("Type"):
            case "redirect":
                config = data["RedirectConfig"]
                status = int(str(config["StatusCode"]).removeprefix("HTTP_"))
                scheme = str(listener.protocol).lower()
                host, path = header(request.headers, b"host"), request.target.decode("latin-1")
                where = _redirect(config, host, path, port, scheme)
                return await _say(client, status, {"Location": where})
            case "fixed-response":
                config = data["FixedResponseConfig"]
                text = str(config.get("MessageBody") or "").encode()
                kind = str(config.get("ContentType") or "text/plain")
                return await _say(client, int(config["StatusCode"]), {"Content-Type": kind}, text)
            case "forward":
                return await self._forward(balancer, listener, request, client)
            case _:
                return await _say(client, HTTPStatus.SERVICE_UNAVAILABLE)

    async def _forward(
        self,
        balancer: LoadBalancer,
        listener: FakeListener,
        request: h11.Request,
        client: Connection,
    ) -> int:
        """Stream a request to a target and its response back to the client."""
        target = self._choose(balancer, listener)
        if target is None:
            return await _say(client, HTTPStatus.SERVICE_UNAVAILABLE)
        port = self._port(balancer.region, listener)
        node = balancer.nodes[next(balancer.turn) % len(balancer.nodes)]
        interface = self._instance(target.instance)
        if interface is None:
            return await _say(client, HTTPStatus.BAD_GATEWAY)
        verdict = self._network.between(node, interface, port)
        if verdict.reach is Reach.TIMEOUT:
            await asyncio.sleep(CONNECT_S)
            return await _say(client, HTTPStatus.GATEWAY_TIMEOUT)
        if verdict.local is None:
            return await _say(client, HTTPStatus.BAD_GATEWAY)
        try:
            async with asyncio.timeout(IDLE_S):
                far = Connection.client(*await asyncio.open_connection(*verdict.local))
        except TimeoutError:
            return await _say(client, HTTPStatus.GATEWAY_TIMEOUT)
        except OSError:
            return await _say(client, HTTPStatus.BAD_GATEWAY)
        try:
            return await _exchange(balancer, listener, request, client, far)
        finally:
            far.writer.close()

    def _choose(self, balancer: LoadBalancer, listener: FakeListener) -> Target | None:
        """Return the next target: a healthy one, or any target if none is healthy."""
        targets = [
            item
            for arn in _forwards(listener)
            for item in self._targets.get(arn, {}).values()
            if item.takes
        ]
        usable = [target for target in targets if target.state == "healthy"] or targets
        return usable[next(balancer.turn) % len(usable)] if usable else None

    def _port(self, region: str, listener: FakeListener) -> int:
        backend = moto_backend.elbv2(self._context.account, region)
        return int(backend.target_groups[_forwards(listener)[0]].port)

    def _delay_s(self, arn: str) -> float:
        region = arn.split(":")[3]
        group = moto_backend.elbv2(self._context.account, region).target_groups.get(arn)
        known = getattr(group, "attributes", {}) or {}
        return float(known.get("deregistration_delay.timeout_seconds", 300))

    def _measure(self, region: str) -> None:
        """Publish a Region's load balancer metrics for the last minute."""
        for balancer in self._load_balancers.values():
            if balancer.region != region:
                continue
            suffix = balancer.arn.partition(":loadbalancer/")[2]
            for name, value in balancer.counts.items():
                self._put(region, name, value, {"LoadBalancer": suffix})
            balancer.counts.clear()
            for group in self._groups_of(balancer):
                states = [item.state for item in self._targets.get(group, {}).values()]
                dimensions = {"LoadBalancer": suffix, "TargetGroup": group.rpartition(":")[2]}
                healthy, ill = states.count("healthy"), states.count("unhealthy")
                self._put(region, "HealthyHostCount", float(healthy), dimensions)
                self._put(region, "UnHealthyHostCount", float(ill), dimensions)

    def _put(self, region: str, name: str, value: float, dimensions: Mapping[str, str]) -> None:
        self._metrics.put(region, "AWS/ApplicationELB", name, value, dimensions)


def _forwards(listener: FakeListener) -> list[str]:
    """Return the target groups that a listener forwards to."""
    found: list[str] = []
    for action in listener.default_actions:
        data = action.data
        if data.get("Type") != "forward":
            continue
        if data.get("TargetGroupArn"):
            found.append(str(data["TargetGroupArn"]))
        groups = (data.get("ForwardConfig") or {}).get("TargetGroups") or ()
        found += [str(group["TargetGroupArn"]) for group in groups]
    return list(dict.fromkeys(found))


async def _exchange(
    balancer: LoadBalancer,
    listener: FakeListener,
    request: h11.Request,
    client: Connection,
    far: Connection,
) -> int:
    """Send a request to a target and its response to the client; return the status.

    A target's own status is negated, to distinguish it from the load balancer's.
    """
    headers = _to_target(request, client, listener)
    try:
        async with asyncio.timeout(IDLE_S):
            body = client.body()
            response = await fetch(far, request.method, request.target, headers, body)
    except TimeoutError:
        return await _say(client, HTTPStatus.GATEWAY_TIMEOUT)
    except BadMessageError as error:
        return await _say(client, error.status)
    except OSError:
        return await _say(client, HTTPStatus.BAD_GATEWAY)
    await _pass_on(response, client)
    _count(balancer, "Target", response.status)
    return -response.status


def _to_target(request: h11.Request, client: Connection, listener: FakeListener) -> Headers:
    """Return a request's headers as sent to a target.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    replaced = {b"expect", b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto"}
    headers = [pair for pair in end_to_end(request.headers) if pair[0] not in replaced]
    if b"chunked" in header(request.headers, b"transfer-encoding").lower().encode():
        headers.append((b"transfer-encoding", b"chunked"))
    before = [value for name, value in request.headers if name == b"x-forwarded-for"]
    address = str(client.writer.get_extra_info("peername")[0]).encode()
    headers += [
        (b"x-forwarded-for", b", ".join([*before, address])),
        (b"x-forwarded-proto", str(listener.protocol).lower().encode()),
        (b"x-forwarded-port", str(listener.port).encode()),
        (b"connection", b"close"),
    ]
    return headers


async def _pass_on(response: Response, client: Connection) -> None:
    """Stream a target's response to the client."""
    headers = end_to_end(response.headers)
    if response.status == HTTPStatus.NO_CONTENT:  # must have no Content-Length (RFC 9110, 8.6)
        headers = [pair for pair in headers if pair[0] != b"content-length"]
    status = response.status
    await client.send(h11.Response(status_code=status, headers=headers, reason=phrase(status)))
    async for part in response.connection.body():
        await client.send(h11.Data(data=part))
    await client.send(h11.EndOfMessage())


async def _say(
    client: Connection,
    status: int,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> int:
    """Send an answer of the load balancer's own."""
    await client.respond(int(status), {"Server": "awselb/2.0", **(headers or {})}, body)
    return int(status)


def _count(balancer: LoadBalancer, whose: str, status: int) -> None:
    """Count a 5xx answer, separately for the target's and the load balancer's own."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = f"HTTPCode_{whose}_5XX_Count"
        balancer.counts[kind] = balancer.counts.get(kind, 0) + 1


def _redirect(config: JsonObject, host: str, path: str, port: int, scheme: str) -> str:
    """Return a redirect's location, with its placeholders filled in."""
    plain, _, query = path.partition("?")
    terms = {
        "#{protocol}": scheme,
        "#{host}": host.partition(":")[0],
        "#{port}": str(port),
        "#{path}": plain.removeprefix("/"),
        "#{query}": query,
    }
    parts = {
        "protocol": str(config.get("Protocol") or "#{protocol}"),
        "host": str(config.get("Host") or "#{host}"),
        "port": str(config.get("Port") or "#{port}"),
        "path": str(config.get("Path") or "/#{path}"),
        "query": str(config.get("Query") or "#{query}"),
    }
    for key, text in parts.items():
        filled = text
        for term, value in terms.items():
            filled = filled.replace(term, value)
        parts[key] = filled
    made = parts["protocol"].lower()
    tail = f"?{parts['query']}" if parts["query"] else ""
    return f"{made}://{parts['host']}:{parts['port']}{parts['path']}{tail}"


def _matches(status: int, matcher: str) -> bool:
    for part in matcher.split(","):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


async def _status(local: Local, path: str, host: str) -> int:
    """Return the status of a target's answer to a health check."""
    far = Connection.client(*await asyncio.open_connection(*local))
    headers = [(b"Host", host.encode()), (b"User-Agent", b"ELB-HealthChecker/2.0")]
    try:
        response = await fetch(far, b"GET", path.encode(), [*headers, (b"Connection", b"close")])
    finally:
        far.writer.close()
    return response.status


def _only(asked: list[JsonObject], found: list[JsonObject], port: int) -> list[JsonObject]:
    """Return the health of the targets that were asked about; one that is none is said to be none.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """
    health = {"State": "unused", "Reason": "Target.NotRegistered"}
    health["Description"] = "Target is not registered to the target group"
    nobody = {"TargetHealth": health}
    known = {(item["Target"]["Id"], item["Target"]["Port"]): item for item in found}
    wanted = [{"Id": each["Id"], "Port": each.get("Port", port)} for each in asked]
    return [known.get((each["Id"], each["Port"]), {"Target": each, **nobody}) for each in wanted]
