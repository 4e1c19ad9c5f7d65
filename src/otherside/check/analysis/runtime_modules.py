"""Modules that a Lambda function imports and that neither its runtime nor its bundle has."""

import ast
import re
import sys
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from posixpath import dirname, join, normpath

from otherside.check.model.values import Code

# fmt: off
_PYTHON_CARRIES = frozenset(
    (
        "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six",
        "awslambdaric", "bootstrap", "cfnresponse", "pip", "setuptools", "pkg_resources",
        "runtime_client", "snapshot_restore_py",
    )
)
"""What a Python runtime has besides the standard library, or may have."""
_REMOVED = {
    (3, 12): frozenset(("asynchat", "asyncore", "distutils", "imp", "smtpd")),
    (3, 13): frozenset(
        (
            "aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap",
            "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau",
            "telnetlib", "uu", "xdrlib",
        )
    ),
}
"""Standard modules by the Python that no longer has them (PEP 632, PEP 594)."""
_ADDED = frozenset(("annotationlib", "compression"))
"""Standard modules that are newer than the oldest Python that runs this check: those of 3.14."""
_NEWEST = (3, 14)
_FILES_MAX = 50
"""Files of a bundle that are followed: more are not of this system's own making."""
_NODE_HAS = frozenset(
    (
        "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants",
        "crypto", "dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http",
        "http2", "https", "inspector", "module", "net", "os", "path", "perf_hooks", "process",
        "punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys",
        "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi",
        "worker_threads", "zlib", "cfn-response",
    )
)
# fmt: on
_LATER = (
    *(ast.Try, ast.TryStar, ast.If, ast.With),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda),
)
"""What the loading of a module may not run, or what guards what it runs."""
_NODE_IMPORT = re.compile(
    r"""^(?:(?:(?:const|let|var)\s+[^=\n]+=\s*)?require\s*\(\s*"""
    r"""|import\s+(?:[\w*{][^'"]*?\sfrom\s+)?)["']([^"'\s]+)["']""",
    re.MULTILINE,
)
"""An import that runs when the module is loaded: it begins its line, so nothing guards it."""
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_FIRST_WITH_SDK_3 = 18
"""Node.js runtimes before it carry version 2 of the SDK, and it and later ones version 3.

https://aws.amazon.com/blogs/developer/why-and-how-you-should-use-aws-sdk-for-javascript-v3-on-node-js-18/
"""


def missing_imports(code: Code, file: str, text: str, runtime: str) -> Iterator[str]:
    """Yield each module that loading a handler's file asks for and that is nowhere to load from."""
    for at, content in loaded_files(code, file, text, runtime):
        yield from missing_modules(code, content, runtime)
        yield from missing_neighbours(code, at, content, runtime)


def loaded_files(code: Code, file: str, text: str, runtime: str) -> Iterator[tuple[str, str]]:
    """Yield a handler's file and each file of its bundle that is loaded with it, and their texts.

    Those are the files that it imports when it is loaded, and those that they import.
    """
    texts = dict(code.files)
    todo, seen = deque([(file, text)]), {file}
    while todo and len(seen) < _FILES_MAX:
        at, content = todo.popleft()
        yield at, content
        found = [
            name for path in _imported(at, content, runtime) for name in _files_of(path, runtime)
        ]
        for name in found:
            beside = texts.get(name)
            if beside and name not in seen:
                seen.add(name)
                todo.append((name, beside))


def names_taken(file: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield each name that a Python file takes from a module when it is loaded.

    The module is given by its place in the bundle, without a suffix: `package/module`.
    """
    for node in _imports(text):
        if isinstance(node, ast.ImportFrom):
            package = _package(file, node.level)
            path = join(package, (node.module or "").replace(".", "/")).rstrip("/")
            yield from ((path, alias.name) for alias in node.names)


def _package(file: str, level: int) -> str:
    """Return where a Python file looks for what it imports by so many dots."""
    package = dirname(file) if level else ""
    for _ in range(level - 1):
        package = dirname(package)
    return package


def _imported(file: str, text: str, runtime: str) -> Iterator[str]:
    """Yield the places in a bundle that a file imports from, without the suffixes of files."""
    here = dirname(file)
    if runtime.startswith("nodejs"):
        for module in _NODE_IMPORT.findall(_BLOCK_COMMENT.sub("", text)):
            if module.startswith("."):
                yield normpath(join(here, module))
        return
    for node in _imports(text):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace(".", "/") for alias in node.names)
    for path, name in names_taken(file, text):
        yield join(path, name)
        yield path


def _files_of(path: str, runtime: str) -> tuple[str, ...]:
    if runtime.startswith("python"):
        return f"{path}.py", f"{path}/__init__.py"
    return path, f"{path}.js", f"{path}.mjs", f"{path}.cjs", f"{path}/index.js"


def missing_modules(code: Code, handler: str, runtime: str) -> Iterator[str]:
    """Yield each module that a handler's text imports and that is nowhere to load it from.

    Imports that the code itself guards (`try`, `if`) are left to it, as is a text that cannot be
    parsed. Only a complete bundle is judged.
    """
    if not code.whole:
        return
    names = [name for name, _ in code.files]
    if runtime.startswith("python") and ("sys.path" in handler or _version(runtime) > _NEWEST):
        return  # it loads from elsewhere, or from a library that is not known here
    if runtime.startswith("python"):
        for module in _python_imports(handler):
            if not _in_python(module, runtime) and not _beside(module, names):
                yield module
    elif runtime.startswith("nodejs"):
        for module in dict.fromkeys(_node_imports(handler)):
            if not _in_node(module, runtime) and not any(
                f"node_modules/{module}/" in name for name in names
            ):
                yield module


def missing_neighbours(code: Code, file: str, text: str, runtime: str) -> Iterator[str]:
    """Yield each module that a file names by its place beside it, where the bundle has none.

    https://nodejs.org/api/modules.html#all-together
    """
    names = [name for name, _ in code.files]
    if not code.whole:
        return
    if runtime.startswith("nodejs"):
        for module in dict.fromkeys(_NODE_IMPORT.findall(_BLOCK_COMMENT.sub("", text))):
            path = normpath(join(dirname(file), module))
            there = re.compile(rf"{re.escape(path)}(\.\w+|/.*)?")
            if module.startswith(".") and not any(there.fullmatch(name) for name in names):
                yield module
    elif runtime.startswith("python"):
        for level, module in _relative_imports(text):
            package = _package(file, level)
            path = join(package, module.replace(".", "/"))
            if package and not _beside(path, names):
                yield "." * level + module


@lru_cache(maxsize=256)
def _python_imports(text: str) -> tuple[str, ...]:
    """Return the modules that a text imports, each once; many functions have the same text."""
    found: dict[str, None] = {}
    for node in _imports(text):
        if isinstance(node, ast.Import):
            found |= dict.fromkeys(alias.name.partition(".")[0] for alias in node.names)
        elif node.module and not node.level:
            found[node.module.partition(".")[0]] = None
    return tuple(found)


def _relative_imports(text: str) -> list[tuple[int, str]]:
    """Return how far above itself a text looks for which modules."""
    return [
        (node.level, node.module)
        for node in _imports(text)
        if isinstance(node, ast.ImportFrom) and node.level and node.module
    ]


@lru_cache(maxsize=512)
def _imports(text: str) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Return the imports that run when a text is loaded, and that nothing guards."""
    try:
        todo: deque[ast.AST] = deque(ast.parse(text).body)
    except (SyntaxError, ValueError):
        return ()
    found = []
    while todo:
        node = todo.popleft()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.append(node)
        elif not isinstance(node, _LATER):
            todo.extend(ast.iter_child_nodes(node))
    return tuple(found)


@lru_cache(maxsize=4096)
def _in_python(module: str, runtime: str) -> bool:
    gone = {
        name for since, names in _REMOVED.items() if _version(runtime) >= since for name in names
    }
    standard = sys.stdlib_module_names.union(_ADDED, *_REMOVED.values())
    return (module in standard or module in _PYTHON_CARRIES) and module not in gone


def _beside(module: str, names: list[str]) -> bool:
    """Return whether a bundle has a Python module: a file, a package or an extension."""
    return any(re.match(rf"{re.escape(module)}(/|\.py$|\.[\w.-]*so$)", name) for name in names)


def _node_imports(text: str) -> Iterator[str]:
    for name in _NODE_IMPORT.findall(_BLOCK_COMMENT.sub("", text)):
        if not name.startswith((".", "/", "#", "node:")):
            parts = name.split("/")
            yield "/".join(parts[: 2 if name.startswith("@") else 1])


def _in_node(module: str, runtime: str) -> bool:
    if module == "aws-sdk":
        return _version(runtime) < (_FIRST_WITH_SDK_3,)
    return module in _NODE_HAS or module.startswith(("@aws-sdk/", "@smithy/", "@aws-crypto/"))


def _version(runtime: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", runtime))
