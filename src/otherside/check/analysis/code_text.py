"""Code without its comments: what a program says about itself is not what it does."""

import ast
import io
import re
import tokenize
from functools import lru_cache

_QUOTED_OR_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|(//[^\n]*|/\*.*?\*/)""",
    re.DOTALL,
)
"""A text or template of JavaScript, or a comment."""
_SHELL_COMMENT = re.compile(r"(?m)^\s*#(?!!).*$|(?<=\s)#\s.*$")


@lru_cache(maxsize=256)
def without_comments(code: str) -> str:
    """Return Python or JavaScript without comments and docstrings."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _QUOTED_OR_COMMENT.sub(lambda match: match[1] or " ", code)
    # Most code in a bundle was stripped already, and to look for tokens takes as long as all else.
    comments = _comments(code) if "#" in code else []
    return _without_spans(code, [*_docstrings(tree), *comments])


def shell_without_comments(script: str) -> str:
    """Return a shell script without its comments."""
    return _SHELL_COMMENT.sub("", script)


Span = tuple[int, int, int, int]
"""The first line and column of a piece of code, and its last."""


def _docstrings(tree: ast.Module) -> list[Span]:
    """Return where texts stand that are statements of their own."""
    return [
        (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]


def _comments(code: str) -> list[Span]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return []
    return [(*item.start, *item.end) for item in tokens if item.type == tokenize.COMMENT]


def _without_spans(code: str, spans: list[Span]) -> str:
    lines = code.splitlines(keepends=True)
    for first, begin, last, end in sorted(spans, reverse=True):
        head, tail = lines[first - 1][:begin], lines[last - 1][end:]
        lines[first - 1 : last] = [f"{head}{tail}"]
    return "".join(lines)
