"""Context that all parts of a twin share: account, clock, partitions and one event loop."""

import asyncio
import threading
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.latency import Latency
from otherside.twin.partitions import Partitions
from otherside.twin.ring_log import RingLog


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinEvent:
    """One event in the twin, described in plain words."""

    at_s: float
    """Twin seconds since 1970."""
    kind: str
    """The part that reports it: `database`, `alarm`, `function`, `dns`…"""
    region: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class TwinContext:
    """Shared context: account, clock, partitions, event loop and event log."""

    account: str
    regions: tuple[str, ...]
    clock: ScaledClock
    latency: Latency
    partitions: Partitions = field(default_factory=Partitions)
    events: RingLog[TwinEvent] = field(default_factory=RingLog)
    _loop: asyncio.AbstractEventLoop | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _closing: bool = False

    @property
    def now_s(self) -> float:
        """Twin seconds since 1970."""
        return self.clock.now_s()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the event loop of the twin."""
        self._loop = loop

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the twin."""
        assert self._loop is not None, "no event loop is attached yet"
        return self._loop

    def emit(self, kind: str, region: str, text: str, **facts: object) -> None:
        """Record a twin event."""
        self.events.append(
            TwinEvent(at_s=self.now_s, kind=kind, region=region, text=text, facts=facts)
        )

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str = "") -> None:
        """Run a coroutine in the loop, from any thread; an exception becomes a twin event."""
        if self._closing:
            work.close()
            return
        self.loop.call_soon_threadsafe(self._create_task, work, name)

    def _create_task(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = self.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.emit("twin", "", f"{task.get_name()} failed: {type(error).__name__}: {error}")

    def run_forever(
        self, work: Callable[..., Coroutine[Any, Any, Any]], *arguments: object
    ) -> None:
        """Run a coroutine function for the lifetime of the twin; restart it when it raises."""

        async def again() -> None:
            told: set[str] = set()
            while True:
                try:
                    await work(*arguments)
                except Exception as error:  # noqa: BLE001 - a part that fails must not stay down
                    text = f"{work.__qualname__} failed: {type(error).__name__}: {error}"
                    if text not in told:
                        told.add(text)
                        self.emit("twin", "", text, trace=traceback.format_exc())
                await asyncio.sleep(1.0)

        self.spawn(again(), name=work.__qualname__)

    def call_later(
        self, seconds: float, work: Callable[[], object], *, name: str = "call_later"
    ) -> None:
        """Call a function in the loop after some seconds of twin time."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            work()

        self.spawn(wait(), name=name)

    def run(self, work: Coroutine[Any, Any, Any], timeout_s: float = 120.0) -> Any:  # noqa: ANN401 - any JSON value
        """Run a coroutine in the loop from another thread; return its result."""
        assert threading.current_thread() is not threading.main_thread() or not self._in_loop()
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def _in_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    async def close(self) -> None:
        """Cancel every task that still runs."""
        self._closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
