"""The server of `otherside console`: three files and one document, to this machine alone.

It reads and never writes. Its address has a random part, so that nobody else on this machine finds
it, and a name other than the loopback's is refused, so that no page of the web reaches it by DNS
rebinding.
"""

import hmac
import http.server
import json
import sys
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any

ReadDocument = Callable[[], Mapping[str, Any]]
"""Returns the document; raises `NoOverviewError` if there is none just now."""
FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "console.css": ("console.css", "text/css; charset=utf-8"),
    "console.js": ("console.js", "text/javascript; charset=utf-8"),
}
FRESH_S = 1.0
"""How long a document is shown again: several windows ask AWS no more often than one."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class NoOverviewError(Exception):
    """The overview cannot be read just now; the message says why."""


class ConsoleServer(http.server.ThreadingHTTPServer):
    """Serves the page below a secret path of the loopback."""

    daemon_threads = True

    def __init__(
        self, look: ReadDocument, *, port: int, secret: str, monotonic_s: Callable[[], float]
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._look, self.secret, self._monotonic_s = look, secret, monotonic_s
        self._lock = threading.Lock()
        self._kept: tuple[float, Mapping[str, Any]] | None = None

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.server_address[1]}/{self.secret}/"

    def document(self) -> Mapping[str, Any]:
        """Return the newest document; one call at a time.

        Raises:
            NoOverviewError: If it cannot be read.
        """
        with self._lock:
            if self._kept is None or self._monotonic_s() - self._kept[0] > FRESH_S:
                self._kept = None
                told = self._look()
                self._kept = (self._monotonic_s(), told)  # a look may take longer than it is fresh
            return self._kept[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as there
        """Say nothing of a window that was closed before its answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request."""

    server: ConsoleServer
    protocol_version = "HTTP/1.1"
    server_version = "otherside"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with a file, the document, or 404."""
        name = self._name()
        if name == "" and not self.path.partition("?")[0].endswith("/"):
            self._redirect(f"/{self.server.secret}/")
        elif name == "status.json":
            self._document()
        elif name in FILES:
            file, kind = FILES[name]
            page = files("otherside.cli") / "console_page" / file
            self._answer(HTTPStatus.OK, page.read_bytes(), kind)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"not found\n", "text/plain; charset=utf-8")

    def _name(self) -> str | None:
        """Return what is asked for below the secret path; `None` to whoever may not know."""
        port = self.server.server_address[1]
        if self.headers.get("Host") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
            return None
        secret, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        known = hmac.compare_digest(secret.encode(), self.server.secret.encode())
        return name if known else None

    def _document(self) -> None:
        status, told = HTTPStatus.OK, dict[str, Any]()
        try:
            told.update(self.server.document())
        except NoOverviewError as error:
            status, told = HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)}
        text = json.dumps(told, sort_keys=True, default=str).encode()
        self._answer(status, text, "application/json")

    def _redirect(self, to: str) -> None:
        """Send a browser to the directory, from which the page's files are named."""
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Log nothing: the path is the secret."""
