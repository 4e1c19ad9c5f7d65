"""`otherside drill --sabotage`: inject the fifteen failures and prove that each is detected."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from otherside.cli.live_display import LiveDisplay

if TYPE_CHECKING:
    from otherside.drill.detection_check import DetectionResult
    from otherside.drill.suite import SuiteOptions
    from otherside.drill.target import DrillTarget


def sabotaged(
    which: str, target: "DrillTarget", options: "SuiteOptions", console: Console
) -> list["DetectionResult"]:
    """Run the chosen detection checks, and print a table of the results."""
    from otherside.drill.detection_check import chosen, prove  # noqa: PLC0415 - an extra

    try:
        failures = chosen(which)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    proofs: list[DetectionResult] = []
    with LiveDisplay(console) as live:
        for proof in prove(failures, target, options, live.tell):
            live.pause()
            proofs.append(proof)
            _show(proof, console)
    _show_table(proofs, console)
    return proofs


def _show(proof: "DetectionResult", console: Console) -> None:
    name = "the correct stack" if proof.failure is None else proof.failure.key
    word = "[green]as expected[/]" if proof.good else "[red]NOT AS EXPECTED[/]"
    console.print(f"{name}: {word}: {escape(proof.observed)}\n")


def _show_table(proofs: Sequence["DetectionResult"], console: Console) -> None:
    table = Table(title="failure, its symptom, and what was observed", show_lines=True)
    for column in ("", "failure", "symptom", "observed"):
        table.add_column(column, overflow="fold")
    for proof in proofs:
        mark = "[green]detected[/]" if proof.good else "[red]MISSED[/]"
        if proof.failure is None:
            mark = "[green]passed[/]" if proof.good else "[red]FAILED[/]"
            table.add_row(mark, "none", "none", escape(proof.observed))
            continue
        item = proof.failure
        table.add_row(mark, item.key, item.symptom, escape(proof.observed))
    console.print(table)
