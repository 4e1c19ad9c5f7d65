"""Whether the code of a function can be loaded, and has what its handler names."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache

from otherside.check.analysis.code_text import without_comments
from otherside.check.analysis.runtime_modules import loaded_files, names_taken
from otherside.check.model.values import Code

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
_REQUIRES = re.compile(r"^[ \t]*(?:const|let|var)\s[^=\n]+=\s*require\s*\(", re.MULTILINE)
_OWN_REQUIRE = re.compile(r"\bcreateRequire\b|\brequire\s*=[^=]|\bfunction\s+require\b")
_EXPORTS = re.compile(r"^[ \t]*(?:module\.)?exports\.?[\w$]*\s*=", re.MULTILINE)


def problem_of_python(text: str, file: str, name: str, runtime: str) -> str | None:
    """Return why Python does not find a handler in a file, or `None` if it may."""
    if not runtime.startswith("python3"):
        return None
    unreadable = _unreadable(text, file, runtime)
    names = _defined_in(text)
    if unreadable or names is None:
        return unreadable
    said = re.search(rf"\bglobal\b[^\n]*\b{re.escape(name)}\b", text)
    return (
        None if name in names or said else f"its handler names {name}, which {file} does not define"
    )


@lru_cache(maxsize=64)
def problems_of_neighbours(code: Code, file: str, text: str, runtime: str) -> tuple[str, ...]:
    """Return why Python does not load the files of a bundle that a handler's file loads with it.

    One is no Python, or a name is imported from it that it does not define. Many functions have
    the same bundle, which is looked at once.
    """
    loaded = list(loaded_files(code, file, text, runtime))
    unreadable = [_unreadable(content, at, runtime) for at, content in loaded if at != file]
    undefined = [problem for at, content in loaded for problem in _undefined(code, at, content)]
    return tuple(dict.fromkeys([*filter(None, unreadable), *undefined]))


def _undefined(code: Code, file: str, text: str) -> Iterator[str]:
    """Find names that a file imports from a neighbour that does not define them."""
    texts = dict(code.files) if code.whole else {}
    for path, name in names_taken(file, text):
        beside = (f"{path}/__init__.py", f"{path}.py")
        target = next((each for each in beside if texts.get(each) is not None), None)
        if target is None or name.startswith(("__", "*")) or _is_module(f"{path}/{name}", texts):
            continue
        names = _defined_in(texts[target] or "")
        if names is not None and name not in names:
            yield f"{file} imports {name} from {target}, which does not define it"


def _is_module(path: str, names: Iterable[str]) -> bool:
    """Return whether a bundle has a module or a package at a place."""
    return any(name.startswith((f"{path}/", f"{path}.")) for name in names)


@lru_cache(maxsize=512)
def _unreadable(text: str, file: str, runtime: str) -> str | None:
    """Return why a text is no Python that a runtime can read, or `None` if it may be."""
    text = text.removeprefix("\ufeff")
    try:
        ast.parse(text)
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
    return None


@lru_cache(maxsize=512)
def _defined_in(text: str) -> frozenset[str] | None:
    """Return the names that a module defines, or `None` if its text does not show them."""
    try:
        names = frozenset(_defined(ast.parse(text.removeprefix("\ufeff")).body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return None if "*" in names or _DYNAMIC.search(text) else names


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
    if _IMPORT.search(code) and _REQUIRES.search(code) and not _OWN_REQUIRE.search(code):
        return f"{file} has import beside require, which Node.js loads as neither kind of module"
    first = name.partition(".")[0]
    wrong = f"its handler names {name}, which {file} does not export"
    if "export" not in code:
        return wrong if file.endswith(".mjs") else None  # others may be told so from elsewhere
    if _EXPORTS_ANY.search(code) or re.search(rf"(?<![\w$]){re.escape(first)}(?![\w$])", code):
        return None  # what is exported under which name is for Node.js to say
    return wrong
