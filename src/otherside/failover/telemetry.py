"""The functions' log: one JSON line per tick, with its numbers as metrics.

Lines use CloudWatch's embedded metric format, so that CloudWatch extracts the metrics from the log
without any further call:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from otherside.core.wire_contract import METRIC_DIMENSION, METRIC_NAMESPACE, WISHES_FAILED
from otherside.failover.controller import Tick
from otherside.failover.decision.observation import Reading, Signals


def look_line(look: Tick, application: str, *, at_s: float, code: str) -> dict[str, Any]:
    """Return the log line of one tick: its reason, its revision, and how long the phase took."""
    before, decision = look.before, look.decision
    state = decision.state
    unknown = signals_unknown(look.observation.signals)
    replication = look.observation.replication
    line: dict[str, Any] = {
        "event_id": f"{application}/{state.revision}",
        "epoch": state.epoch,
        "phase": state.phase,
        "entered_by": state.entered_by,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "obstacle": decision.obstacle,
        "new_revision": decision.changed,
        "writer": state.writer,
        "users_held": state.latched,
        "loss_now_s": replication.estimate_s if replication else None,
        "loss_estimate_s": state.loss_estimate_s,
        "loss_bound_s": state.loss_bound_s,
        "move": asdict(decision.move) if decision.move else None,
        "unknown": unknown,
        "bad": _that_say(look.observation.signals, Reading.BAD),
        "failed": look.failed,
        "unreadable": look.observation.unreadable,
        "code": code,
    }
    metrics: dict[str, float] = {
        "Looks": 1,
        "SignalsUnknown": len(unknown),
        "AnswersUnreadable": len(look.observation.unreadable),
        WISHES_FAILED: len(look.failed),
    }
    if replication:
        metrics["LossNowSeconds"] = round(replication.estimate_s, 1)
    if before.phase is not state.phase:
        line["from"] = before.phase
        metrics[f"{_camel(before.phase)}Seconds"] = round(at_s - before.since_s, 1)
        if state.loss_estimate_s is not None:
            metrics["LossEstimateSeconds"] = round(state.loss_estimate_s, 1)
    return _with_metrics(line, application, metrics, at_s)


def failure_line(why: str, application: str, *, at_s: float, code: str) -> dict[str, Any]:
    """Return the log line of a tick that came to no result, with the reason."""
    line = {"event_id": f"{application}/-", "reason": why, "code": code}
    return _with_metrics(line, application, {"LooksLost": 1}, at_s)


def signals_unknown(signals: Signals) -> list[str]:
    """Return the signals that could not be read: a dead detector looks like calm."""
    return _that_say(signals, Reading.UNKNOWN)


def _that_say(signals: Signals, reading: Reading) -> list[str]:
    return sorted(name for name in Signals.__slots__ if getattr(signals, name).reading is reading)


def _camel(phase: str) -> str:
    return "".join(word.capitalize() for word in phase.split("-"))


def _with_metrics(
    line: dict[str, Any], application: str, metrics: Mapping[str, float], at_s: float
) -> dict[str, Any]:
    return {
        **line,
        **metrics,
        METRIC_DIMENSION: application,
        "_aws": {
            "Timestamp": int(at_s * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": METRIC_NAMESPACE,
                    "Dimensions": [[METRIC_DIMENSION]],
                    "Metrics": [{"Name": name} for name in metrics],
                }
            ],
        },
    }
