"""Terminal output of a check."""

import re
import textwrap
from collections.abc import Callable

from otherside.check.report.findings_document import UNREAD, FindingsDocument

Style = Callable[[str, str], str]
"""Colours a text, if the output supports colour."""
Source = Callable[[str, int], str]
"""Returns a line of a file."""
DIALECTS = {"pulumi": "python", "terraform": "hcl", "cloudformation": "yaml"}
"""Each dialect that a rule's page speaks, and the language of its snippets."""
_COLOURS = {"critical": "red", "high": "yellow", "medium": "cyan"}
_MARKS = {"yes": "green", "no": "red", "unknown": "yellow"}
_UNKNOWN_MAX = 10
_SYSTEMS_MAX = 12
_WIDTH_MIN = 40
_DECLARATION_MAX = 120
_STEPS = ("detect", "decide", "promote", "route", "restore")


def as_text(
    document: FindingsDocument,
    style: Style,
    *,
    verbose: bool = False,
    width: int | None = None,
    source: Source = lambda _file, _line: "",
) -> str:
    """Return the findings by resource, the unknowns and the recovery summary.

    Args:
        document: The findings document.
        style: Colours a text.
        verbose: List everything unknown, skipped and suppressed.
        width: Columns to wrap findings to; `None` wraps nothing, for files and pipes.
        source: Returns a line of a file, to be shown above its findings; empty shows none.
    """
    lines = [style(f"error: {problem}", "red") for problem in document["problems"]]
    unread = [item for item in document["unknown"] if item["code"] == UNREAD]
    lines += [
        style(f"not read: {finding['resource']}: {finding['reason']}", "yellow")
        for finding in unread
    ]
    lines += _systems(document, style, verbose=verbose)
    by_place: dict[tuple[object, ...], list[FindingsDocument]] = {}
    for finding in document["findings"]:
        by_place.setdefault(_place(finding), []).append(finding)
    for found in by_place.values():
        lines += ["", *_resource(found, style, width, source, verbose=verbose)]
    if document["problems"] and not document["summary"]["files"]:
        return "\n".join(lines)  # nothing was read, so there is nothing to sum up
    lines += _unknown(document, style, verbose=verbose)
    lines += _listed(document, verbose=verbose)
    lines += ["", *_summary(document, style)]
    if document["findings"]:
        code = document["findings"][0]["code"]
        dialects = document["summary"]["dialects"]
        spoken = dialects[0] if len(dialects) == 1 else ""
        named = f" --dialect {spoken}" if spoken in DIALECTS else ""
        lines.append(f"otherside explain {code}{named} says more about a rule, with examples")
    return "\n".join(lines).lstrip("\n")


def as_lines(document: FindingsDocument, style: Style) -> str:
    """Return one line for each finding, `FILE:LINE: CODE severity resource: message`, and a count.

    Editors and `grep` read such lines.
    """
    lines = [f"error: {problem}" for problem in document["problems"]]
    for finding in document["findings"]:
        place = f"{finding['file']}:{finding['line']}" if finding["line"] else finding["file"]
        severity = style(finding["severity"], _COLOURS[finding["severity"]])
        head = f"{place}: " if place else ""
        said = f"{finding['resource']}: {finding['message']}{_others(finding)}"
        lines.append(f"{head}{finding['code']} {severity} {said}")
    return "\n".join([*lines, _summary(document, style)[-1]])


def _place(finding: FindingsDocument) -> tuple[object, ...]:
    """Return what findings stand under together: one resource in one place."""
    return tuple(finding[name] for name in ("resource", "region", "file", "line"))


def _others(finding: FindingsDocument) -> str:
    """Return how often the same block of source causes the same elsewhere."""
    count = len(finding["also"])
    return f" (and {count} more of this block)" if count else ""


def _resource(
    found: list[FindingsDocument],
    style: Style,
    width: int | None,
    source: Source,
    *,
    verbose: bool,
) -> list[str]:
    first = found[0]
    place = f"{first['file']}:{first['line']}" if first["line"] else first["file"]
    shown = [] if not place or place in first["resource"] else [place]
    shown += [f"in {first['system']}"] if first["system"] else []
    lines = [style(first["resource"], "bold") + f"  {'  '.join([first['region'], *shown])}"]
    declared = _declaration(source(first["file"], first["line"])) if first["line"] else ""
    lines += [style(f"  {first['line']} | {declared}", "blue")] if declared else []
    for findings_document in found:
        severity = style(findings_document["severity"], _COLOURS[findings_document["severity"]])
        lines.append(f"  {findings_document['code']} {findings_document['name']}  {severity}")
        lines += _wrapped("", f"{findings_document['message']}{_others(findings_document)}", width)
        if verbose:
            lines += [f"    also {other['resource']}" for other in findings_document["also"]]
        lines += _wrapped("why: ", findings_document["why"], width)
        lines += _wrapped("fix: ", findings_document["fix"], width)
        lines += [f"    see: {findings_document['url']}"] if width is not None else []
    return lines


def _declaration(line: str) -> str:
    """Return the part of a line that declares a resource, and nothing that is in its body.

    What stands behind the brace or the colon may be a password; a line without a name says nothing.
    """
    head = re.split(r"([{:])", line[:_DECLARATION_MAX], maxsplit=1)
    shown = head[0].strip() + {"{": " {", ":": ":"}.get("".join(head[1:2]), "")
    return shown if any(letter.isalnum() for letter in shown) else ""


def _wrapped(label: str, text: str, width: int | None) -> list[str]:
    """Return a paragraph below its finding; names of resources and addresses are never broken."""
    if width is None:
        return [f"    {label}{text}"]
    return textwrap.wrap(
        text,
        max(width, _WIDTH_MIN),
        initial_indent=f"    {label}",
        subsequent_indent=" " * (4 + len(label)),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _unknown(document: FindingsDocument, style: Style, *, verbose: bool) -> list[str]:
    unknown = [item for item in document["unknown"] if item["code"] != UNREAD]
    if not unknown:
        return []
    lines = ["", style(f"{len(unknown)} could not be told, which is no pass:", "yellow")]
    shown = unknown if verbose else unknown[:_UNKNOWN_MAX]
    lines += [
        f"  {finding['code']} {finding['resource']}: {finding['reason']}" for finding in shown
    ]
    if len(shown) < len(unknown):
        lines.append(f"  … and {len(unknown) - len(shown)} more; --verbose names them all")
    return lines


def _listed(document: FindingsDocument, *, verbose: bool) -> list[str]:
    if not verbose:
        return []
    lines = [
        f"suppressed: {finding['code']} {finding['resource']}: {finding['reason']}"
        for finding in document["suppressed"]
    ]
    lines += [f"skipped: {item['file']}: {item['reason']}" for item in document["skipped"]]
    return ["", *lines] if lines else []


def _systems(document: FindingsDocument, style: Style, *, verbose: bool) -> list[str]:
    """Return what is checked apart, if there are several systems."""
    systems = document["systems"]
    if not any(system["name"] for system in systems):
        return []
    lines = [
        style(f"{len(systems)} system{'' if len(systems) == 1 else 's'}, checked apart:", "bold")
    ]
    for system in systems if verbose else systems[:_SYSTEMS_MAX]:
        count, roots = system["findings"], len(system["roots"])
        where = ", ".join(system["regions"]) or "no Region"
        lines.append(
            f"  {system['name']}: {system['resources']} resources of {roots} "
            f"{'root' if roots == 1 else 'roots'} in {where}, "
            f"{count or 'no'} finding{'' if count == 1 else 's'}"
        )
        lines += [f"    {root}" for root in system["roots"]] if verbose else []
    if not verbose and len(systems) > _SYSTEMS_MAX:
        lines.append(f"  … and {len(systems) - _SYSTEMS_MAX} more; --verbose names them all")
    lines.append("--system NAME checks one of them; --one-system takes all of it as one")
    return ["", *lines]


def _ability(name: str, recovery: FindingsDocument, style: Style) -> list[str]:
    """Return what a recovery of a system could do."""
    lines = [style(f"What a recovery{f' of {name}' if name else ''} could do", "bold")]
    for step in _STEPS:
        ability = recovery["steps"][step]
        mark = style(f"{ability['able']:<8}", _MARKS[ability["able"]])
        lines.append(f"  {step:<8} {mark} {ability['by']}")
    lines.append(f"  RTO at best  {recovery['rto_at_best']}")
    lines.append(f"  RPO at best  {recovery['rpo_at_best']}")
    return [*lines, ""]


def _summary(document: FindingsDocument, style: Style) -> list[str]:
    summary = document["summary"]
    lines = []
    for system in document["systems"][:_SYSTEMS_MAX]:
        if system["recovery"] is not None:
            lines += _ability(system["name"], system["recovery"], style)
    pair = summary["pair"]
    where = f"{pair['primary']} and {pair['standby']}" if pair else ", ".join(summary["regions"])
    lines.append(
        f"{summary['resources']} resources of {summary['files']} "
        f"{'file' if summary['files'] == 1 else 'files'} in {where or 'no Region'}, "
        f"asked {summary['rules']} rules"
    )
    counts = [f"{summary[name]} {name}" for name in ("critical", "high", "medium") if summary[name]]
    rest = [
        f"{summary[name]} {name}"
        for name in ("unknown", "suppressed", "baselined")
        if summary[name]
    ]
    if document["skipped"]:
        rest.append(f"{len(document['skipped'])} skipped")
    whole = not summary["unread"] and not document["problems"]
    nothing = "no finding" if whole else "no finding in what was read"
    verdict = ", ".join(counts) if counts else nothing
    colour = "red" if counts else "green" if whole else "yellow"
    lines.append(style(verdict, colour) + (f" ({', '.join(rest)})" if rest else ""))
    return lines
