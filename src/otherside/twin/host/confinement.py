"""Confinement of a guest: it runs as nobody's user and reaches only what its machine would have.

A stack's functions and boot scripts are other people's programs. As root, a guest gives up root for
a user of its own. Where the kernel has Landlock, it also reads only the system's programs and
libraries and its own files, writes only its own and `/tmp`, connects only to the twin's ports, and
signals nobody else. https://docs.kernel.org/userspace-api/landlock.html

It is a program's file without the package: the supervisor and the fork server load it by its path.
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any

Policy = Mapping[str, Any]
"""`user`: uid and gid, or none; `reads_all`: whether that user reads like root what `read` allows;
`read`, `write`: paths; `ports`: of TCP, to connect to."""

SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/proc", "/dev"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/alternatives", "/etc/ld.so.cache"),
    *("/etc/ld.so.preload", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/host.conf"),
    *("/etc/hosts", "/etc/services", "/etc/protocols", "/etc/localtime", "/etc/mime.types"),
    *("/etc/os-release", "/etc/profile", "/etc/bash.bashrc", "/etc/inputrc", "/etc/terminfo"),
)
"""What every program may read: no home, no `/var`, no other mount, no file of secrets in `/etc`."""

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_ONLY = 1
PATH_BENEATH, NET_PORT = 1, 2
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
CHANGE_DIR = sum(1 << bit for bit in range(4, 13))
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
CONNECT_TCP = 1 << 1
SCOPES = 0b11
"""Abstract Unix sockets and signals."""
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
NET_ABI, SCOPE_ABI = 4, 6

PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 38, 47, 2
CAP_VERSION, CAP_DAC_READ_SEARCH = 0x20080522, 2


def landlock_abi() -> int:
    """Return the version of Landlock that the kernel has, 0 if none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION_ONLY)))


def confine(policy: Policy) -> None:
    """Confine this process, and all that it will start, for good.

    Raises:
        OSError: If the kernel refuses what it claims to have.
    """
    libc, abi = ctypes.CDLL(None, use_errno=True), landlock_abi()
    ruleset = _ruleset(libc, abi, policy) if abi else None
    if policy.get("user"):
        _give_up_root(libc, *policy["user"], reads_all=abi > 0 and policy["reads_all"])
    if ruleset is not None:
        _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
        _checked(libc.syscall(RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
        os.close(ruleset)


def _ruleset(libc: ctypes.CDLL, abi: int, policy: Policy) -> int:
    """Return a ruleset that allows what a policy allows."""
    changes = WRITE_FILE | CHANGE_DIR
    changes |= (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0)  # noqa: PLR2004 - versions
    devices = IOCTL_DEV if abi >= 5 else 0  # noqa: PLR2004 - a version
    reads = EXECUTE | READ_FILE | READ_DIR
    handled = reads | changes | devices
    net = CONNECT_TCP if abi >= NET_ABI else 0
    whole = struct.pack("=QQQ", handled, net, SCOPES if abi >= SCOPE_ABI else 0)
    size = 24 if abi >= SCOPE_ABI else 16 if abi >= NET_ABI else 8
    ruleset = libc.syscall(CREATE_RULESET, ctypes.c_char_p(whole[:size]), size, 0)
    _checked(ruleset, "landlock_create_ruleset")
    _allow_beneath(libc, ruleset, [*SYSTEM, *policy["read"]], reads)
    _allow_beneath(libc, ruleset, ["/dev"], reads | WRITE_FILE | devices)
    _allow_beneath(libc, ruleset, ["/tmp", *policy["write"]], reads | changes)  # noqa: S108 - Lambda's own
    for port in policy["ports"] if net else ():
        rule = struct.pack("=QQ", CONNECT_TCP, port)
        added = libc.syscall(ADD_RULE, ruleset, NET_PORT, ctypes.c_char_p(rule), 0)
        _checked(added, f"landlock_add_rule for port {port}")
    return int(ruleset)


def _allow_beneath(libc: ctypes.CDLL, ruleset: int, paths: Sequence[str], rights: int) -> None:
    for path in paths:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # this system has no such path
        try:
            on_it = rights if stat.S_ISDIR(os.fstat(opened).st_mode) else rights & ON_FILES
            rule = ctypes.c_char_p(struct.pack("=Qi", on_it, opened))
            added = libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
            _checked(added, f"landlock_add_rule for {path}")
        finally:
            os.close(opened)


def _give_up_root(libc: ctypes.CDLL, uid: int, gid: int, *, reads_all: bool) -> None:
    """Become another user, who may read what root may if Landlock says which of it.

    Root's own interpreter is often in root's home, which no other user may enter.
    """
    _checked(libc.prctl(PR_SET_KEEPCAPS, int(reads_all), 0, 0, 0), "prctl")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    kept = 1 << CAP_DAC_READ_SEARCH if reads_all else 0
    header = ctypes.c_char_p(struct.pack("=Ii", CAP_VERSION, 0))
    data = ctypes.c_char_p(struct.pack("=6I", kept, kept, kept, 0, 0, 0))
    if libc.capset(header, data) or not kept:
        return  # root without this capability to give: the user reads what any user may
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0)


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
