"""Switches a guest's Python process to twin time and network; loaded before anything else.

A guest's sockets connect through the gateway, which identifies the guest and decides by route
tables, security groups and the state of the Regions. The twin's DNS resolves names. This module
uses only the standard library.
"""

import importlib.util
import json
import os
import socket
from pathlib import Path


def _load_warp():
    """Load the clock's file by its path: its package may not be installed here."""
    file = Path(__file__).parent.parent / "scaled_clock.py"
    spec = importlib.util.spec_from_file_location("otherside_twin_warp", file)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["otherside_twin_warp"] = module
    spec.loader.exec_module(module)
    return module


class GuestNetwork:
    """Network access of this process: passes its sockets' operations to the twin."""

    connect = socket.socket.connect
    bind = socket.socket.bind
    resolve = staticmethod(socket.getaddrinfo)

    def __init__(self, gateway, guest):
        host, _, port = gateway.rpartition(":")
        self.address = (host, int(port))
        self.belong(guest)

    def belong(self, guest):
        """Set the guest that this process belongs to; a forked process sets it anew."""
        self.guest = guest
        # An instance's own ports are remapped; the runtime API of a function is not.
        self.local = set() if guest.startswith("instance/") else {"127.0.0.1", "localhost"}

    def ask(self, question):
        """Send one request to the gateway; return its answer."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
            GuestNetwork.connect(line, self.address)
            line.sendall(json.dumps({"guest": self.guest, **question}).encode() + b"\n")
            return json.loads(_line(line))

    def open(self, sock, target):
        """Connect a socket through the gateway, which decides what may be reached."""
        streams = sock.family == socket.AF_INET and sock.type & 0xF == socket.SOCK_STREAM
        if not streams or target[0] in self.local:
            return GuestNetwork.connect(sock, target)
        GuestNetwork.connect(sock, self.address)
        wanted = {"connect": [target[0], target[1]], "wait_s": sock.gettimeout()}
        sock.sendall(json.dumps({"guest": self.guest, **wanted}).encode() + b"\n")
        error = json.loads(_line(sock)).get("error")
        if error == "timeout":
            raise TimeoutError("timed out")
        if error == "unreachable":
            raise OSError(113, "No route to host")
        if error:
            raise ConnectionRefusedError(111, "Connection refused")
        return None

    def listen(self, sock, where):
        """Listen on a free port, and tell the gateway which port of the guest it represents."""
        if sock.family != socket.AF_INET or not where[1] or self.local:
            return GuestNetwork.bind(sock, where)
        GuestNetwork.bind(sock, ("127.0.0.1", 0))
        self.ask({"listen": where[1], "at": list(sock.getsockname())})
        return None

    def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        """Return a name's addresses from the twin's DNS."""
        plain = host.decode() if isinstance(host, bytes) else host
        if plain is None or plain in {"", "localhost"} or _is_address(plain):
            return GuestNetwork.resolve(host, port, family, type, proto, flags)
        answer = {"error": "unknown"} if family == socket.AF_INET6 else self.ask({"resolve": plain})
        if answer.get("error"):
            code = socket.EAI_AGAIN if answer["error"] == "timeout" else socket.EAI_NONAME
            raise socket.gaierror(code, "Name or service not known")
        kind, number = type or socket.SOCK_STREAM, _port(port)
        return [
            (socket.AF_INET, kind, proto or socket.IPPROTO_TCP, "", (address, number))
            for address in answer["addresses"]
        ]

    def install(self):
        """Make every socket of this process use the gateway.

        The patches are plain functions: a class binds those to the socket, while our bound methods
        would keep our own `self`.
        """

        def connect(sock, target):
            return self.open(sock, target)

        def connect_ex(sock, target):
            try:
                self.open(sock, target)
            except OSError as error:
                return error.errno or 110
            return 0

        def bind(sock, where):
            return self.listen(sock, where)

        socket.socket.connect, socket.socket.connect_ex = connect, connect_ex
        socket.socket.bind = bind
        socket.getaddrinfo = self.getaddrinfo
        socket.gethostbyname = lambda name: self.getaddrinfo(name, None)[0][4][0]
        socket.otherside_ask = self.ask
        socket.otherside_network = self


def _port(port):
    if port is None:
        return 0
    return int(port) if str(port).isdigit() else socket.getservbyname(port)


def _line(line):
    got = b""
    while not got.endswith(b"\n"):
        item = line.recv(1)
        if not item:
            break
        got += item
    return got or b'{"error": "refused"}'


def _is_address(text):
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except OSError:
            continue
        return True
    return False


_warp = _load_warp()
_clock = _warp.from_environment()
if _clock is not None:
    _warp.install(_clock)
if os.environ.get("OTHERSIDE_TWIN_GATEWAY"):
    GuestNetwork(os.environ["OTHERSIDE_TWIN_GATEWAY"], os.environ["OTHERSIDE_TWIN_GUEST"]).install()
