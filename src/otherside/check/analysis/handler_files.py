"""Whether the code of a function can be loaded, and has what its handler names."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator

from otherside.check.analysis.code_text import without_comments

_PLAIN = re.compile(
    r"\s*(?:async\s+)?(?:def\s+\w+\s*\([\w\s,=*]*\)[^:\"']*|if\s[\w\s.=]+|class\s+\w+)"
)
"""A line whose syntax every Python 3 reads alike, so that what is wrong with it is wrong."""
_DYNAMIC = re.compile(
    r"\bglobals\s*\(|\bsetattr\s*\(|\bexec\s*\(|\b__getattr__\b|\bsys\.modules\b|\bvars\s*\(|\blocals\s*\("
)
_EXPORTS_ANY = re.compile(
    r"""export\s*\*|module\.exports\s*=\s*(?!\s*\{)|(?:module\.)?exports\s*\[|__export"""
    r"""|\bObject\.(?:assign|define\w+)\s*\(|\bmodule\.exports\s*=\s*\{[^}]*\.\.\.|[,(]\s*exports\b"""
)
"""Exports whose names a text does not show."""
_QUOTED = re.compile(r"""\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.DOTALL)
_IMPORT = re.compile(r"^[ \t]*import\s+(?:[\w*{][^'\"]*?\sfrom\s+)?['\"]", re.MULTILINE)
_EXPORTS = re.compile(r"^[ \t]*(?:module\.)?exports\.?[\w$]*\s*=", re.MULTILINE)


def problem_of_python(text: str, file: str, name: str, runtime: str) -> str | None:
    """Return why Python does not find a handler in a file, or `None` if it may."""
    if not runtime.startswith("python3"):
        return None
    text = text.removeprefix("\ufeff")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = text.splitlines()[line - 1 : line] if line else []
        unclosed = "was never closed" in str(error)
        if (
            not unclosed
            and _newer_than_this(runtime)
            and (not where or not _PLAIN.fullmatch(where[0]))
        ):
            return None  # it may be a syntax that only its own Python knows
        return f"{file} is no Python that {runtime} can read{f': line {line}' if line else ''}"
    except (RecursionError, MemoryError):
        return None
    names = set(_defined(tree.body))
    said = re.search(rf"\bglobal\b[^\n]*\b{re.escape(name)}\b", text)
    if name in names or "*" in names or said or _DYNAMIC.search(text):
        return None
    return f"its handler names {name}, which {file} does not define"


def _newer_than_this(runtime: str) -> bool:
    found = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    return found is None or (int(found[1]), int(found[2])) > sys.version_info[:2]


def _defined(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements define for a module; `*` for names that they do not show."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
                continue  # what it defines inside is its own
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    yield alias.asname or alias.name.partition(".")[0]
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
                yield node.name
            case ast.Lambda():
                continue
        todo += ast.iter_child_nodes(node)


def problem_of_script(text: str, file: str, name: str) -> str | None:
    """Return why Node.js does not find a handler in a file, or `None` if it may."""
    code = _QUOTED.sub('""', without_comments(text))
    if _IMPORT.search(code) and _EXPORTS.search(code) and not file.endswith(".cjs"):
        return f"{file} has import beside exports, which Node.js loads as neither kind of module"
    first = name.partition(".")[0]
    wrong = f"its handler names {name}, which {file} does not export"
    if "export" not in code:
        return wrong if file.endswith(".mjs") else None  # others may be told so from elsewhere
    if _EXPORTS_ANY.search(code) or re.search(rf"(?<![\w$]){re.escape(first)}(?![\w$])", code):
        return None  # what is exported under which name is for Node.js to say
    return wrong
