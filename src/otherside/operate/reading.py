"""Facts that may be unreadable, and how many of them are read at once."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from otherside.failover.aws.aws_clients import calling
from otherside.failover.ports import UnavailableError

T = TypeVar("T")
WORKERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Generic[T]):
    """One thing that was read, or the reason why it could not be."""

    value: T | None = None
    missing: str = ""
    """Names the call and the error; empty if the value is known."""


def read(what: str, question: Callable[[], T]) -> Fact[T]:
    """Return the answer to a question, or why there is none: any failure is one sentence."""
    try:
        with calling(what):
            return Fact(value=question())
    except UnavailableError as error:
        return Fact(missing=str(error))


def read_all(questions: Mapping[str, Callable[[], Any]]) -> dict[str, Fact[Any]]:
    """Answer all questions in parallel, by name; the slowest one takes what its client allows."""
    with ThreadPoolExecutor(min(WORKERS, len(questions) or 1)) as pool:
        asked = {name: pool.submit(read, name, question) for name, question in questions.items()}
        return {name: answer.result() for name, answer in asked.items()}
