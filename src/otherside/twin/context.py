"""What every part of the cloud stands on: the account, the clock, the map, and one event loop."""

import asyncio
import threading
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from otherside.twin.guest.scaled_clock import Warp
from otherside.twin.latency import Latency
from otherside.twin.net.partitions import Geography
from otherside.twin.ring_log import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened in the cloud, as a person would tell it."""

    at_s: float
    """Twin seconds since 1970."""
    kind: str
    """Which part tells: `database`, `alarm`, `function`, `dns`…"""
    region: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Ground:
    """The account, the clock, the map, the loop and the story so far."""

    account: str
    regions: tuple[str, ...]
    warp: Warp
    latency: Latency
    geography: Geography = field(default_factory=Geography)
    happenings: Trail[Happening] = field(default_factory=Trail)
    _loop: asyncio.AbstractEventLoop | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _closing: bool = False

    @property
    def now_s(self) -> float:
        """Twin seconds since 1970."""
        return self.warp.now_s()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say which loop everything runs in."""
        self._loop = loop

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that everything runs in."""
        assert self._loop is not None, "the ground has no loop yet"
        return self._loop

    def tell(self, kind: str, region: str, text: str, **facts: object) -> None:
        """Note that something happened."""
        self.happenings.append(
            Happening(at_s=self.now_s, kind=kind, region=region, text=text, facts=facts)
        )

    def start(self, work: Coroutine[Any, Any, Any], *, name: str = "") -> None:
        """Run something in the loop, from any thread; what it raises is told, not lost."""
        if self._closing:
            work.close()
            return
        self.loop.call_soon_threadsafe(self._start, work, name)

    def _start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = self.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.tell("twin", "", f"{task.get_name()} failed: {type(error).__name__}: {error}")

    def keep(self, work: Callable[..., Coroutine[Any, Any, Any]], *arguments: object) -> None:
        """Have something run for as long as the twin lives; what it raises is told, once each."""

        async def again() -> None:
            told: set[str] = set()
            while True:
                try:
                    await work(*arguments)
                except Exception as error:  # noqa: BLE001 - a part that fails must not stay down
                    text = f"{work.__qualname__} failed: {type(error).__name__}: {error}"
                    if text not in told:
                        told.add(text)
                        self.tell("twin", "", text, trace=traceback.format_exc())
                await asyncio.sleep(1.0)

        self.start(again(), name=work.__qualname__)

    def later(self, seconds: float, work: Callable[[], object], *, name: str = "later") -> None:
        """Call something in the loop after a span of twin time."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            work()

        self.start(wait(), name=name)

    def run(self, work: Coroutine[Any, Any, Any], timeout_s: float = 120.0) -> Any:  # noqa: ANN401 - whatever AWS or JSON has
        """Run something in the loop from another thread, and return what it returns."""
        assert threading.current_thread() is not threading.main_thread() or not self._in_loop()
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def _in_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    async def close(self) -> None:
        """Cancel everything that still runs."""
        self._closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
