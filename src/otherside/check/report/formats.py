"""Output formats of the findings document other than text and SARIF."""

import html
import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

from otherside.check.catalogue import catalogue
from otherside.check.report.findings_document import FindingsDocument
from otherside.check.report.sarif import as_sarif

_WORKFLOW = {"critical": "error", "high": "error", "medium": "warning"}
_STEPS = ("detect", "decide", "promote", "route", "restore")


def as_json(document: FindingsDocument) -> str:
    """Return the document as JSON."""
    return json.dumps(document, indent=2)


def as_sarif_text(document: FindingsDocument) -> str:
    """Return the document as a SARIF log in text form."""
    return json.dumps(as_sarif(document), indent=2)


def as_junit(document: FindingsDocument) -> str:
    """Return a JUnit suite: one case per rule, failed by its findings, skipped if unknown."""
    suite = ET.Element("testsuite", name="otherside check")
    failed = skipped = 0
    for rule in catalogue():
        case = ET.SubElement(
            suite, "testcase", classname=f"otherside.{rule.step}", name=f"{rule.code} {rule.name}"
        )
        found = [finding for finding in document["findings"] if finding["code"] == rule.code]
        unknown = [item for item in document["unknown"] if item["code"] == rule.code]
        for finding in found:
            failure = ET.SubElement(
                case,
                "failure",
                type=finding["severity"],
                message=f"{finding['resource']}: {finding['message']}",
            )
            failure.text = f"{finding['why']}\n{finding['fix']}\n{finding['url']}"
        if unknown and not found:
            reasons = "; ".join(
                f"{finding['resource']}: {finding['reason']}" for finding in unknown
            )
            ET.SubElement(case, "skipped", message=reasons)
        failed += bool(found)
        skipped += bool(unknown and not found)
    for problem in document["problems"]:
        case = ET.SubElement(suite, "testcase", classname="otherside.input", name=problem)
        ET.SubElement(case, "error", message=problem)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failed))
    suite.set("skipped", str(skipped))
    suite.set("errors", str(len(document["problems"])))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def as_github(document: FindingsDocument) -> str:
    """Return GitHub workflow commands, one annotation each."""
    lines = [f"::error::{_escaped(problem)}" for problem in document["problems"]]
    for finding in document["findings"]:
        where = (
            f"file={_property(finding['file'])},line={finding['line'] or 1},"
            if finding["file"]
            else ""
        )
        title = _property(f"{finding['code']} {finding['name']}")
        text = _escaped(
            f"{finding['resource']}: {finding['message']}. {finding['why']} Fix: {finding['fix']}"
        )
        lines.append(f"::{_WORKFLOW[finding['severity']]} {where}title={title}::{text}")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def as_markdown(document: FindingsDocument) -> str:
    """Return a pull request comment."""
    lines = ["## otherside check", ""]
    lines += [f"- **error** {problem}" for problem in document["problems"]]
    if document["findings"]:
        lines += ["| Severity | Rule | Resource | What |", "|---|---|---|---|"]
        for finding in document["findings"]:
            rule = f"[{finding['code']} {finding['name']}]({finding['url']})"
            name = finding["resource"].replace("`", "'")
            cells = [finding["severity"], rule, f"`{name}`", finding["message"]]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    else:
        lines.append("No finding.")
    if document["unknown"]:
        lines += ["", f"<details><summary>{len(document['unknown'])} unknown</summary>", ""]
        lines += [
            f"- {finding['code']} `{finding['resource']}`: {finding['reason']}"
            for finding in document["unknown"]
        ]
        lines += ["", "</details>"]
    recovery = document["summary"]["recovery"]
    if recovery is not None:
        lines += ["", "| Step | Can it? | By |", "|---|---|---|"]
        for step in _STEPS:
            ability = recovery["steps"][step]
            lines.append(f"| {step} | {ability['able']} | {ability['by']} |")
        lines += ["", f"RTO at best: {recovery['rto_at_best']}  "]
        lines += [f"RPO at best: {recovery['rpo_at_best']}"]
    return "\n".join(lines) + "\n"


_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;
color:#1a1a1a}
table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.4rem .6rem;
border-bottom:1px solid #ddd;vertical-align:top}code{font-size:.9em;overflow-wrap:anywhere}
.critical{color:#a40000;font-weight:600}.high{color:#a85500;font-weight:600}.medium{color:#005a8c}
.no{color:#a40000}.yes{color:#176b17}@media(prefers-color-scheme:dark){body{background:#161616;
color:#e6e6e6}th,td{border-color:#444}.critical,.no{color:#ff8a8a}.high{color:#ffb86b}
.medium{color:#7cc7ff}.yes{color:#8fd98f}a{color:#7cc7ff}}
"""


def _link(finding: FindingsDocument) -> str:
    name = html.escape(finding["name"])
    return f'<a href="{html.escape(finding["url"])}">{finding["code"]}</a> {name}'


def as_html(document: FindingsDocument) -> str:
    """Return a self-contained page for auditors, with no scripts and no external resources."""
    rows = [
        [
            f'<span class="{finding["severity"]}">{finding["severity"]}</span>',
            _link(finding),
            f"<code>{html.escape(finding['resource'])}</code><br>{html.escape(finding['region'])}",
            _what(finding),
        ]
        for finding in document["findings"]
    ]
    body = [f"<p>{html.escape(problem)}</p>" for problem in document["problems"]]
    body.append(
        _table(["Severity", "Rule", "Resource", "What"], rows) if rows else "<p>No finding.</p>"
    )
    recovery = document["summary"]["recovery"]
    if recovery is not None:
        steps = [
            [step, f'<span class="{a["able"]}">{a["able"]}</span>', html.escape(a["by"])]
            for step in _STEPS
            for a in [recovery["steps"][step]]
        ]
        body.append("<h2>What a recovery could do</h2>" + _table(["Step", "Can it?", "By"], steps))
        body.append(f"<p>RTO at best: {html.escape(recovery['rto_at_best'])}<br>")
        body.append(f"RPO at best: {html.escape(recovery['rpo_at_best'])}</p>")
    for key, title in (("unknown", "Unknown, which is no pass"), ("suppressed", "Suppressed")):
        listed = [
            [
                finding["code"],
                f"<code>{html.escape(finding['resource'])}</code>",
                html.escape(finding["reason"]),
            ]
            for finding in document[key]
        ]
        if listed:
            body.append(f"<h2>{title}</h2>" + _table(["Rule", "Resource", "Reason"], listed))
    head = f"<title>otherside check</title><style>{_STYLE}</style>"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{head}'
        f"<h1>otherside check</h1>{''.join(body)}</html>\n"
    )


def _what(findings_document: FindingsDocument) -> str:
    why, fix = html.escape(findings_document["why"]), html.escape(findings_document["fix"])
    return (
        f"{html.escape(findings_document['message'])}<br><small>{why}<br><b>Fix.</b> {fix}</small>"
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    heads = "".join(f"<th>{item}</th>" for item in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{heads}</tr>{lines}</table>"


FORMATS: dict[str, Callable[[FindingsDocument], str]] = {
    "json": as_json,
    "sarif": as_sarif_text,
    "junit": as_junit,
    "github": as_github,
    "markdown": as_markdown,
    "html": as_html,
}
