"""Process that runs one twin.

It reads its settings from standard input, writes its addresses to standard output once it is up,
then answers its owner's requests on the same two streams. It exits when standard input closes. The
clock is scaled before anything else is imported.
"""

import gc
import json
import os
import sys
from pathlib import Path

from otherside.twin.guest.scaled_clock import ScaledClock, install, real_sleep
from otherside.twin.host.sdk_preload import defer_offerings, share_models
from otherside.twin.json_types import JsonObject

if __name__ == "__main__":
    gc.disable()  # during imports nothing is garbage, and collections take a third of the time
    _told = json.loads(sys.stdin.readline())
    _clock = ScaledClock.starting_now(float(_told["speed"]), Path(_told["directory"]) / "clock")
    install(_clock)
    share_models()
    defer_offerings()

import asyncio
import contextlib
import logging
import socket
import struct
import threading
import warnings
from functools import partial

from otherside.twin.app import TwinApp, TwinAppSettings
from otherside.twin.control import Control
from otherside.twin.gateway.server import serving
from otherside.twin.host import twin_directory

END_S = 15.0
"""Time limit for an orderly shutdown, in real seconds."""


def _end_at_once(cloud: TwinApp) -> None:
    """Exit after the supervisor died: its children died with it; only the directory is left."""
    twin_directory.remove(cloud.wanted.directory)
    os._exit(1)


async def _live(cloud: TwinApp, lines: "asyncio.Queue[str | None]") -> None:
    """Open the twin, answer its owner's requests, and close it when the owner is gone."""
    cloud.processes.on_lost = partial(_end_at_once, cloud)
    await cloud.open()
    control = Control(cloud)
    path = str(cloud.wanted.directory / twin_directory.CONTROL)
    others = await asyncio.start_unix_server(partial(_answer_others, control), path)
    _say({"ready": cloud.describe()})
    try:
        while (line := await lines.get()) is not None:
            asyncio.get_running_loop().create_task(_answer(control, line))
    finally:
        others.close()
        await cloud.close()


async def _answer_others(
    control: Control, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer another process of the same user, but for guests: one request per line."""
    peer = writer.get_extra_info("socket")
    if hasattr(socket, "SO_PEERCRED"):  # Linux
        pid, _, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if control.is_guest(pid):
            writer.close()
            return
    try:
        while line := await reader.readline():
            writer.write(json.dumps(await _result(control, line.decode()), default=str).encode())
            writer.write(b"\n")
            await writer.drain()
    except (OSError, ValueError):
        return
    finally:
        writer.close()


async def _answer(control: Control, line: str) -> None:
    _say(await _result(control, line))


async def _result(control: Control, line: str) -> JsonObject:
    request = json.loads(line)
    try:
        result = await control.do(request["do"], request.get("with") or {})
    except Exception as error:  # noqa: BLE001 - every error is reported to the caller
        return {"id": request["id"], "error": f"{type(error).__name__}: {error}"}
    return {"id": request["id"], "result": result}


_saying = threading.Lock()


def _say(message: JsonObject) -> None:
    with _saying:
        sys.__stdout__.write(json.dumps(message, default=str) + "\n")  # type: ignore[union-attr]  # it is a pipe
        sys.__stdout__.flush()  # type: ignore[union-attr]  # as above


def _listen(loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[str | None]") -> None:
    """Forward the owner's requests to the event loop; shut down when its input closes."""
    with contextlib.suppress(RuntimeError):
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)
    real_sleep(END_S)
    os._exit(1)  # something hangs, and nothing may outlive the owner


def main(told: JsonObject, clock: ScaledClock) -> None:
    """Run a twin until its owner is gone."""
    sys.stdout = sys.stderr  # the owner reads `sys.__stdout__`
    os.umask(0o077)  # only this user may read keys and other files
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    gc.freeze()
    gc.enable()
    wanted = TwinAppSettings(
        regions=tuple(told["regions"]),
        directory=Path(told["directory"]),
        speed=float(told["speed"]),
        latency=bool(told["latency"]),
        instances_max=int(told["instances_max"]),
    )
    cloud = TwinApp(wanted, clock)
    addresses = [cloud.addresses.api(), *cloud.api_addresses().values()]
    loop = asyncio.new_event_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    threading.Thread(target=_listen, args=(loop, lines), daemon=True).start()
    try:
        with serving(cloud.api_gateway, addresses, cloud.api_port):
            loop.run_until_complete(_live(cloud, lines))
    finally:
        loop.close()


if __name__ == "__main__":
    main(_told, _clock)
    os._exit(0)  # API threads may still wait for callers that hang
