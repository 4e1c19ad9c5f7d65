"""Whether the code of a function can be loaded, and has what its handler names."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import lru_cache

from otherside.check.analysis.code_text import without_comments

_WITHIN = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While)
"""What runs when a module is loaded and may define something for it."""
_NEWER_SYNTAX = re.compile(r"[fFtT][rR]?['\"]|[rR][fFtT]['\"]|^\s*(?:type|except)\b|\w\[|\]")
"""What a line may hold whose syntax Python 3.12 or later has made valid."""
_DYNAMIC = re.compile(r"\bglobals\s*\(|\bsetattr\s*\(|\bexec\s*\(|\b__getattr__\b|\bsys\.modules\b")
_EXPORTS_ANY = re.compile(
    r"""export\s*\*|module\.exports\s*=\s*(?!\s*\{)|(?:module\.)?exports\s*\[|__export"""
    r"""|\bObject\.(?:assign|define\w+)\s*\(|\bmodule\.exports\s*=\s*\{[^}]*\.\.\.|[,(]\s*exports\b"""
)
"""Exports whose names a text does not show."""
_EXPORTED = re.compile(
    r"""\bexports\.(?P<a>[\w$]+)\s*=|\bexport\s+(?:async\s+)?(?:function\s*\*?|const|let|var|class)"""
    r"""\s+(?P<b>[\w$]+)|\bexport\s+(?P<c>default)\b"""
)
_LISTED = re.compile(
    r"\b(?:module\.)?exports\s*=\s*\{(?P<a>[^}]*)\}?|\bexport\s*(?:const\s*)?\{(?P<b>[^}]*)\}"
)
_IMPORT = re.compile(r"^\s*import\s+(?:[\w*{][^'\"]*?\sfrom\s+)?['\"]", re.MULTILINE)
_EXPORTS = re.compile(r"^\s*(?:module\.)?exports\.?[\w$]*\s*=", re.MULTILINE)


def problem_of_python(text: str, file: str, name: str, runtime: str) -> str | None:
    """Return why Python does not find a handler in a file, or `None` if it may."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = text.splitlines()[line - 1 : line] if line else []
        if _newer_than_this(runtime) and (not where or _NEWER_SYNTAX.search(where[0])):
            return None  # it may be a syntax that only its own Python knows
        return f"{file} is no Python that {runtime} can read{f': line {line}' if line else ''}"
    except (RecursionError, MemoryError):
        return None
    names = set(_defined(tree.body))
    if name in names or "*" in names or _DYNAMIC.search(text):
        return None
    return f"its handler names {name}, which {file} does not define"


def _newer_than_this(runtime: str) -> bool:
    found = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    return found is None or (int(found[1]), int(found[2])) > sys.version_info[:2]


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements define for a module; `*` for names that they do not show."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, _WITHIN):
            for part in ast.iter_child_nodes(node):
                inner = part.body if isinstance(part, ast.ExceptHandler) else [part]
                yield from _defined([item for item in inner if isinstance(item, ast.stmt)])
        for target in ast.walk(node) if isinstance(node, (ast.Assign, ast.AnnAssign)) else ():
            if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                yield target.id


def problem_of_script(text: str, file: str, name: str) -> str | None:
    """Return why Node.js does not find a handler in a file, or `None` if it may."""
    code = without_comments(text)
    if _IMPORT.search(code) and _EXPORTS.search(code) and not file.endswith(".cjs"):
        return f"{file} has import beside exports, which Node.js loads as neither kind of module"
    names = _exported(code)
    if names is None or name.partition(".")[0] in names:
        return None
    return f"its handler names {name}, which {file} does not export"


@lru_cache(maxsize=256)
def _exported(code: str) -> frozenset[str] | None:
    """Return the names that a script exports, or `None` if it does not show all of them."""
    if _EXPORTS_ANY.search(code) or "exports" not in code.replace("export", "exports"):
        return None
    found = {name for match in _EXPORTED.finditer(code) for name in match.groups() if name}
    for match in _LISTED.finditer(code):
        found |= set(re.findall(r"[\w$]+", match["a"] or match["b"] or ""))
    return frozenset(found)
