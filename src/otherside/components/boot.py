"""The boot script of an instance, which also passes settings to the application."""

import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from otherside.core.wire_contract import APP_ENVIRONMENT_FILE


def boot_script(template: str | None, terms: Mapping[str, str], settings: Mapping[str, str]) -> str:
    """Return the boot script with every `@@NAME@@` filled in.

    `template` is the user's own script; `None` uses the built-in one. `terms` are `APPLICATION`,
    `REGION`, `BUCKET`, `KEY`, `LOG_GROUP` and `HEALTH_PATH`. This function adds `SETTINGS` and
    `ENVIRONMENT_FILE`.

    Raises:
        ValueError: If the script uses an unknown term, or a setting contains a line break.
    """
    broken = [name for name, value in settings.items() if "\n" in value]
    if broken:
        msg = f"settings that contain a line break: {', '.join(broken)}"
        raise ValueError(msg)
    script = template or (files("otherside.components") / "boot.sh").read_text(encoding="utf-8")
    filled = {
        **terms,
        "ENVIRONMENT_FILE": APP_ENVIRONMENT_FILE,
        "SETTINGS": "\n".join(f"{name}={value}" for name, value in settings.items()),
    }
    for name, value in filled.items():
        script = script.replace(f"@@{name}@@", value)
    if "@@" in script:
        unknown = script.split("@@")[1]
        msg = f"the boot script uses unknown @@{unknown}@@; known: {', '.join(sorted(filled))}"
        raise ValueError(msg)
    return script


SHIPPED = ("aws.py", "heartbeat.py", "lease.py", "lease_agent.py", "service.py")
"""What an application may build on, and what then runs beside it."""
_BUILDS_ON = re.compile(r"^(?:from|import) (?:lease|service)\b", re.MULTILINE)


def application_files(directory: Path) -> dict[str, Path]:
    """Return what is installed on an instance: a directory's files, and ours that it builds on.

    An application that imports `service` or `lease` gets what it lacks of ours, so it consists of
    nothing but itself; a file of the same name takes the place of ours. One that imports neither
    gets nothing: with an agent beside it, it would seem to be fenced, and go on writing.
    """
    found = {
        file.relative_to(directory).as_posix(): file
        for file in directory.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    sources = [file for name, file in found.items() if name.endswith(".py")]
    if any(_BUILDS_ON.search(file.read_text(encoding="utf-8")) for file in sources):
        agent = Path(str(files("otherside") / "agent"))
        found = {**{name: agent / name for name in SHIPPED}, **found}
    return dict(sorted(found.items()))


def release_digest(release: Mapping[str, Path]) -> str:
    """Return a digest of the names and contents of some files."""
    digest = hashlib.sha256()
    for name, file in sorted(release.items()):
        digest.update(f"{name}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
