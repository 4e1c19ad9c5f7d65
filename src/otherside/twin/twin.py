"""A twin as its owner uses it: start it, provision it, inject faults, and tear it down.

The twin runs in its own process, and so does the supervisor, the parent of everything that the twin
starts. If the owner or either of them dies, however it dies, the other two notice and exit.
"""

import contextlib
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from otherside.program.monitor import Transform
from otherside.program.project import Project
from otherside.twin.deploy.api_clients import ApiClients
from otherside.twin.deploy.provisioner import ProgressCallback, Provisioned, provision
from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.host import twin_directory
from otherside.twin.json_types import JsonObject
from otherside.twin.services.resource_types import RESOURCE_TYPES

READY_S, ANSWER_S, END_S = 60.0, 120.0, 20.0
REGIONS = ("us-east-2", "us-west-2", "us-east-1")


class TwinError(Exception):
    """Raised when a twin did not come up or is gone; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinSettings:
    """Settings of a twin."""

    regions: tuple[str, ...] = REGIONS
    speed: float = 1.0
    """Twin seconds per real second, at the most: a twin that its machine makes late slows down."""
    latency: bool = True
    """Whether to model AWS's own latencies; if not, only real work takes time."""
    instances_max: int = 1
    """How many instances of each Auto Scaling group really run."""

    def __post_init__(self) -> None:
        """Reject invalid settings.

        Raises:
            ValueError: If the speed is not positive, or there is no Region.
        """
        if not self.speed > 0:
            msg = f"a twin's speed must be greater than 0, not {self.speed}"
            raise ValueError(msg)
        if not self.regions:
            msg = "a twin needs at least one Region"
            raise ValueError(msg)


@dataclass(slots=True)
class Twin:
    """One running twin. Use it as a context manager."""

    settings: TwinSettings = field(default_factory=TwinSettings)
    expected: Project | None = field(default=None, repr=False)
    """The project to provision, if known: it is loaded while the twin comes up."""
    known: JsonObject = field(default_factory=dict, repr=False)
    """Addresses and settings of the running twin, including the provisioner's secret key."""
    provisioned: Provisioned | None = field(default=None, repr=False)
    swept: tuple[Path, ...] = field(default=(), repr=False)
    """What killed twins had left, and was removed before this one started."""
    _process: "subprocess.Popen[str] | None" = field(default=None, repr=False)
    _directory: Path | None = field(default=None, repr=False)
    _answers: dict[int, "queue.Queue[JsonObject]"] = field(default_factory=dict, repr=False)
    _ready: "queue.Queue[JsonObject | None]" = field(default_factory=queue.Queue, repr=False)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)
    _reader: threading.Thread | None = field(default=None, repr=False)
    _clients: ApiClients | None = field(default=None, repr=False)
    _clock: ScaledClock | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        """Start the twin and wait until its API answers."""
        self.swept = tuple(left.directory for left in twin_directory.sweep())
        try:
            self._directory = twin_directory.make()
        except OSError as error:
            raise TwinError(str(error)) from error
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the twin."""
        self.close()

    @property
    def clock(self) -> ScaledClock:
        """The twin's clock, which goes on after the twin has ended."""
        if self._clock is None:
            self._clock = ScaledClock.from_text(self.known["clock"])
        return self._clock

    @property
    def directory(self) -> Path:
        """The twin's directory, removed when the twin ends.

        Raises:
            TwinError: If the twin was never started.
        """
        if self._directory is None:
            msg = "the twin was not started"
            raise TwinError(msg)
        return self._directory

    @property
    def clients(self) -> ApiClients:
        """boto3 clients with the provisioner's credentials."""
        if self._clients is None:
            known = self.known
            self._clients = ApiClients(
                known["endpoint"], known["access_key_id"], known["secret_access_key"]
            )
        return self._clients

    def provision(
        self,
        project: Project,
        *,
        transform: Transform = lambda resource: resource,
        told: ProgressCallback = lambda _: None,
    ) -> Provisioned:
        """Create everything that a project declares, and wait until the databases are up.

        Raises:
            ProvisionError: If a resource cannot be created.
            Exception: Any error that the program itself raises.
        """
        if self.expected is None:
            self.do("expect")
        made = provision(
            project,
            self.clients,
            account=self.known["account"],
            run=self.directory.name,
            regions=self.settings.regions,
            transform=transform,
            told=told,
            resource_types=RESOURCE_TYPES,
        )
        self.do("settle")
        self.provisioned = made
        return made

    def do(self, what: str, **how: object) -> Any:  # noqa: ANN401 - JSON
        """Run a control operation by name and return its result; see `control.py`.

        Raises:
            TwinError: If the twin is gone, or the operation fails.
        """
        number = next(self._ids)
        answer: queue.Queue[JsonObject] = queue.Queue()
        self._answers[number] = answer
        if self._ended.is_set():  # the reader has stopped: no answer would arrive
            self._answers.pop(number)
            msg = "the twin is gone"
            raise TwinError(msg)
        self._send({"id": number, "do": what, "with": how})
        try:
            found = answer.get(timeout=ANSWER_S)
        except queue.Empty:
            msg = f"the twin did not answer {what} within {ANSWER_S:.0f} s"
            raise TwinError(msg) from None
        finally:
            self._answers.pop(number, None)
        if "error" in found:
            why = twin_directory.full(self.directory) or found["error"]
            msg = f"{what}: {why}"
            raise TwinError(msg)
        return found["result"]

    def region_of(self, address: str) -> str | None:
        """Return the Region of one of the twin's addresses, or `None` if it is outside all."""
        number = int(address.split(".")[2])
        return self.settings.regions[number - 1] if number else None

    def check(self) -> None:
        """Raise if the twin's process has exited unexpectedly.

        Raises:
            TwinError: If it has.
        """
        if self._process is None or self._ended.is_set() or self._process.poll() is not None:
            msg = "the twin's process exited unexpectedly"
            raise TwinError(msg)

    def close(self) -> None:
        """Stop the twin and wait until it is gone; closing twice is no error."""
        if self._clients is not None:
            self._clients.close()
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if self._reader is not None:
                self._reader.join()
            assert process.stdout is not None
            process.stdout.close()
            self._process = None
        if self._directory is not None:
            # The supervisor removes it too, and may still be doing so if the twin was killed.
            twin_directory.remove(self._directory)

    def _start(self) -> None:
        log = self.directory / "cloud.log"
        environment = {
            key: value
            for key, value in os.environ.items()
            if key in {"PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH"}
        }
        environment["MALLOC_ARENA_MAX"] = "1"  # one arena will do: Python threads take turns
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "otherside.twin.main"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
                start_new_session=True,  # only the owner handles Ctrl-C
            )
        with contextlib.suppress(TwinError):  # if it has already exited, its log says why
            self._send(
                {
                    "regions": list(self.settings.regions),
                    "speed": self.settings.speed,
                    "latency": self.settings.latency,
                    "instances_max": self.settings.instances_max,
                    "directory": str(self.directory),
                }
            )
            if self.expected is not None:  # early, to be its first request
                self._send({"id": next(self._ids), "do": "expect"})
        assert self._process.stdout is not None
        reading = (self._process.stdout,)
        self._reader = threading.Thread(target=self._read, args=reading, daemon=True)
        self._reader.start()
        if self.expected is not None:
            self.expected.load()
        try:
            found = self._ready.get(timeout=READY_S)
        except queue.Empty:
            found = None
        if found is None:
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            why = twin_directory.full(self.directory) or tail.strip() or "it logged nothing"
            msg = f"the twin did not come up: {why}"
            raise TwinError(msg)
        self.known = found
        self._clock = ScaledClock.from_text(found["clock"])

    def _send(self, message: JsonObject) -> None:
        process = self._process
        if process is None or process.stdin is None:
            msg = "the twin is not up"
            raise TwinError(msg)
        with self._lock:
            try:
                process.stdin.write(json.dumps(message) + "\n")
                process.stdin.flush()
            except OSError as error:
                msg = "the twin is gone"
                raise TwinError(msg) from error

    def _read(self, lines: IO[str]) -> None:
        """Deliver each answer to its waiting caller, until the twin ends."""
        for line in lines:
            message = json.loads(line)
            if "ready" in message:
                self._ready.put(message["ready"])
            elif (waiting := self._answers.get(message["id"])) is not None:
                waiting.put(message)
        self._ended.set()
        self._ready.put(None)
        for waiting in list(self._answers.values()):
            waiting.put({"error": "the twin is gone"})


@contextlib.contextmanager
def twin(settings: TwinSettings | None = None) -> Iterator[Twin]:
    """Run a twin for the duration of a `with` block."""
    with Twin(settings or TwinSettings()) as running:
        yield running
