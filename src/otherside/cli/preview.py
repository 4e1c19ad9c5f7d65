"""`otherside preview`: run a Pulumi program in this process and show what it declares."""

import contextlib
import gc
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from otherside.config.problem import ConfigError
from otherside.extras import needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otherside.program.monitor import Declaration, RegisteredResource

SCHEMA_VERSION = 1
FORMATS = ("mermaid", "dot")
ELSEWHERE = "elsewhere"
"""Stands for an unknown Region: another cloud's resource, or a default provider's."""
LAST = ("elsewhere", "global")


@click.command()
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@click.option("--stack", help="Stack whose Pulumi.STACK.yaml to read. Default: the only one.")
@click.option("--json", "as_json", is_flag=True, help="Print every resource as JSON.")
@click.option("--graph", type=click.Choice(FORMATS), help="Print the components as a graph.")
@click.option("-v", "--verbose", is_flag=True, help="List every resource instead of counts.")
def preview(
    directory: Path, stack: str | None, graph: str | None, *, as_json: bool, verbose: bool
) -> None:
    """Show what the Pulumi program in DIRECTORY would create, without AWS or credentials.

    The program runs in this process against simulated AWS answers. As in a deployment, and unlike
    in Pulumi's own preview, values that depend on an answer are resolved. Secrets are never shown.

    \b
    Examples:
      otherside preview
      otherside preview orders --json | jq '.resources[].type'
      otherside preview orders --graph mermaid > architecture.mmd
    """
    if as_json and graph:
        msg = "--json and --graph are mutually exclusive"
        raise click.UsageError(msg)
    with _without_collection():
        declaration = _declare(directory, stack)
        if as_json:
            click.echo(json.dumps(as_document(declaration), indent=2, sort_keys=True, default=str))
        elif graph:
            click.echo("\n".join(_GRAPHS[graph](_edges(declaration))))
        else:
            _show(declaration, directory, verbose=verbose)


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Pause garbage collection while the program runs, and freeze its objects at the end.

    A short run would otherwise spend a second on collecting objects that are never garbage, and
    half a second on tearing them down.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def as_document(declaration: "Declaration") -> dict[str, object]:
    """Return a declaration as JSON: inputs by their registered names, secrets redacted."""
    return {
        "schema_version": SCHEMA_VERSION,
        "resources": [
            {
                "urn": resource.urn,
                "type": resource.type,
                "name": resource.name,
                "region": resource.region,
                "component": resource.component,
                "inputs": resource.redacted(),
                "dependencies": list(resource.dependencies),
            }
            for resource in _made(declaration)
        ],
        "exports": declaration.exports,
    }


def _declare(directory: Path, stack: str | None) -> "Declaration":
    try:
        from otherside.program.project import (  # noqa: PLC0415 - an extra
            ProgramError,
            declare_directory,
            explain_failure,
        )
    except ModuleNotFoundError as missing:
        raise click.UsageError(needs("preview", missing.name, "infra")) from None
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING, force=True)
    try:
        where = directory.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        msg = f"{directory}: {getattr(error, 'strerror', None) or error}"
        raise click.UsageError(msg) from None
    try:
        return declare_directory(where, stack_name=stack)
    except ConfigError as error:
        # The program names its file from its own directory; an editor starts from this one.
        click.echo(str(ConfigError(directory / error.file, error.problems)), err=True)
        sys.exit(2)
    except ProgramError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - a user's program may raise anything
        place, text = explain_failure(error, where)
        click.echo(f"{where / place if place else directory}: {text}", err=True)
        sys.exit(1)


def _made(declaration: "Declaration") -> "list[RegisteredResource]":
    """Return the resources that a provider creates, in a stable order."""
    return sorted(
        (resource for resource in declaration.resources if resource.custom),
        key=lambda resource: resource.urn,
    )


def _placed(declaration: "Declaration") -> "list[RegisteredResource]":
    """Return the resources that are created, without the providers themselves."""
    return [
        resource
        for resource in _made(declaration)
        if not resource.type.startswith("pulumi:providers:")
    ]


def _where(resource: "RegisteredResource") -> str:
    return resource.region or ELSEWHERE


def _kind(resource: "RegisteredResource") -> str:
    return resource.type.rsplit(":", 1)[-1]


def _show(declaration: "Declaration", directory: Path, *, verbose: bool) -> None:
    made = _placed(declaration)
    regions = sorted({_where(resource) for resource in made}, key=lambda name: (name in LAST, name))
    console = Console(highlight=False, soft_wrap=True)
    counted = f"{len(made)} resources in {', '.join(regions)}"
    console.print(Text(f"{directory}: {counted}", style="bold"))
    for region in regions:
        here = [resource for resource in made if _where(resource) == region]
        console.print()
        console.print(Text(f"{region}  ({len(here)})", style="bold cyan"))
        for component in sorted({resource.component for resource in here}):
            inside = [resource for resource in here if resource.component == component]
            console.print(Text(f"  {component or 'program'}", style="bold"))
            for line in _lines(inside, verbose=verbose):
                console.print(f"    {line}", markup=False)
    if declaration.exports:
        console.print()
        console.print(Text("exports", style="bold cyan"))
        for key, value in sorted(declaration.exports.items()):
            console.print(f"  {key} = {value}", markup=False)


def _lines(inside: "Iterable[RegisteredResource]", *, verbose: bool) -> list[str]:
    if verbose:
        return [f"{_kind(resource)}  {resource.name}" for resource in inside]
    counts = Counter(_kind(resource) for resource in inside)
    return [", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))]


TreeNode = tuple[str, str]
"""A Region and a component in it."""
Edges = dict[TreeNode, set[TreeNode]]


def _edges(declaration: "Declaration") -> Edges:
    """Return which component depends on which, each in its Region."""
    made = {resource.urn: resource for resource in _placed(declaration)}
    edges: Edges = {_node(item): set() for item in made.values()}
    for item in made.values():
        for urn in item.dependencies:
            if urn in made and _node(made[urn]) != _node(item):
                edges[_node(item)].add(_node(made[urn]))
    return edges


def _node(resource: "RegisteredResource") -> TreeNode:
    return _where(resource), resource.component.rsplit("/", 1)[-1] or "program"


def _mermaid(edges: Edges) -> list[str]:
    lines = ["flowchart LR"]
    for region in sorted({node[0] for node in edges}):
        lines.append(f'  subgraph {_identifier(region)}["{region}"]')
        lines += [f'    {_identifier(*n)}["{n[1]}"]' for n in sorted(edges) if n[0] == region]
        lines.append("  end")
    for node, targets in sorted(edges.items()):
        lines += [
            f"  {_identifier(*node)} --> {_identifier(*target)}" for target in sorted(targets)
        ]
    return lines


def _dot(edges: Edges) -> list[str]:
    lines = ["digraph otherside {", "  rankdir=LR;", "  node [shape=box];"]
    for region in sorted({node[0] for node in edges}):
        lines += [f'  subgraph "cluster_{region}" {{', f'    label="{region}";']
        lines += [
            f'    {_identifier(*n)} [label="{n[1]}"];' for n in sorted(edges) if n[0] == region
        ]
        lines.append("  }")
    for node, targets in sorted(edges.items()):
        lines += [
            f"  {_identifier(*node)} -> {_identifier(*target)};" for target in sorted(targets)
        ]
    return [*lines, "}"]


def _identifier(*parts: str) -> str:
    return "_".join(part.replace("-", "_") for part in parts)


_GRAPHS = {"mermaid": _mermaid, "dot": _dot}
