"""The script that an instance boots with, and the settings that it hands to the application."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from otherside.core.wire_contract import APP_ENVIRONMENT_FILE


def boot_script(template: str | None, terms: Mapping[str, str], settings: Mapping[str, str]) -> str:
    """Return the boot script with every `@@NAME@@` filled in.

    `template` is a script of the user's own, `None` the built-in one. Terms are `APPLICATION`,
    `REGION`, `BUCKET`, `KEY`, `LOG_GROUP` and `HEALTH_PATH`; `SETTINGS` and `ENVIRONMENT_FILE`
    come on top.

    Raises:
        ValueError: If the script asks for a term that does not exist, or a setting has a line
            break in it.
    """
    broken = [name for name, value in settings.items() if "\n" in value]
    if broken:
        msg = f"settings with a line break in them: {', '.join(broken)}"
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
        msg = f"the boot script asks for @@{unknown}@@; it may ask for {', '.join(sorted(filled))}"
        raise ValueError(msg)
    return script


def digest_of(directory: Path) -> str:
    """Return a digest of a directory's files: their names and what is in them."""
    digest = hashlib.sha256()
    for file in sorted(directory.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            name = file.relative_to(directory).as_posix()
            digest.update(f"{name}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
