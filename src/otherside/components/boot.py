"""The boot script of an instance, which also passes settings to the application."""

import ast
import hashlib
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


def application_files(directory: Path) -> dict[str, Path]:
    """Return what is installed on an instance: a directory's files, and ours that it builds on.

    An application that imports `service` or `lease` gets what it lacks of ours, so it consists of
    nothing but itself; a file of the same name takes the place of ours. One that imports neither
    gets nothing: with an agent beside it, it would seem to be fenced, and go on writing.

    Raises:
        ValueError: If an agent of an earlier version lies there, which does not fit `service`.
    """
    found = {
        file.relative_to(directory).as_posix(): file
        for file in directory.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    agent = Path(str(files("otherside") / "agent"))
    if _builds_on_ours(found):
        found["lease_agent.py"] = found.get("lease_agent.py", agent / "lease_agent.py")
        while lacking := _imported(found) & set(SHIPPED) - found.keys():
            found |= {name: agent / name for name in lacking}
        if "app" in _imports(found["lease_agent.py"]):
            own = ", ".join(name for name in SHIPPED if (directory / name).is_file())
            msg = (
                f"{directory}/lease_agent.py is of an earlier version and does not fit service.py: "
                f"delete {own} there; what the application builds on is installed with it"
            )
            raise ValueError(msg)
    return dict(sorted(found.items()))


def _builds_on_ours(own: Mapping[str, Path]) -> bool:
    """Return whether an application imports `lease` or `service` and has none of its own."""
    ours = {"lease.py", "service.py"} - own.keys()
    ours -= {f"{name}.py" for name in ("lease", "service") if f"{name}/__init__.py" in own}
    return bool(ours & _imported(own))


def _imported(found: Mapping[str, Path]) -> set[str]:
    """Return the files that would be imported by any Python file of an application."""
    sources = (file for name, file in found.items() if name.endswith(".py"))
    return {f"{name}.py" for file in sources for name in _imports(file)}


def _imports(file: Path) -> set[str]:
    """Return the modules that a Python file imports, wherever in it; none if it is no Python."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def release_digest(release: Mapping[str, Path]) -> str:
    """Return a digest of the names and contents of some files."""
    digest = hashlib.sha256()
    for name, file in sorted(release.items()):
        digest.update(f"{name}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
