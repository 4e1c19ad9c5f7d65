"""Write the properties that Terraform's AWS provider has, for the kinds that the checker knows.

Needs the `cdktf-cdktf-provider-aws` wheel, whose classes are generated from the provider's schema:
`pip download --no-deps cdktf-cdktf-provider-aws`, then `tools/terraform_names.py WHEEL`.
"""

import ast
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from otherside.check.model.schema import NONE, kinds

OUT = Path(__file__).parents[1] / "tests" / "check" / "terraform-names.json"
_META = {"scope", "id_", "connection", "count", "depends_on", "for_each"}
_META |= {"provider", "provisioners", "self"}


def _classes(text: str) -> dict[str, dict[str, str]]:
    """Return the keyword arguments of every class, with their types as text."""
    found = {}
    for node in ast.parse(text).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for element in node.body:
            if isinstance(element, ast.FunctionDef) and element.name == "__init__":
                found[node.name] = {
                    each.arg: ast.unparse(each.annotation) if each.annotation else ""
                    for each in element.args.kwonlyargs
                    if each.arg not in _META
                }
    return found


def _properties(name: str, classes: dict[str, dict[str, str]], depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, type_ in classes.get(name, {}).items():
        inner = [text for text in re.findall(r"['\"](\w+)['\"]", type_) if text in classes]
        block = _properties(inner[0], classes, depth + 1) if inner and depth < 8 else None  # noqa: PLR2004 - deep enough
        found[key.rstrip("_")] = block
    return found


def _spellings(module: str) -> list[str]:
    """Return the names that the wheel may use for a module: some have a suffix to avoid clashes."""
    plain = module.replace("_", "")
    return [plain, f"{plain}resource", f"{plain}attachment"]


def _main(wheel: str) -> None:
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        modules = {name.split("/")[1] for name in archive.namelist() if name.count("/") > 1}
        known = {name.replace("_", ""): name for name in modules}
        for kind in kinds().values():
            type_ = kind.terraform
            if type_ == NONE or not type_.removeprefix("data.").startswith("aws_"):
                continue
            data = "data_" if type_.startswith("data.") else ""
            plain = type_.removeprefix("data.").removeprefix("aws_")
            module = f"{data}aws_{plain}" if data else plain
            item = next((known[n] for n in _spellings(module) if n in known), "")
            if not item:
                print(f"{type_}: the wheel has no class for it", file=sys.stderr)
                continue
            path = f"cdktf_cdktf_provider_aws/{item}/__init__.py"
            classes = _classes(archive.read(path).decode())
            wanted = item.replace("_", "").lower()
            first = next((n for n in classes if n.lower() in {wanted, f"{wanted}a"}), "")
            assert first, f"{item}: {', '.join(classes)}"
            found[type_] = _properties(first, classes)
    OUT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1])
