"""Control API for the owner of a twin: operations that AWS's API does not offer."""

import signal
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from otherside.twin.app import TwinApp
from otherside.twin.gateway.faults import ApiFault, ApiFaultMode
from otherside.twin.json_types import JsonObject
from otherside.twin.partitions import NetworkLink
from otherside.twin.services.rds.postgres import Server


class Control:
    """Fault-injection and inspection API for the process that owns the twin."""

    def __init__(self, cloud: TwinApp) -> None:
        self._cloud = cloud

    async def do(self, what: str, how: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Run one control operation by name.

        Raises:
            LookupError: If there is no such operation.
        """
        method = getattr(self, f"do_{what.replace('-', '_')}", None)
        if method is None:
            raise LookupError(what)
        return await method(**how)

    def is_guest(self, pid: int) -> bool:
        """Return whether a process belongs to the stack, which may not control its own cloud."""
        return self._cloud.processes.has_started(pid)

    async def do_describe(self) -> JsonObject:
        """Return the addresses, credentials, settings and clock of the twin."""
        return self._cloud.describe()

    async def do_status(self, *, since_last: bool = False) -> JsonObject:
        """Return the state of the twin: components, active faults and time.

        `since_last` is for whoever samples its lateness: only that question begins a new span.
        """
        cloud = self._cloud
        context = cloud.context
        return {
            **cloud.describe(),
            "twin_s": context.clock.elapsed_s(),
            "real_s": context.clock.real_elapsed_s(),
            "now_s": context.now_s,
            "late_s": round(cloud.pace.lateness_s(reset=since_last), 2),
            "lost": sorted(context.partitions.lost()),
            "cut": sorted(context.partitions.cuts()),
            "faults": {name: asdict(item) for name, item in cloud.faults.now().items()},
            "instances": [
                {
                    "id": item.identifier,
                    "region": item.region,
                    "group": item.group,
                    "health": cloud.load_balancers.state_of(item.identifier),
                    "units": {
                        unit.name: unit.process is not None and unit.process.running
                        for unit in item.units.values()
                    },
                }
                for item in cloud.instances.all()
            ],
            "databases": [
                {
                    "cluster": server.arn.rpartition(":")[2],
                    "region": server.region,
                    "running": server.process is not None and server.process.running,
                    "writer": cloud.rds.is_writer(server.arn),
                    "follows": server.source,
                    "lag_s": await self._lag_s(server),
                }
                for server in cloud.postgres.servers()
            ],
            "checks": {
                name: cloud.health_checkers.healthy(name) for name in cloud.checks.configurations
            },
        }

    async def _lag_s(self, server: Server) -> float | None:
        """Return a standby's replication lag in twin seconds, or `None` if it does not run."""
        if server.source is None or server.process is None or not server.process.running:
            return None
        return await self._cloud.postgres.measure_lag(server.arn)

    async def do_expect(self) -> None:
        """Prepare for a stack, ahead of its first calls."""
        self._cloud.expect_stack()

    async def do_settle(self) -> None:
        """Wait until every requested database is up."""
        await self._cloud.postgres.all_ready()

    async def do_lose(self, region: str) -> None:
        """Take a Region down, with everything in it."""
        self._cloud.context.emit("disaster", region, f"{region} is lost")
        self._cloud.context.partitions.lose(region)

    async def do_restore(self, region: str) -> None:
        """Bring a lost Region back."""
        self._cloud.context.emit("disaster", region, f"{region} is back")
        self._cloud.context.partitions.restore(region)

    async def do_cut(self, source: str, target: str) -> None:
        """Cut the link from one place to another, in this direction only."""
        self._cloud.context.emit("disaster", source, f"nothing from {source} reaches {target}")
        self._cloud.context.partitions.cut(source, target)

    async def do_mend(self, source: str, target: str) -> None:
        """Restore the link from one place to another, in this direction only."""
        self._cloud.context.emit("disaster", source, f"{source} reaches {target} again")
        self._cloud.context.partitions.mend(source, target)

    async def do_reconnect(self) -> list[str]:
        """Restore every link that is cut; return them as text."""
        partitions = self._cloud.context.partitions
        links = sorted(partitions.cuts())
        for source, target in links:
            await self.do_mend(source, target)
        return [f"{source} to {target}" for source, target in links]

    async def do_lengthen(self, source: str, target: str, **path: float) -> None:
        """Set delay, jitter and bandwidth of the link from one place to another."""
        self._cloud.context.partitions.lengthen(source, target, NetworkLink(**path))

    async def do_delegate(self, name: str) -> None:
        """Delegate a name to its hosted zone, as the owner of the parent zone would.

        The zone may be created before or after. Until it is delegated, resolvers cannot find it.
        """
        self._cloud.resolver.delegated.add(name.rstrip(".").lower())

    async def do_undelegate(self, name: str) -> None:
        """Remove the delegation of a name."""
        self._cloud.resolver.delegated.discard(name.rstrip(".").lower())

    async def do_fault(self, name: str, **fault: Any) -> None:  # noqa: ANN401 - JSON
        """Inject a fault into the API."""
        mode = ApiFaultMode(fault.pop("mode", "refuse"))
        self._cloud.faults.inject(name, ApiFault(mode=mode, **fault))

    async def do_heal(self, name: str) -> None:
        """Remove an injected fault from the API."""
        self._cloud.faults.heal(name)

    async def do_systemctl(self, instance: str, verb: str, unit: str) -> JsonObject:
        """Start or stop a service on an instance."""
        return await self._cloud.instances.systemctl(instance, verb, unit)

    async def do_database(self, cluster: str, verb: str) -> None:
        """Stop a cluster's server without replacing it, or start it again."""
        postgres = self._cloud.postgres
        server = next(server for server in postgres.servers() if server.arn.endswith(f":{cluster}"))
        if verb == "stop":
            await postgres.fence(server.arn)
        else:
            await postgres.resume(server.arn)

    async def do_occupy(self, cluster: str, region: str, status: str, seconds: float) -> None:
        """Hold a cluster in a state of Aurora's own work for a while, such as `backing-up`."""
        self._cloud.context.emit("database", region, f"{cluster} is {status}")
        self._cloud.rds.occupy(region, cluster, status, seconds)

    async def do_signal(self, instance: str, unit: str, number: int) -> None:
        """Send a signal to a service on an instance."""
        self._cloud.instances.signal(instance, unit, signal.Signals(number))

    async def do_kill(self, function: str) -> int:
        """Kill a function's running environments; return how many there were."""
        return await self._cloud.functions.kill(function)

    async def do_events(self, since: int = 0) -> JsonObject:
        """Return the events from a position on, and the next position."""
        position, told = self._cloud.context.events.since(since)
        return {"next": position, "events": [asdict(item) for item in told]}

    async def do_calls(self, since: int = 0) -> JsonObject:
        """Return the API calls from a position on, and the next position."""
        position, calls = self._cloud.api_gateway.calls.since(since)
        names = ("at_s", "service", "operation", "region", "source", "principal", "status", "error")
        told = [{name: getattr(call, name) for name in names} for call in calls]
        return {"next": position, "calls": told}

    async def do_runs(self, since: int = 0) -> JsonObject:
        """Return the finished function runs from a position on, and the next position."""
        position, runs = self._cloud.functions.runs.since(since)
        return {"next": position, "runs": runs}

    async def do_lines(self, since: int = 0) -> JsonObject:
        """Return the functions' output from a position on, and the next position."""
        position, lines = self._cloud.functions.lines.since(since)
        return {"next": position, "lines": lines}

    async def do_deliveries(self, since: int = 0) -> JsonObject:
        """Return the event deliveries from a position on, and the next position."""
        position, delivered = self._cloud.event_bridge.delivered.since(since)
        return {"next": position, "deliveries": delivered}

    async def do_query(self, cluster: str, statement: str) -> list[list[Any]]:
        """Return a statement's rows from a cluster, whether or not the network can reach it."""
        server = next(
            server
            for server in self._cloud.postgres.servers()
            if server.arn.endswith(f":{cluster}")
        )
        return [list(row) for row in await self._cloud.postgres.query(server.arn, statement)]
