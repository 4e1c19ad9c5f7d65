"""All readiness checks, in the order of a recovery."""

from dataclasses import fields
from typing import TYPE_CHECKING

from otherside.operate.readiness import access, capacity, database, practice
from otherside.operate.readiness.model import DatabaseTarget, Judged, ReadinessCheck, StackTarget

if TYPE_CHECKING:
    from collections.abc import Callable


def _of_a_stack(check: ReadinessCheck[DatabaseTarget]) -> ReadinessCheck[StackTarget]:
    """Return a check of a database as one of the stack that it belongs to."""
    same = {field.name: getattr(check, field.name) for field in fields(check)}
    ask: Callable[[StackTarget], Judged] = lambda target: check.ask(target.database)  # noqa: E731 - one of the fields
    return ReadinessCheck(**{**same, "ask": ask})


CHECKS: tuple[ReadinessCheck[StackTarget], ...] = (
    *practice.CHECKS,
    *map(_of_a_stack, database.CHECKS),
    *access.CHECKS,
    *capacity.CHECKS,
)
DATABASE_CHECKS = database.CHECKS
"""What can be asked of a global database that somebody else deployed."""
