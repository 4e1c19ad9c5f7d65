"""The API's HTTP servers: one port on several loopback addresses, which identify the caller."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from otherside.twin.json_types import JsonObject


class GatewayHandler(MotoRequestHandler):
    """One keep-alive connection; it prints nothing."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    """Sends head and body in one packet: in two, each waits for the other's acknowledgement."""

    def handle_expect_100(self) -> bool:
        """Send `100 Continue` at once: a client that does not receive it waits for a second."""
        done = super().handle_expect_100()
        self.wfile.flush()
        return done

    def log(self, *_: object) -> None:
        """Print nothing; the API gateway records every call."""

    def make_environ(self) -> JsonObject:
        """Add the local address that was called, and the path as it was sent."""
        environ = super().make_environ()
        environ["SERVER_NAME"] = self.connection.getsockname()[0]
        environ["RAW_URI"] = self.path
        return environ


@contextlib.contextmanager
def serving(application: Any, addresses: Sequence[str], port: int) -> Iterator[None]:  # noqa: ANN401 - a WSGI application
    """Serve a WSGI application on every address until the block ends."""
    servers: list[BaseWSGIServer] = []
    threads: list[threading.Thread] = []
    try:
        for address in addresses:
            server = make_server(
                address, port, application, threaded=True, request_handler=GatewayHandler
            )
            server.daemon_threads = True  # type: ignore[attr-defined]  # set by its mixin
            server.block_on_close = False  # type: ignore[attr-defined]  # set by its mixin
            servers.append(server)
            thread = threading.Thread(
                target=server.serve_forever,
                kwargs={"poll_interval": 0.1},
                name=f"api-{address}",
                daemon=True,
            )
            thread.start()
            threads.append(thread)
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()
