"""A twin as its owner holds it: up, provisioned, broken, healed, and gone without a trace.

The cloud is a process of its own, and so is the parent of everything that it starts. Whoever of the
three dies, however, the others notice and end.
"""

import contextlib
import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
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
from otherside.twin.host.registry import PREFIX
from otherside.twin.services.resource_types import RESOURCE_TYPES

READY_S, ANSWER_S, END_S = 60.0, 120.0, 20.0
REGIONS = ("us-east-2", "us-west-2", "us-east-1")


class TwinError(Exception):
    """A twin that did not come up, or is gone; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinSettings:
    """What a twin is to be."""

    regions: tuple[str, ...] = REGIONS
    speed: float = 1.0
    """Twin seconds in a second of the machine's."""
    latency: bool = True
    """Whether AWS's own times are modelled; without, only what is real takes time."""
    instances_max: int = 1
    """How many instances of each Auto Scaling group really run."""

    def __post_init__(self) -> None:
        """Refuse what no twin can be.

        Raises:
            ValueError: If time would stand still, or there is no Region.
        """
        if not self.speed > 0:
            msg = f"a twin's speed is more than 0, and not {self.speed}"
            raise ValueError(msg)
        if not self.regions:
            msg = "a twin has one Region or more"
            raise ValueError(msg)


@dataclass(slots=True)
class Twin:
    """One running twin. Use it as a context manager."""

    settings: TwinSettings = field(default_factory=TwinSettings)
    expected: Project | None = field(default=None, repr=False)
    """What will be provisioned, if that is known: it is loaded while the cloud comes up."""
    known: dict[str, Any] = field(default_factory=dict, repr=False)
    """Where everything is, once it is up; the provisioner's secret is among it."""
    provisioned: Provisioned | None = field(default=None, repr=False)
    _process: "subprocess.Popen[str] | None" = field(default=None, repr=False)
    _directory: Path | None = field(default=None, repr=False)
    _answers: dict[int, "queue.Queue[dict[str, Any]]"] = field(default_factory=dict, repr=False)
    _ready: "queue.Queue[dict[str, Any] | None]" = field(default_factory=queue.Queue, repr=False)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)
    _reader: threading.Thread | None = field(default=None, repr=False)
    _clients: ApiClients | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        """Start the twin, and wait until its API answers."""
        self._directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.directory.chmod(0o711)  # PostgreSQL's own user has to get through
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self.close()

    @property
    def clock(self) -> ScaledClock:
        """The twin's clock."""
        return ScaledClock.from_text(self.known["clock"])

    @property
    def directory(self) -> Path:
        """Where the twin keeps everything; it is gone with the twin.

        Raises:
            TwinError: If it was never started.
        """
        if self._directory is None:
            msg = "the twin was not started"
            raise TwinError(msg)
        return self._directory

    @property
    def clients(self) -> ApiClients:
        """boto3 clients, as the provisioner."""
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
        """Make everything that a project declares, and wait until the databases are up.

        Raises:
            ProvisionError: If something cannot be made.
            Exception: Whatever the program itself raises.
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
        """Do something to the twin, or ask it something, by name; see `control.py`.

        Raises:
            TwinError: If the twin is gone, or refuses.
        """
        number = next(self._ids)
        answer: queue.Queue[dict[str, Any]] = queue.Queue()
        self._answers[number] = answer
        if self._ended.is_set():  # asked after the last answer was given: nobody would wake us
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
            msg = f"{what}: {found['error']}"
            raise TwinError(msg)
        return found["result"]

    def region_of(self, address: str) -> str | None:
        """Return the Region that one of the twin's addresses is in; `None` is outside of all."""
        number = int(address.split(".")[2])
        return self.settings.regions[number - 1] if number else None

    def check(self) -> None:
        """Raise if the cloud has ended by itself.

        Raises:
            TwinError: If it has.
        """
        if self._process is None or self._ended.is_set() or self._process.poll() is not None:
            msg = "the twin's cloud has ended by itself"
            raise TwinError(msg)

    def close(self) -> None:
        """End everything, and wait until it is gone; closing twice is no error."""
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
            # The supervisor removes it, and may still be at it where the cloud was killed.
            shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self) -> None:
        log = self.directory / "cloud.log"
        environment = {
            key: value
            for key, value in os.environ.items()
            if key in {"PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH"}
        }
        environment["MALLOC_ARENA_MAX"] = "1"  # an interpreter's threads take turns anyway
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "otherside.twin.main"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is the owner's to hear
            )
        with contextlib.suppress(TwinError):  # one that has ended already says why in its log
            self._send(
                {
                    "regions": list(self.settings.regions),
                    "speed": self.settings.speed,
                    "latency": self.settings.latency,
                    "instances_max": self.settings.instances_max,
                    "directory": str(self.directory),
                }
            )
            if self.expected is not None:  # before anybody waits: it is the first that it is asked
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
            msg = f"the twin did not come up: {tail.strip() or 'it said nothing'}"
            raise TwinError(msg)
        self.known = found

    def _send(self, message: dict[str, Any]) -> None:
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
        """Hand every answer to whoever waits for it, until the twin ends."""
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
    """Have a twin for the length of a block."""
    with Twin(settings or TwinSettings()) as running:
        yield running
