"""A machine's boot script as one shell script, in whatever form cloud-init is given it.

cloud-init takes a script, a `#cloud-config` in YAML, or several parts as a MIME message.
https://cloudinit.readthedocs.io/en/latest/explanation/format.html
"""

import base64
import binascii
import shlex
from collections.abc import Iterator, Mapping
from email import message_from_string
from typing import Any

import yaml

_END = "OTHERSIDE_END"
_CONFIG, _INCLUDE = "#cloud-config", "#include"
_DEPTH_MAX, _TEXT_MAX = 4, 1 << 16
"""Parts within parts, and characters of a configuration: AWS takes 16 KiB, perhaps compressed."""
_FOLLOWED = frozenset({"packages", "write_files", "bootcmd", "runcmd"})
_PLAIN = frozenset(
    {
        *("package_update", "package_upgrade", "package_reboot_if_required", "repo_update"),
        *("repo_upgrade", "hostname", "fqdn", "prefer_fqdn_over_hostname", "preserve_hostname"),
        *("manage_etc_hosts", "timezone", "locale", "users", "groups", "ssh_authorized_keys"),
        *("ssh_pwauth", "disable_root", "chpasswd", "final_message", "output", "power_state"),
        *("ntp", "growpart", "resize_rootfs", "swap", "yum_repos", "cloud_init_modules"),
        *("cloud_config_modules", "cloud_final_modules"),
    }
)
"""Settings that bring no page; what any other one does is not followed."""
_BASE64 = frozenset({"b64", "base64"})


def as_shell(user_data: str, depth: int = 0) -> str | None:
    """Return user data as a shell script, or `None` if a part of it is in no readable form."""
    text = user_data.lstrip()
    head = text.partition("\n")[0].strip().lower()
    if head.startswith(("content-type: multipart", "mime-version:")):
        if depth == _DEPTH_MAX:
            return None
        parts = [as_shell(each, depth + 1) for each in _parts(text)]
        return None if None in parts else "\n".join(part or "" for part in parts)
    if head == _CONFIG:
        return _of_cloud_config(text)
    if head.startswith(_INCLUDE):
        return "\n".join(f"curl {line}" for line in text.splitlines()[1:])
    return user_data


def part_of(content: str, type_: object) -> str:
    """Return one part of several with the first line that says what it is."""
    head = {"text/cloud-config": _CONFIG, "text/x-include-url": _INCLUDE}.get(str(type_), "")
    return f"{head}\n{content}" if head else content


def written_file(path: str, content: str | None) -> str:
    """Return the command that writes a file; `None` is a content that is not known."""
    if content is None:
        return f"touch {shlex.quote(path)}"
    return f"cat > {shlex.quote(path)} <<'{_END}'\n{content}\n{_END}"


def command_line(command: object) -> str:
    """Return a command as one line; a list of words is run without a shell."""
    if isinstance(command, list):
        return shlex.join(map(str, command))
    return "" if command is None else str(command)


def _parts(text: str) -> Iterator[str]:
    for part in message_from_string(text).walk():
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        body = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
        yield part_of(body, part.get_content_type())


def _of_cloud_config(text: str) -> str | None:
    if len(text) > _TEXT_MAX:
        return None
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            return None  # a few lines of these may stand for millions
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None
    if not isinstance(document, Mapping):
        return None if document else ""
    return "\n".join(
        [
            *_packages(document.get("packages")),
            *(_written(item) for item in _listed(document.get("write_files"))),
            *(command_line(item) for item in _listed(document.get("bootcmd"))),
            *(command_line(item) for item in _listed(document.get("runcmd"))),
            *(
                f"cloud-init {key}"
                for key in document
                if key not in _FOLLOWED and key not in _PLAIN
            ),
        ]
    )


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - whatever the YAML has
    return value if isinstance(value, list) else []


def _packages(value: object) -> Iterator[str]:
    """Yield one command a package; a package may have a version, or be of one manager."""
    for item in _listed(value):
        if isinstance(item, Mapping):
            for packages in item.values():
                yield from _packages(packages)
        else:
            name = item[0] if isinstance(item, list) and item else item
            yield f"install {shlex.quote(str(name))}"


def _written(item: object) -> str:
    if not isinstance(item, Mapping) or not isinstance(item.get("path"), str):
        return ""
    content, encoding = item.get("content"), str(item.get("encoding") or "")
    if encoding in _BASE64 and isinstance(content, str):
        try:
            content = base64.b64decode(content).decode()
        except (binascii.Error, ValueError):
            content = None
    elif "gz" in encoding or "source" in item:
        content = None
    return written_file(item["path"], content if isinstance(content, str) else None)
