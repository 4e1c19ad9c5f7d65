"""Write a result to a file that is never half written."""

from pathlib import Path


def write_whole(text: str, output: Path) -> None:
    """Write a file atomically, but write straight through a device or a symlink.

    Raises:
        OSError: If it cannot be written.
    """
    if output.is_symlink() or (output.exists() and not output.is_file()):
        output.write_text(text, encoding="utf-8")
        return
    aside = output.parent / f".{output.name}.part"
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(output)
    finally:
        aside.unlink(missing_ok=True)
