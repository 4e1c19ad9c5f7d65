"""Patterns with wildcards, matched in linear time whoever wrote them.

If each star became `.*`, a dozen of them could backtrack for ever: a legal policy would stop the
twin.
"""

from collections.abc import Sequence


def star_pattern(pieces: Sequence[str]) -> str:
    """Return a regular expression for pieces with anything between them.

    The pieces are regular expressions of a fixed length, so the first place where one fits is as
    good as any later one, and an atomic group need not come back for another. Match the result
    with `fullmatch` and `re.DOTALL`.
    """
    first, *rest = pieces
    if not rest:
        return first
    *middle, last = rest
    return f"{first}{''.join(f'(?>.*?{piece})' for piece in middle if piece)}.*{last}"
