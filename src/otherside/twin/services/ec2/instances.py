"""EC2 instances, launched by an Auto Scaling group and booted with their real user data.

An instance is a directory and the processes in it. Its boot script is the user data of the launch
template. The trees that the script writes to (`/etc`, `/opt`, `/var`, `/run`) are under the
instance's own directory, and the twin provides its package manager and systemd.
"""

import asyncio
import base64
import configparser
import ipaddress
import json
import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.guest import BIN, SITE
from otherside.twin.host.processes import Confinement, Process, Processes, give, make_passable
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import FakeAutoScalingGroup
from otherside.twin.net.egress_proxy import EgressProxy, Guest, StreamPair
from otherside.twin.net.http1 import Connection, header
from otherside.twin.net.reachability import Interface, Reachability, Source
from otherside.twin.services.elbv2.load_balancer import LoadBalancers
from otherside.twin.services.logs.provider import put_lines, read_new
from otherside.twin.timestamps import iso

TREES = ("etc", "opt", "var", "run", "srv", "home")
PYTHON = "/usr/bin/python3"
CREDENTIALS_S = 6 * 3600
LOOK_S = 1.0
GENTLE_S = 2.0
_TREE = re.compile(r"(?<![\w./-])/(" + "|".join(TREES) + r")(?=/)")


@dataclass(slots=True)
class SystemdUnit:
    """One systemd service of an instance."""

    name: str
    command: list[str]
    environment: dict[str, str]
    directory: str
    log: Path
    restart: str
    pause_s: float
    wanted: bool = True
    process: Process | None = None
    starts: int = 0
    hold: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while starting the unit: partitions may change twice in quick succession."""


@dataclass(slots=True)
class Instance:
    """One booted instance."""

    identifier: str
    region: str
    group: str
    root: Path
    interface: Interface
    role: str
    environment: dict[str, str]
    confined: Confinement
    units: dict[str, SystemdUnit] = field(default_factory=dict)
    follows: dict[Path, tuple[str, str, dict[Path, int]]] = field(default_factory=dict)
    """Log files to ship, by pattern: log group, log stream, and the bytes sent of each file."""
    booted_s: float = 0.0
    boot: Process | None = None
    credentials: dict[str, str] = field(default_factory=dict)


class Instances:
    """Every instance of every Auto Scaling group."""

    def __init__(
        self,
        context: TwinContext,
        authorizer: Authorizer,
        processes: Processes,
        network: Reachability,
        egress_proxy: EgressProxy,
        directory: Path,
        region_environments: Mapping[str, Mapping[str, str]],
        load_balancers: LoadBalancers,
        *,
        instances_max: int,
    ) -> None:
        """Run instances under `directory`, with at most `instances_max` real ones per group."""
        self._context, self._authorizer, self._processes = context, authorizer, processes
        self._network, self._egress_proxy = network, egress_proxy
        self._directory, self._region_environments = directory, region_environments
        self._max = instances_max
        self._instances: dict[str, Instance] = {}
        self._load_balancers = load_balancers
        context.partitions.on_change(lambda: context.spawn(self._follow_map(), name="instances"))

    def interface(self, identifier: str) -> Interface | None:
        """Return an instance's network interface, or `None` if the instance does not run."""
        found = self._instances.get(identifier)
        return found.interface if found else None

    def all(self) -> list[Instance]:
        """Return every running instance."""
        return list(self._instances.values())

    async def run(self, region: str) -> None:
        """Keep as many instances as a Region's groups want, until the twin stops."""
        while True:
            if self._context.partitions.stands(region):
                groups = moto_backend.autoscaling(self._context.account, region).autoscaling_groups
                wanted: set[str] = set()
                for group in list(groups.values()):
                    wanted |= await self._keep(region, group)
                for instance in self.all():
                    if instance.region == region and instance.identifier not in wanted:
                        await self._terminate(instance)
            for instance in self.all():
                if instance.region == region:
                    self._send_logs(instance)
            await asyncio.sleep(LOOK_S)

    async def _keep(self, region: str, group: FakeAutoScalingGroup) -> set[str]:
        """Boot a group's missing instances, replace an unhealthy one, return the wanted ones."""
        members = [instance_state.instance.id for instance_state in group.instance_states]
        for identifier in members[: self._max]:
            if identifier not in self._instances:
                await self._boot(region, group, identifier)
        self._replace(region, group, members)
        return set(members)

    def _replace(self, region: str, group: FakeAutoScalingGroup, members: list[str]) -> None:
        """Terminate one instance that its load balancer finds unhealthy after the grace period."""
        if group.health_check_type != "ELB":
            return
        grace_s = float(group.health_check_grace_period or 0)
        for instance in self.all():
            old = self._context.now_s - instance.booted_s > grace_s
            ours = instance.identifier in members  # and not being terminated
            if ours and old and self._load_balancers.state_of(instance.identifier) == "unhealthy":
                text = f"{instance.identifier} is replaced: its load balancer finds it ill"
                self._context.emit("instance", region, text)
                backend = moto_backend.autoscaling(self._context.account, region)
                backend.terminate_instance(instance.identifier, should_decrement=False)
                return  # one at a time

    # --- one instance ---------------------------------------------------------------------------

    async def _boot(self, region: str, group: FakeAutoScalingGroup, identifier: str) -> None:
        """Boot an instance: its directory, address, role and user data."""
        held = moto_backend.ec2(self._context.account, region).get_instance(identifier)
        template = self._template(group)
        make_passable(self._directory)
        root = self._directory / identifier
        for tree in (*TREES, "var/log", "etc/systemd/system", "bin", "tmp"):
            (root / tree).mkdir(parents=True, exist_ok=True)
        for program in BIN.iterdir():
            shutil.copy(program, root / "bin")
            (root / "bin" / program.name).chmod(0o755)
        interface = Interface(
            name=identifier,
            region=region,
            subnet=str(held.subnet_id),
            address=str(held.private_ip) if held.private_ip else self._address(region, held),
            groups=tuple(template.get("SecurityGroupIds") or ()),
        )
        role = self._role(template)
        environment = self._environment(region, root)
        confined = self._processes.confinement(write=[root])
        instance = Instance(
            identifier, region, group.name, root, interface, role, environment, confined
        )
        instance.booted_s = self._context.now_s
        self._instances[identifier] = instance
        self._network.add(interface)
        source = Source(name=identifier, region=region, interface=interface)
        guest = Guest(
            source=source,
            ask=lambda wanted: self._answer(instance, wanted),
            metadata=lambda streams: self._metadata(instance, streams),
        )
        shown = self._egress_proxy.admit(f"instance/{identifier}", guest)
        instance.environment["OTHERSIDE_TWIN_GUEST"] = shown
        self._load_balancers.register(list(map(str, group.target_group_arns)), identifier)
        self._context.emit("instance", region, f"{identifier} boots")
        given = template.get("UserData") or ""
        script = base64.b64decode(given).decode() if isinstance(given, str) else given.decode()
        await self._run_user_data(instance, script)

    async def _run_user_data(self, instance: Instance, script: str) -> None:
        """Run the boot script once, as root would on first boot."""
        if not script.startswith("#!"):
            return
        place = instance.root / "var/lib/cloud/instances" / instance.identifier
        place.mkdir(parents=True, exist_ok=True)
        file = place / "user-data.sh"
        file.write_text(moved(script, instance.root))
        give(instance.root, instance.confined)
        instance.boot = await self._processes.start(
            ["/bin/bash", str(file)],
            log=instance.root / "var/log/cloud-init-output.log",
            env=instance.environment,
            cwd=place,
            confined=instance.confined,
        )
        self._context.spawn(self._watch_boot(instance), name=f"boot {instance.identifier}")

    async def _watch_boot(self, instance: Instance) -> None:
        assert instance.boot is not None
        code = await instance.boot.wait()
        if code and instance.identifier in self._instances:
            log = instance.root / "var/log/otherside-boot.log"
            tail = log.read_text(errors="replace")[-600:] if log.exists() else ""
            said = tail or instance.boot.tail(600)
            text = f"{instance.identifier}: user data ended with {code}: {said}"
            self._context.emit("instance", instance.region, text, failed=True)

    def _environment(self, region: str, root: Path) -> dict[str, str]:
        return {
            "PATH": os.pathsep.join([str(root / "bin"), "/usr/bin", "/bin", "/usr/sbin", "/sbin"]),
            "LANG": "C.UTF-8",
            "HOME": str(root),
            "TMPDIR": str(root / "tmp"),
            "PYTHONPATH": str(SITE),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self._region_environments[region],
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://169.254.169.254",
            "OTHERSIDE_TWIN_ROOT": str(root),
            "OTHERSIDE_TWIN_PYTHON": sys.executable,
        }

    async def _terminate(self, instance: Instance) -> None:
        """Terminate an instance: end its processes and remove its directory."""
        self._load_balancers.deregister(instance.identifier)
        self._instances.pop(instance.identifier, None)
        self._network.remove(instance.identifier)
        self._egress_proxy.guests.pop(instance.environment["OTHERSIDE_TWIN_GUEST"], None)
        self._context.emit("instance", instance.region, f"{instance.identifier} is terminated")
        await self._kill(instance)
        await asyncio.to_thread(shutil.rmtree, instance.root, ignore_errors=True)

    async def _kill(self, instance: Instance) -> None:
        running = [unit.process for unit in instance.units.values() if unit.process is not None]
        for process in [*running, instance.boot]:
            if process is not None and process.running:
                await self._processes.end(process)

    async def _follow_map(self) -> None:
        """Kill the processes in a lost Region; start the services again once it is back."""
        for instance in self.all():
            if not self._context.partitions.stands(instance.region):
                await self._kill(instance)
                continue
            for unit in instance.units.values():
                if unit.wanted:
                    await self._start(instance, unit)

    # --- its daemons ----------------------------------------------------------------------------

    async def _answer(self, instance: Instance, wanted: JsonObject) -> JsonObject:
        """Answer an instance's requests to its own daemons."""
        if "systemctl" in wanted:
            return await self._systemctl(instance, wanted["systemctl"], wanted["unit"])
        if "follow" in wanted:
            for item in wanted["follow"]:
                pattern = item["file_path"]
                stream = item["log_stream_name"].replace("{instance_id}", instance.identifier)
                instance.follows[Path(pattern)] = (item["log_group_name"], stream, {})
            return {}
        return {"error": f"an instance of the twin cannot {sorted(wanted)}"}

    async def _systemctl(self, instance: Instance, verb: str, name: str) -> JsonObject:
        unit = instance.units.get(name)
        if unit is None and verb in {"start", "restart", "enable"}:
            try:
                unit = self._read_unit(instance, name)
            except (OSError, KeyError, configparser.Error) as error:
                return {"error": f"{name}: {error}"}
            instance.units[name] = unit
        if unit is None:
            return {"error": f"Unit {name} not loaded."}
        match verb:
            case "is-active":
                running = unit.process is not None and unit.process.running
                return {"state": "active" if running else "inactive"}
            case "stop":
                unit.wanted = False
                if unit.process is not None:
                    await self._processes.end(unit.process, gently_s=GENTLE_S)
            case "start" | "restart":
                if verb == "restart" and unit.process is not None:
                    await self._processes.end(unit.process, gently_s=GENTLE_S)
                unit.wanted = True
                await self._start(instance, unit)
        return {}

    def _read_unit(self, instance: Instance, name: str) -> SystemdUnit:
        """Read the settings of a unit file that the twin supports."""
        file = instance.root / "etc/systemd/system" / name
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd is case-sensitive
        parser.read_string(file.read_text())
        service = parser["Service"]
        environment = dict(instance.environment)
        if service.get("EnvironmentFile"):
            place = Path(service["EnvironmentFile"].removeprefix("-"))
            for line in place.read_text().splitlines():
                key, separator, value = line.partition("=")
                if separator and not key.startswith("#"):
                    environment[key.strip()] = value
        for kind in ("RuntimeDirectory",):
            if service.get(kind):
                place = instance.root / "run" / service[kind]
                place.mkdir(parents=True, exist_ok=True)
                give(place, instance.confined)
        output = service.get("StandardOutput", "")
        log = Path(output.partition(":")[2]) if ":" in output else instance.root / "var/log/unit"
        return SystemdUnit(
            name=name,
            command=shlex.split(service["ExecStart"].replace(PYTHON, f"{sys.executable} -B")),
            environment=environment,
            directory=service.get("WorkingDirectory", str(instance.root)),
            log=log,
            restart=service.get("Restart", "no"),
            pause_s=float(service.get("RestartSec", "0.1").removesuffix("s")),
        )

    async def _start(self, instance: Instance, unit: SystemdUnit) -> None:
        """Start a service, unless it already runs or its Region has been lost in the meantime."""
        async with unit.hold:
            if unit.process is not None and unit.process.running:
                return
            if not self._context.partitions.stands(instance.region):
                return
            python = unit.command[0] == sys.executable
            begin = self._processes.fork if python else self._processes.start
            unit.process = await begin(
                unit.command,
                log=unit.log,
                env=unit.environment,
                cwd=unit.directory,
                confined=instance.confined,
            )
            unit.starts += 1
            self._context.spawn(self._restart(instance, unit, unit.process), name=unit.name)

    async def _restart(self, instance: Instance, unit: SystemdUnit, process: Process) -> None:
        """Restart a service when it ends, as its unit file configures."""
        code = await process.wait()
        if unit.process is not process or not unit.wanted:
            return
        here = self._context.partitions.stands(instance.region)
        again = unit.restart == "always" or (unit.restart == "on-failure" and code != 0)
        if again and here and instance.identifier in self._instances:
            text = f"{instance.identifier}: {unit.name} ended with {code}"
            self._context.emit("instance", instance.region, text)
            await asyncio.sleep(unit.pause_s)
            # The service may have been stopped in the meantime.
            if instance.identifier in self._instances and self._still(unit):
                await self._start(instance, unit)

    @staticmethod
    def _still(unit: SystemdUnit) -> bool:
        return unit.wanted

    def signal(self, identifier: str, unit: str, number: signal.Signals) -> None:
        """Signal a service of an instance, which is how a drill breaks an application."""
        held = self._instances[identifier].units[unit]
        if held.process is not None:
            self._processes.signal(held.process, number)

    async def systemctl(self, identifier: str, verb: str, unit: str) -> JsonObject:
        """Start or stop a service of an instance, as a logged-in user would."""
        return await self._systemctl(self._instances[identifier], verb, unit)

    # --- its metadata ---------------------------------------------------------------------------

    async def _metadata(self, instance: Instance, streams: StreamPair) -> None:
        """Serve an instance's metadata service, version 2, with the role's credentials."""
        server = Connection.server(*streams)
        request = await server.request()
        if request is None:
            return
        method, path = request.method, request.target.decode("latin-1")
        token = header(request.headers, b"x-aws-ec2-metadata-token")
        body, status = "", 200
        base = "/latest/meta-data/iam/security-credentials/"
        if method == b"PUT" and path == "/latest/api/token":
            body = base64.b64encode(os.urandom(24)).decode()
        elif not token:
            status = 401
        elif path == base:
            body = instance.role.rpartition("/")[2]
        elif path.startswith(base):
            body = json.dumps(self._credentials(instance))
        elif path == "/latest/meta-data/instance-id":
            body = instance.identifier
        elif path == "/latest/meta-data/placement/region":
            body = instance.region
        else:
            status = 404
        await server.respond(status, {"Connection": "close"}, body.encode())

    def _credentials(self, instance: Instance) -> dict[str, str]:
        held = instance.credentials
        if held and float(held["until"]) > self._context.now_s + 600:
            return held
        made = moto_backend.sts(self._context.account).assume_role(
            region_name=instance.region,
            role_session_name=instance.identifier,
            role_arn=instance.role,
            policy="",
            duration=CREDENTIALS_S,
            external_id="",
        )
        until_s = self._context.now_s + CREDENTIALS_S
        instance.credentials = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": str(made.access_key_id),
            "SecretAccessKey": str(made.secret_access_key),
            "Token": str(made.session_token),
            "Expiration": iso(until_s),
            "until": str(until_s),
        }
        return instance.credentials

    # --- its logs -------------------------------------------------------------------------------

    def _send_logs(self, instance: Instance) -> None:
        """Ship what is new in the files that the agent follows, if the role allows it."""
        backend = moto_backend.logs(self._context.account, instance.region)
        for pattern, (group, stream, sent) in list(instance.follows.items()):
            # For a pattern, the agent follows only the newest file:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
            found = pattern.parent.glob(pattern.name)
            newest = max(found, key=lambda file: file.stat().st_mtime, default=None)
            if newest is None or group not in backend.groups:
                continue
            lines, read = read_new(newest, sent.get(newest, 0))
            if not lines:
                continue
            arn = f"arn:aws:logs:{instance.region}:{self._context.account}:log-group:{group}"
            verdict = self._authorizer.role_may(
                instance.role,
                "logs:PutLogEvents",
                f"{arn}:log-stream:{stream}",
                region=instance.region,
            )
            if verdict.allowed:
                put_lines(backend, group, stream, lines, self._context.now_s)
                sent[newest] = read

    # --- launch template ------------------------------------------------------------------------

    def _template(self, group: FakeAutoScalingGroup) -> JsonObject:
        template = group.ec2_launch_template
        if template is None:
            return {}
        version = str(group.launch_template_version or "$Default")
        found = template.get_version(
            template.default_version_number
            if version == "$Default"
            else template.latest_version_number
            if version == "$Latest"
            else int(version)
        )
        return dict(found.data)

    def _role(self, template: JsonObject) -> str:
        profile = template.get("IamInstanceProfile") or {}
        name = str(profile.get("Name") or profile.get("Arn", "")).rpartition("/")[2]
        held = moto_backend.iam(self._context.account).instance_profiles
        found = next(
            (
                instance_profile
                for instance_profile in held.values()
                if instance_profile.name == name
            ),
            None,
        )
        return str(found.roles[0].arn) if found and found.roles else ""

    def _address(self, region: str, held: Any) -> str:  # noqa: ANN401 - moto's own
        subnet = moto_backend.ec2(self._context.account, region).get_subnet(held.subnet_id)
        taken = {interface.address for interface in self._network.interfaces()}
        hosts = ipaddress.ip_network(subnet.cidr_block).hosts()
        return next(str(host) for host in hosts if str(host) not in taken)


def moved(script: str, root: Path) -> str:
    """Return a script with its trees moved under an instance's own directory."""
    return _TREE.sub(lambda match: f"{root}/{match[1]}", script)
