"""A check's findings for people at a terminal."""

from collections.abc import Callable

from otherside.check.report.findings_document import UNREAD, FindingsDocument

Style = Callable[[str, str], str]
"""Give a text a colour, where there are colours."""
_COLOURS = {"critical": "red", "high": "yellow", "medium": "cyan"}
_MARKS = {"yes": "green", "no": "red", "unknown": "yellow"}
_UNKNOWN_MAX = 10
_STEPS = ("detect", "decide", "promote", "route", "restore")


def as_text(document: FindingsDocument, style: Style, *, verbose: bool = False) -> str:
    """Return findings by resource, what is unknown, and what a recovery would come to."""
    lines = [style(f"error: {problem}", "red") for problem in document["problems"]]
    unread = [one for one in document["unknown"] if one["code"] == UNREAD]
    lines += [style(f"not read: {one['resource']}: {one['reason']}", "yellow") for one in unread]
    for resource in dict.fromkeys(one["resource"] for one in document["findings"]):
        found = [one for one in document["findings"] if one["resource"] == resource]
        lines += ["", *_resource(found, style)]
    lines += _unknown(document, style, verbose=verbose)
    lines += _listed(document, verbose=verbose)
    lines += ["", *_summary(document, style)]
    return "\n".join(lines).lstrip("\n")


def _resource(found: list[FindingsDocument], style: Style) -> list[str]:
    first = found[0]
    place = f"{first['file']}:{first['line']}" if first["line"] else first["file"]
    shown = [] if not place or place in first["resource"] else [place]
    lines = [style(first["resource"], "bold") + f"  {'  '.join([first['region'], *shown])}"]
    for one in found:
        severity = style(one["severity"], _COLOURS[one["severity"]])
        lines.append(f"  {one['code']} {one['name']}  {severity}")
        lines.append(f"    {one['message']}")
        lines.append(f"    why: {one['why']}")
        lines.append(f"    fix: {one['fix']}")
    return lines


def _unknown(document: FindingsDocument, style: Style, *, verbose: bool) -> list[str]:
    unknown = [one for one in document["unknown"] if one["code"] != UNREAD]
    if not unknown:
        return []
    lines = ["", style(f"{len(unknown)} could not be told, which is no pass:", "yellow")]
    shown = unknown if verbose else unknown[:_UNKNOWN_MAX]
    lines += [f"  {one['code']} {one['resource']}: {one['reason']}" for one in shown]
    if len(shown) < len(unknown):
        lines.append(f"  … and {len(unknown) - len(shown)} more; --verbose names them all")
    return lines


def _listed(document: FindingsDocument, *, verbose: bool) -> list[str]:
    if not verbose:
        return []
    lines = [
        f"suppressed: {one['code']} {one['resource']}: {one['reason']}"
        for one in document["suppressed"]
    ]
    lines += [f"skipped: {one['file']}: {one['reason']}" for one in document["skipped"]]
    return ["", *lines] if lines else []


def _summary(document: FindingsDocument, style: Style) -> list[str]:
    summary = document["summary"]
    lines = []
    recovery = summary["recovery"]
    if recovery is not None:
        lines.append(style("What a recovery could do", "bold"))
        for step in _STEPS:
            ability = recovery["steps"][step]
            mark = style(f"{ability['able']:<8}", _MARKS[ability["able"]])
            lines.append(f"  {step:<8} {mark} {ability['by']}")
        lines.append(f"  RTO at best  {recovery['rto_at_best']}")
        lines.append(f"  RPO at best  {recovery['rpo_at_best']}")
        lines.append("")
    pair = summary["pair"]
    where = f"{pair['primary']} and {pair['standby']}" if pair else ", ".join(summary["regions"])
    lines.append(
        f"{summary['resources']} resources of {summary['files']} "
        f"{'file' if summary['files'] == 1 else 'files'} in {where or 'no Region'}, "
        f"asked {summary['rules']} rules"
    )
    counts = [f"{summary[one]} {one}" for one in ("critical", "high", "medium") if summary[one]]
    rest = [
        f"{summary[one]} {one}" for one in ("unknown", "suppressed", "baselined") if summary[one]
    ]
    if document["skipped"]:
        rest.append(f"{len(document['skipped'])} skipped")
    whole = not summary["unread"] and not document["problems"]
    nothing = "no finding" if whole else "no finding in what was read"
    verdict = ", ".join(counts) if counts else nothing
    colour = "red" if counts else "green" if whole else "yellow"
    lines.append(style(verdict, colour) + (f" ({', '.join(rest)})" if rest else ""))
    return lines
