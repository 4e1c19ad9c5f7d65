"""Loaded by every Python process of a guest before anything else: twin time and network.

A guest's sockets lead through the gateway, which knows who asks and decides as route tables,
security groups and the state of the Regions say. Names are resolved by the twin's DNS. Nothing but
the standard library is used.
"""

import importlib.util
import json
import os
import socket
from pathlib import Path


def _load_warp():
    """Load the clock's file by its place: the package around it may not be installed here."""
    file = Path(__file__).parent.parent / "scaled_clock.py"
    spec = importlib.util.spec_from_file_location("otherside_twin_warp", file)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["otherside_twin_warp"] = module
    spec.loader.exec_module(module)
    return module


class Network:
    """This process's way out: what its sockets would ask of the machine, asked of the twin."""

    connect = socket.socket.connect
    bind = socket.socket.bind
    resolve = staticmethod(socket.getaddrinfo)

    def __init__(self, gateway, guest):
        """Keep where the gateway is, and who we are."""
        host, _, port = gateway.rpartition(":")
        self.address = (host, int(port))
        self.belong(guest)

    def belong(self, guest):
        """Be a guest's: this process's first, or that of the one that was forked of it."""
        self.guest = guest
        # An instance's own ports are elsewhere than it thinks; a function's runtime is not.
        self.local = set() if guest.startswith("instance/") else {"127.0.0.1", "localhost"}

    def ask(self, question):
        """Put one question to the gateway; return its answer."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
            Network.connect(line, self.address)
            line.sendall(json.dumps({"guest": self.guest, **question}).encode() + b"\n")
            return json.loads(_line(line))

    def open(self, sock, target):
        """Connect a socket, by way of the gateway, which knows what may be reached."""
        streams = sock.family == socket.AF_INET and sock.type & 0xF == socket.SOCK_STREAM
        if not streams or target[0] in self.local:
            return Network.connect(sock, target)
        Network.connect(sock, self.address)
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
        """Listen where the machine has room, and tell the gateway for which port that stands."""
        if sock.family != socket.AF_INET or not where[1] or self.local:
            return Network.bind(sock, where)
        Network.bind(sock, ("127.0.0.1", 0))
        self.ask({"listen": where[1], "at": list(sock.getsockname())})
        return None

    def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        """Return a name's addresses, as the twin's DNS has them."""
        plain = host.decode() if isinstance(host, bytes) else host
        if plain is None or plain in {"", "localhost"} or _is_address(plain):
            return Network.resolve(host, port, family, type, proto, flags)
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
        """Have every socket of this process go this way.

        Functions, for a class gives its own only to those: a method of ours would keep ours.
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
    Network(os.environ["OTHERSIDE_TWIN_GATEWAY"], os.environ["OTHERSIDE_TWIN_GUEST"]).install()
