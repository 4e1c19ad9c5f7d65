"""Write the generated parts of the documents; with --check, only report what is stale."""

import ast
import contextlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from otherside.check.catalogue import catalogue
from otherside.check.rule import RecoveryStep
from otherside.cli import COMMANDS, main
from otherside.config.document import json_schema
from otherside.drill.catalogue import CATALOGUE
from otherside.drill.conditions import strike
from otherside.drill.known_failures import FAILURES
from otherside.failover.decision.observation import Order
from otherside.failover.decision.state import Phase
from otherside.failover.decision.transitions import HEEDED_IN, TRANSITIONS, Event
from otherside.failover.decision.verdict import DEADLY, Verdict
from otherside.twin.latency import PROFILE
from otherside.twin.services.resource_types import RESOURCE_TYPES

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
DECISION = ROOT / "src" / "otherside" / "failover" / "decision"
COMPONENTS = ROOT / "src" / "otherside" / "components"
QUICK_START = ROOT / "docs" / "guide" / "quick-start.md"
TRANSCRIPT, DRILL, END = "<!-- transcript -->", "<!-- drill -->", "<!-- end -->"
CHECK_SCHEMA = ROOT / "src" / "otherside" / "check" / "report" / "check.schema.json"
EVIDENCE = REFERENCE / "evidence.json"
TRANSCRIPT_LINES = 26
TWIN_TESTS = ROOT / "tests" / "twin"
CASES = ROOT / "tests" / "check" / "rules"
STATUSES = ("done", "modelled", "refused")
MADE = "<!-- Generated from the code by `make docs`; edit the code. -->\n"


def pages() -> dict[Path, str]:
    """Return every generated file and its expected content."""
    schema = json_schema()
    return {
        QUICK_START: _quick_start(),
        REFERENCE / "otherside.schema.json": json.dumps(schema, indent=2, sort_keys=True) + "\n",
        REFERENCE / "check.schema.json": CHECK_SCHEMA.read_text(encoding="utf-8"),
        REFERENCE / "configuration.md": "\n".join(_design(schema)) + "\n",
        REFERENCE / "components.md": "\n".join(_components()) + "\n",
        REFERENCE / "cli.md": "\n".join(_cli()) + "\n",
        REFERENCE / "failover.md": "\n".join(_failover()) + "\n",
        REFERENCE / "twin.md": "\n".join(_twin()) + "\n",
        REFERENCE / "fidelity.md": "\n".join(_fidelity()) + "\n",
        REFERENCE / "scenarios.md": "\n".join(_scenarios()) + "\n",
        REFERENCE / "rules.md": "\n".join(_rules()) + "\n",
        REFERENCE / "sabotage.md": "\n".join(_sabotage()) + "\n",
    }


def _design(schema: dict[str, Any]) -> Iterator[str]:
    yield MADE
    yield "# The configuration: otherside.toml\n"
    yield "Only `name` and `traffic.domain` are required; every other key has a safe default."
    yield "`otherside schema` prints the same keys as a JSON Schema, for editors.\n"
    yield from _table("", schema, schema)
    for name, key in schema["properties"].items():
        section = _section(key, schema)
        if section is not None:
            yield f"\n## `[{name}]`\n"
            yield from _table(name, section, schema)
            for inner_name, inner_key in section["properties"].items():
                inner = _section(inner_key, schema)
                if inner is not None:
                    yield f"\n### `[{name}.{inner_name}]`\n"
                    yield from _table(inner_name, inner, schema)


def _table(prefix: str, section: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    if prefix:
        yield f"{section.get('description', '')}\n"
    yield "| Key | Default | Meaning |"
    yield "|---|---|---|"
    required = section.get("required", [])
    for name, key in section["properties"].items():
        if _section(key, schema) is not None and not prefix:
            continue
        default = "required" if name in required else _default(key.get("default"))
        meaning = " ".join(key.get("description", "").split()).replace("|", "\\|")
        yield f"| `{name}` | {default} | {meaning} |"


def _default(value: object) -> str:
    return "" if value in (None, [], {}) else f"`{json.dumps(value)}`"


def _section(key: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return the table that a key holds, or `None` if it holds a value."""
    options = [key, *key.get("anyOf", [])]
    reference = next((option["$ref"] for option in options if "$ref" in option), None)
    if reference is None:
        return None
    found: dict[str, Any] = schema["$defs"][reference.rsplit("/", 1)[-1]]
    return found


def _components() -> Iterator[str]:
    """Yield each component with its description, arguments and outputs."""
    yield MADE
    yield "# Components\n"
    yield "Each works by itself in a program of your own; `examples/components` shows how."
    yield "`DisasterRecovery` combines them.\n"
    for file in sorted(COMPONENTS.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        for name, node in classes.items():
            if any(ast.unparse(base) == "pulumi.ComponentResource" for base in node.bases):
                yield f"## {name}\n"
                yield f"`otherside.components.{file.stem}`\n"
                yield f"{ast.get_docstring(node)}\n"
                yield from _fields("Argument", classes.get(f"{name}Args"), classes)
                yield from _fields("Output", node, classes)


def _fields(
    title: str, node: ast.ClassDef | None, classes: dict[str, ast.ClassDef]
) -> Iterator[str]:
    """Yield a class's public annotated attributes, inherited ones first."""
    if node is None:
        return
    inherited = [classes[ast.unparse(b)] for b in node.bases if ast.unparse(b) in classes]
    rows = [row for item in (*inherited, node) for row in _rows(item)]
    if rows:
        yield f"| {title} | Type | Default | |\n|---|---|---|---|"
        yield from rows
        yield ""


def _rows(node: ast.ClassDef) -> Iterator[str]:
    for number, item in enumerate(node.body):
        if not isinstance(item, ast.AnnAssign):
            continue
        after = node.body[number + 1] if number + 1 < len(node.body) else None
        text = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = " ".join(str(after.value.value).split())
        kind = ast.unparse(item.annotation).replace("|", "\\|").strip("'")
        default = f"`{ast.unparse(item.value)}`" if item.value else ""
        yield f"| `{ast.unparse(item.target)}` | `{kind}` | {default} | {text} |"


def _failover() -> Iterator[str]:
    """Yield the state diagram of the transitions, and what phases, orders and times mean."""
    yield MADE
    yield "# The decision\n"
    yield "Generated from `TRANSITIONS` in `failover/decision/transitions.py`."
    yield "Every other phase also leads to `halted` if the writer is moved from outside.\n"
    yield "```mermaid\nstateDiagram-v2"
    yield "  [*] --> steady"
    for phase, row in TRANSITIONS.items():
        for event, target in row.items():
            if event is not Event.EXTERNAL_MOVE:
                yield f"  {_id(phase)} --> {_id(target)}: {event}"
    yield "```\n"
    yield "| Phase | Meaning | Accepted orders |\n|---|---|---|"
    meanings = _meanings(DECISION / "state.py", "Phase")
    for phase in Phase:
        orders = ", ".join(f"`{order}`" for order in Order if phase in HEEDED_IN[order])
        yield f"| `{phase}` | {meanings.get(phase.name, '')} | {orders} |"
    yield "\n## Verdicts\n"
    yield "| Verdict | Meaning | May move the writer by itself |\n|---|---|---|"
    meanings = _meanings(DECISION / "verdict.py", "Verdict")
    for verdict in Verdict:
        deadly = "yes" if verdict in DEADLY else "no"
        yield f"| `{verdict}` | {meanings.get(verdict.name, '')} | {deadly} |"
    yield "\n## Signals\n"
    yield "| Signal | Meaning |\n|---|---|"
    for name, text in _meanings(DECISION / "observation.py", "Signals").items():
        yield f"| `{name}` | {text} |"
    yield "\n## Times and limits\n"
    yield (
        "From `FailoverPolicy` in `failover/decision/policy.py`; "
        "mode, loss and freezes come from the configuration.\n"
    )
    tree = ast.parse((DECISION / "policy.py").read_text(encoding="utf-8"))
    policy = next(
        n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "FailoverPolicy"
    )
    yield "| Name | Type | Default | |\n|---|---|---|---|"
    yield from _rows(policy)


def _id(phase: Phase) -> str:
    """Return a phase as a Mermaid identifier."""
    return phase.replace("-", "_")


def _meanings(file: Path, name: str) -> dict[str, str]:
    """Return what each member of a class means, from the text below it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    node = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    found = {}
    for item, after in pairwise(node.body):
        if isinstance(item, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
            target = item.targets[0] if isinstance(item, ast.Assign) else item.target
            if isinstance(after.value, ast.Constant):
                found[ast.unparse(target)] = " ".join(str(after.value.value).split())
    return found


def _twin() -> Iterator[str]:
    yield MADE
    yield "# The twin: modelled times and supported resources\n"
    yield "## Modelled times\n"
    yield "In twin seconds. `--latency none` turns all of them off.\n"
    yield "| Operation | Seconds | Source |\n|---|---|---|"
    for name, modelled in PROFILE.items():
        yield f"| {name} | {modelled.seconds:g} | {modelled.source} |"
    yield "\n## Resources\n"
    yield "Types of Pulumi's AWS provider that the twin creates; it refuses any other by name.\n"
    for token in sorted(RESOURCE_TYPES):
        yield f"- `{token}`"


def tested_rows() -> dict[str, list[str]]:
    """Return the rows that tests name, with those tests: `test_R53_04_05_…` names two rows."""
    found: dict[str, list[str]] = {}
    for file in sorted(TWIN_TESTS.rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE):
            area = ""
            for part in name.split("_")[1:]:
                if re.fullmatch(r"[A-Z][A-Z0-9]+", part):
                    area = part
                elif re.fullmatch(r"\d\d", part) and area:
                    found.setdefault(f"{area}-{part}", []).append(f"{file.stem}: {name}")
                else:
                    break
    return found


def listed_rows() -> list[list[str]]:
    """Return every documented rule: its number, status, subject and a note."""
    lines = (TWIN_TESTS / "fidelity.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def _fidelity() -> Iterator[str]:
    tested, rows = tested_rows(), listed_rows()
    yield MADE
    yield "# Fidelity of the twin to AWS\n"
    yield "Each row is a rule of AWS's documentation or of its API models. *Done* rows are proved"
    yield "by the tests that name them; *modelled* ones are assumed or simplified as the note says;"
    yield "*refused* ones are not supported, so draw no conclusions about them from the twin.\n"
    counts = {status: sum(row[1] == status for row in rows) for status in STATUSES}
    yield ", ".join(f"{count} {status}" for status, count in counts.items()) + ".\n"
    yield "| Row | Subject | | Note | Tests |\n|---|---|---|---|---|"
    for number, status, subject, note in rows:
        tests = "<br>".join(f"`{text.partition(': ')[2]}`" for text in tested.get(number, []))
        yield f"| {number} | {subject} | {status} | {note} | {tests} |"


def _cli() -> Iterator[str]:
    yield MADE
    yield "# The command\n"
    for name in ("", *COMMANDS):
        command = main if not name else main.get_command(click.Context(main), name)
        assert command is not None
        context = click.Context(
            command, info_name=f"otherside {name}".strip(), max_content_width=96
        )
        yield f"## otherside {name}".rstrip() + "\n"
        yield f"```text\n{command.get_help(context)}\n```\n"


def _scenarios() -> Iterator[str]:
    yield MADE
    yield "# Scenarios\n"
    yield "Each is a file in `src/otherside/drill/catalogue`. Times are in twin seconds."
    yield "They count from the strike, or from a later moment.\n"
    for scenario in CATALOGUE:
        yield f"## {scenario.name}\n"
        yield f"{scenario.title} **{scenario.expectation}**\n"
        for step in scenario.prepare:
            yield f"- before: {step.action.text}"
        for step in scenario.steps:
            after = "" if step.when is strike else ", after a moment of the drill"
            yield f"- at {step.at_s:g} s{after}: {step.action.text}"
        yield "\nClaims: " + "; ".join(claim.name for claim in scenario.claims) + ".\n"


def _rules() -> Iterator[str]:
    """Yield every rule's page, and the graphs that its tests use."""
    yield MADE
    yield "# The rules of `otherside check`\n"
    yield "A code's hundreds digit is its area: 0 one of the fifteen failures, 1 data, 2 traffic,"
    yield "3 capacity, 4 the control plane, 5 keys and secrets, 6 monitoring. A rule is named after"
    yield "what it finds. Graphs in `tests/check/rules` show where a rule reports a finding and"
    yield "where not; the tests also write them as Terraform, Pulumi and CloudFormation.\n"
    yield "| Rule | Severity | Breaks | What is wrong |"
    yield "|---|---|---|---|"
    for rule in catalogue():
        link = f"[{rule.code} {rule.name}](#{rule.code.lower()}-{rule.name})"
        yield f"| {link} | {rule.severity} | {rule.step} | {rule.title} |"
    steps = ", ".join(RecoveryStep)
    yield f"\nThe steps of a recovery, in order: {steps}."
    for rule in catalogue():
        text = (CASES / f"{rule.check.__name__}.md").read_text(encoding="utf-8")
        yield f"\n## {rule.code} {rule.name}\n"
        yield f"**{rule.title}** {rule.severity.value.capitalize()}; breaks {rule.step}.\n"
        body = rule.page.split("\n\n", 1)[1].strip()
        yield re.sub(r"^## ", "### ", body, flags=re.MULTILINE)
        yield f"\n### Related controls\n{', '.join(rule.controls)}\n"
        yield "### Test cases\n"
        for kind, title in re.findall(r"^## (Flagged|Fine): (.+)$", text, re.MULTILINE):
            yield f"- {kind.lower()}: {title}"


def _sabotage() -> Iterator[str]:
    """Yield each failure with its symptom and what the last drill observed."""
    kept = json.loads(EVIDENCE.read_text(encoding="utf-8"))["sabotage"]
    observed = {failure["key"]: failure for failure in kept["failures"]}
    yield MADE
    yield "# The fifteen failures, injected\n"
    yield "`otherside drill --stack examples/standard --sabotage all` breaks the correct stack"
    yield "in one place at a time, deploys it on a twin and looks for the symptom."
    yield "`make evidence` produced this table.\n"
    (correct,) = kept["correct"]
    yield f"The correct stack, checked the same way: {correct['observed']}.\n"
    yield "| failure | symptom | noticed | observed |"
    yield "|---|---|---|---|"
    for failure in FAILURES:
        found = observed.get(failure.key, {"noticed": False, "observed": "not run"})
        noticed = "yes" if found["noticed"] else "**no**"
        text = " ".join(found["observed"].split()).replace("|", "\\|")
        yield f"| {failure.key} | {failure.symptom} | {noticed} | {text} |"


def _drilled(text: str) -> str:
    """Return the text with the output of the last drill in its place."""
    printed = json.loads(EVIDENCE.read_text(encoding="utf-8"))["drill"]["printed"]
    before, rest = text.split(DRILL, 1)
    after = rest.split(END, 1)[1]
    shown = "\n".join(["```console", "$ make drill", *printed, "```"])
    return f"{before}{DRILL}\n{shown}\n{END}{after}"


def _quick_start() -> str:
    """Return the page with its transcripts: one run now, one from the last `make evidence`."""
    text = _drilled(QUICK_START.read_text(encoding="utf-8"))
    before, rest = text.split(TRANSCRIPT, 1)
    after = rest.split(END, 1)[1]
    with tempfile.TemporaryDirectory() as parent, contextlib.chdir(parent):
        runner = CliRunner()
        for command in (
            ["init", "orders", "--domain", "orders.example.com"],
            ["preview", "orders"],
        ):
            ran = runner.invoke(main, command, catch_exceptions=False)
            if ran.exit_code != 0:
                raise SystemExit(ran.output)  # a page with half a transcript is no page
        shown = ran.stdout
    lines = shown.splitlines()[:TRANSCRIPT_LINES]
    block = "\n".join(["```console", "$ otherside preview orders", *lines, "…", "```"])
    return f"{before}{TRANSCRIPT}\n{block}\n{END}{after}"


def stale(made: dict[Path, str]) -> list[Path]:
    """Return the files that differ from what the code generates."""
    return [
        file
        for file, text in made.items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]


def run(*, check: bool) -> int:
    """Write the stale files, or only name them; return the exit code."""
    made = pages()
    old = stale(made)
    for file in old:
        name = file.relative_to(ROOT)
        if check:
            print(f"{name} is stale; `make docs` writes it", file=sys.stderr)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(made[file], encoding="utf-8")
            print(f"wrote {name}")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(run(check="--check" in sys.argv[1:]))
