"""Outputs that one root or program has and another one reads: Terraform's states, Pulumi's stacks.

Who reads others' outputs is read once more when they are known, in the order of use. In a circle
nobody knows the outputs before the inputs, and what is not read here has none: both stay unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otherside.check.readers.pulumi.stack import Stack
from otherside.check.readers.systems import Part

if TYPE_CHECKING:
    from otherside.check.readers.terraform.hcl import RootModule

Outputs = Mapping[str, Mapping[str, Any]]
"""Outputs by the name of the state or the stack that has them."""
RunProgram = Callable[[Path, Outputs], Sequence[Mapping[str, Any]] | str]
"""Runs the program in a directory, given the outputs of other stacks, or returns why not."""


@dataclass(slots=True)
class FoundModule:
    """A Terraform directory, or one file of it."""

    where: str
    """How it was named."""
    named: bool
    """Whether it was named itself, and not only found below a directory."""
    root: "RootModule"
    again: Callable[[Outputs], "RootModule"]
    """Reads it once more, with the outputs of other roots by the names of their states."""


@dataclass(slots=True)
class FoundProgram:
    """A Pulumi program that was run."""

    where: Path
    part: Part
    documents: Sequence[Mapping[str, Any]]
    """What it declares, once for each stack."""

    def stacks(self) -> list[Stack]:
        """Return what it declares as stacks."""
        return [Stack(document, str(self.where)) for document in self.documents]

    def exports(self, name: str) -> Mapping[str, Any]:
        """Return the outputs of one of its stacks."""
        for document, stack in zip(self.documents, self.stacks(), strict=True):
            exports = document.get("exports")
            if name in stack.own_names() and isinstance(exports, Mapping):
                return exports
        return {}


def pass_root_outputs(roots: Sequence[FoundModule]) -> None:
    """Read each root again that reads another one's state; a state that two claim is nobody's."""
    writers: dict[str | None, list[int]] = {}
    for number, found in enumerate(roots):
        writers.setdefault(found.root.own_state, []).append(number)
    by_state = {name: who[0] for name, who in writers.items() if name and len(who) == 1}
    uses = {
        number: {
            name: by_state[name]
            for name in found.root.remote_states
            if by_state.get(name, number) != number
        }
        for number, found in enumerate(roots)
    }
    for number in _in_order_of_use({user: used.values() for user, used in uses.items()}):
        if uses[number]:
            outputs = {name: roots[used].root.outputs() for name, used in uses[number].items()}
            roots[number].root = roots[number].again(outputs)


def pass_stack_outputs(programs: Sequence[FoundProgram], run: RunProgram) -> None:
    """Run each program again that refers to another one's stack."""
    stacks = [found.stacks() for found in programs]
    who = {
        name: number
        for number, own in enumerate(stacks)
        for stack in own
        for name in stack.own_names()
    }
    uses = {
        number: {
            given: (who[name], name)
            for stack in own
            for given, name in stack.references().items()
            if who.get(name, number) != number
        }
        for number, own in enumerate(stacks)
    }
    order = {user: [other for other, _ in used.values()] for user, used in uses.items()}
    for number in _in_order_of_use(order):
        outputs = {
            given: programs[other].exports(name) for given, (other, name) in uses[number].items()
        }
        again = run(programs[number].where, outputs) if outputs else ""
        if not isinstance(again, str):
            programs[number].documents = again


def _in_order_of_use(uses: Mapping[int, Iterable[int]]) -> list[int]:
    """Return everything after what it uses, without circles and what is behind one."""
    sorter = TopologicalSorter(uses)
    with suppress(CycleError):  # what no circle blocks is had all the same
        sorter.prepare()
    order: list[int] = []
    while ready := sorter.get_ready():
        order += ready
        sorter.done(*ready)
    return order
