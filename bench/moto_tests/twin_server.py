"""A twin with nothing deployed, on one port, that moto's tests can reset.

    python bench/moto_tests/twin_server.py PORT

`POST /moto-api/reset` drops moto's state and wires up a new twin; whatever else is asked below
`/moto-api` is moto's. It ends when its standard input does.
"""

import asyncio
import logging
import os
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from otherside.twin.guest.scaled_clock import ScaledClock, install
from otherside.twin.host.sdk_preload import defer_offerings, share_models

CLOCK = ScaledClock.starting_now(1.0)
install(CLOCK)
share_models()
defer_offerings()

from moto.moto_server.werkzeug_app import (  # noqa: E402 - the clock comes first
    DomainDispatcherApplication,
    create_backend_app,
)

from otherside.twin.app import PROVISIONER, TwinApp, TwinAppSettings  # noqa: E402 - as above
from otherside.twin.gateway import api_gateway  # noqa: E402 - as above
from otherside.twin.gateway.authorizer import Principal  # noqa: E402 - as above
from otherside.twin.gateway.moto_apps import MotoApps  # noqa: E402 - as above
from otherside.twin.gateway.server import serving  # noqa: E402 - as above
from otherside.twin.host.twin_directory import PREFIX  # noqa: E402 - as above
from otherside.twin.moto_backend import (  # noqa: E402 - as above
    FakeBucket,
    KmsResponse,
    LambdaFunction,
    Subscription,
)

KEY, SECRET = "FOOBARKEY", "FOOBARSECRET"
REGIONS = ("us-east-2", "us-west-2", "us-east-1")
WAIT_S = 60
SEAMS = [
    (kind, name, kind.__dict__.get(name))
    for kind, name in (
        (Subscription, "publish"),
        (KmsResponse, "_validate_cmk_id"),
        (FakeBucket, "get_permission"),
        (LambdaFunction, "_invoke_lambda"),
    )
]
"""What a twin changes in moto's classes: another twin would change the change."""


def undo() -> None:
    """Undo what the last twin changed."""
    for kind, name, original in SEAMS:
        if original is not None:
            setattr(kind, name, original)
        elif name in kind.__dict__:
            delattr(kind, name)


class ResettableTwin:
    """A twin behind one WSGI application, which is replaced by a new one on demand."""

    def __init__(self) -> None:
        """Start the first twin."""
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.lock = threading.Lock()
        self.backends = MotoApps()
        self.plain = DomainDispatcherApplication(create_backend_app)
        self.app: TwinApp | None = None
        self.used = False
        self.renew(lambda: None)

    def wait(self, coroutine: Any) -> None:
        """Run a coroutine in the twin's loop to its end."""
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(WAIT_S)

    def renew(self, reset_moto: Callable[[], object]) -> None:
        """End the twin, reset moto and start another one."""
        if self.app is not None:
            self.end()
        reset_moto()
        undo()
        directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        directory.chmod(0o711)
        settings = TwinAppSettings(
            regions=REGIONS, directory=directory, latency=False, instances_max=0
        )
        app = TwinApp(settings, CLOCK)
        app.backends = app.api_gateway.moto = self.backends
        app.key_id, app.secret = KEY, SECRET
        app.authorizer.provisioner_key = KEY
        app.authorizer.provisioner = Principal(arn=PROVISIONER, secret=SECRET, provisioner=True)

        async def opened() -> None:
            app.context._loop = asyncio.get_running_loop()
            app.processes.on_lost = lambda *_: print("a process was lost", file=sys.stderr)
            await app.open()

        self.wait(opened())
        self.app, self.used = app, False

    def end(self) -> None:
        """End the twin and remove its directory."""
        app, self.app = self.app, None
        if app is not None:
            app.api_gateway.stopping.set()
            self.wait(app.close())
            shutil.rmtree(app.wanted.directory, ignore_errors=True)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/moto-api"):
            self.used = True
            assert self.app is not None
            return self.app.api_gateway(environ, start_response)
        with self.lock:
            if path != "/moto-api/reset":
                self.used = True
                return list(self.plain(environ, start_response))
            if self.used:
                self.renew(lambda: list(self.plain(environ, start_response)))
            else:
                start_response("200 OK", [("Content-Type", "application/json")])
            return [b'{"status": "ok"}']


def main() -> None:
    """Serve until standard input ends."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.umask(0o077)
    # moto's tests set their own clocks, and sign by them.
    api_gateway.time_problem = lambda *_: None
    twin = ResettableTwin()
    with serving(twin, ["127.0.0.1"], int(sys.argv[1])):
        sys.stdin.read()
    twin.end()
    os._exit(0)  # the loop's thread and moto's own are not waited for


if __name__ == "__main__":
    main()
