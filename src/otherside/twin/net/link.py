"""Carries bytes over a link: with the link's delay, and only while it is open."""

import asyncio
import contextlib
import random
from collections import deque

from otherside.twin.context import TwinContext

CHUNK = 1 << 16
HELD_MAX = 1 << 20
"""Maximum number of bytes in flight, like a TCP window."""
LOOK_S = 0.05
"""How often a cut link is checked, in real seconds."""


async def pipe(
    context: TwinContext,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    source: str,
    target: str,
) -> None:
    """Carry bytes in one direction until either end closes.

    While the link is cut, nothing arrives and neither end is notified. Bytes in flight arrive once
    the link is open again, if both ends are still there.
    """
    chance = random.Random()  # noqa: S311 - jitter
    waiting: deque[tuple[float, bytes]] = deque()
    arrived, room = asyncio.Event(), asyncio.Event()
    room.set()

    async def take() -> None:
        held = 0
        while data := await _read(reader):
            path = context.partitions.path(source, target)
            delay_s = path.delay_s + chance.uniform(0, path.jitter_s)
            if path.bytes_per_s:
                delay_s += len(data) / path.bytes_per_s
            waiting.append((context.clock.monotonic_s() + delay_s, data))
            arrived.set()
            held = sum(len(item) for _, item in waiting)
            if held > HELD_MAX:
                room.clear()
                await room.wait()
        waiting.append((0.0, b""))
        arrived.set()

    taking = asyncio.create_task(take())
    try:
        while True:
            while not waiting:
                arrived.clear()
                await arrived.wait()
            at_s, data = waiting.popleft()
            await asyncio.sleep(max(0.0, at_s - context.clock.monotonic_s()))
            while not context.partitions.reaches(source, target):  # noqa: ASYNC110 - threads call back
                await asyncio.sleep(LOOK_S * context.clock.speed)
            room.set()
            if not data:
                break
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
    finally:
        taking.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await taking


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Return the next bytes; a reset counts as the end of the stream."""
    try:
        return await reader.read(CHUNK)
    except OSError:
        return b""


async def splice(
    context: TwinContext,
    other_tuple: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    other: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    *,
    here: str,
    there: str,
) -> None:
    """Carry bytes both ways between two connections, until both directions are done."""
    out = asyncio.create_task(pipe(context, other_tuple[0], other[1], source=here, target=there))
    back = asyncio.create_task(pipe(context, other[0], other_tuple[1], source=there, target=here))
    try:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await asyncio.gather(out, back)
    finally:
        for task in (out, back):
            task.cancel()
        await asyncio.gather(out, back, return_exceptions=True)
        for writer in (other_tuple[1], other[1]):
            writer.close()
