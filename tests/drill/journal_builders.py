"""Recordings by hand: what a drill would have written down, in a few words."""

from otherside.drill.entries import parse
from otherside.drill.recording import Recording

STRIKE = 1_000_000.0
EAST, WEST = "us-east-2", "us-west-2"


def head(**more):
    """Return the first entry of a journal."""
    return {
        "kind": "drill",
        "at_s": STRIKE - 60,
        "schema": 1,
        "scenario": "lost-region",
        "title": "The primary Region disappears at once.",
        "expects": "The standby is promoted.",
        "seed": 1,
        "keys": "d1-",
        "clients": 2,
        "speed": 10.0,
        "latency": "modelled",
        "modelled": [{"what": "aurora-failover", "seconds": 60.0, "source": "AWS says <a minute>"}],
        "versions": {"otherside": "0.1.0"},
        "place": "examples/standard",
        "digest": "ab" * 32,
        "regions": {"primary": EAST, "standby": WEST, "witness": "us-east-1"},
        "rto_s": 300.0,
        "rpo_s": 1.0,
        "started_at": "2026-01-31T12:00:00+00:00",
        **more,
    }


def at(seconds, kind, **more):
    """Return an entry so many seconds after the strike."""
    return {"kind": kind, "at_s": STRIKE + seconds, **more}


def write(seconds, n, *, status=201, region=EAST, took_s=0.1, digest=None):
    """Return a write of one key."""
    return at(
        seconds,
        "write",
        client=1,
        key=f"d1-1-{n:06}",
        sha256=digest or f"digest-{n}",
        sent_s=STRIKE + seconds - took_s,
        status=status,
        region=region if status in {200, 201} else None,
        error=None if status in {200, 201} else "TimeoutError",
    )


def read(seconds, n, *, status=200, region=EAST):
    """Return a read of one key."""
    return {**write(seconds, n, status=status, region=region), "kind": "read"}


def rows(*numbers, side="standby", writer=True, digests=None, seconds=400):
    """Return what a database holds."""
    held = [[f"d1-1-{n:06}", (digests or {}).get(n, f"digest-{n}")] for n in numbers]
    return at(seconds, "rows", cluster=f"orders-prod-{side}", side=side, writer=writer, rows=held)


def look(seconds, phase, *, verdict="region-dead", reason="because", **more):
    """Return a look of the orchestrator."""
    return at(
        seconds,
        "look",
        phase=phase,
        verdict=verdict,
        reason=reason,
        event_id=f"orders-prod/{seconds}",
        unknown=[],
        bad=["heartbeat"],
        loss_now_s=more.pop("now_s", None),
        loss_bound_s=more.pop("bound_s", None),
        loss_estimate_s=None,
        epoch=0,
        **more,
    )


def sample(seconds, *, serves="standby", writer="standby", lag_s=None):
    """Return who serves and who writes."""
    return at(
        seconds,
        "sample",
        serves=serves,
        writer=writer,
        lag_s=lag_s,
        lost=[],
        healthy=1,
        instances=2,
    )


def call(seconds, operation, *, by="orders-prod-actuator", status=200, refused=False, error=""):
    """Return a call of AWS's API."""
    return at(
        seconds,
        "call",
        service="rds",
        operation=operation,
        region=WEST,
        source=WEST,
        principal=f"arn:aws:sts::123456789012:assumed-role/role/{by}",
        status=status,
        refused=refused,
        error=error,
    )


def told(seconds, text, *, what="database", region=WEST):
    """Return something that happened."""
    return at(seconds, "told", what=what, region=region, text=text)


def tape(*entries, steady=True, ended="finished", **more):
    """Return a recording of some entries, with what every one has around them."""
    state = "steady" if steady else "unsteady"
    before = [head(**more), at(-30, "stage", state=state, text="as it was")]
    newest_s = max([0.0, *(entry["at_s"] - STRIKE for entry in entries)])
    after = [] if ended is None else [at(newest_s + 1, "end", how=ended, text="")]
    made = Recording.of_entries(map(parse, [*before, at(0, "strike"), *entries, *after]))
    made.sort()
    return made


def failover(*, away_s=200, lost=()):
    """Return a drill as it should go: ten writes, an outage, ten more on the other side."""
    before = [write(-10 + n, n) for n in range(10)]
    failing = [write(5 + n, 10, status=0) for n in range(0, int(away_s) - 6, 5)]
    after = [write(away_s + n, 10 + n, region=WEST) for n in range(40)]
    kept = [n for n in range(50) if n not in lost]
    return tape(
        *before,
        *failing,
        *after,
        *(read(-9 + n, n) for n in range(9)),
        *(read(100 + n, 3, region=WEST) for n in range(int(away_s) - 60)),
        at(1, "step", do="lose", how={"side": "primary"}, text="lose primary"),
        sample(-4, serves="primary", writer="primary", lag_s=0.1),
        sample(40, serves="standby", writer=None, lag_s=40.0),
        look(60, "suspect"),
        look(120, "fencing", bound_s=17.0),
        call(150, "FailoverGlobalCluster"),
        look(151, "promote-intent"),
        told(190, "RDS-EVENT-0238: completed"),
        look(195, "verify"),
        look(205, "shift"),
        look(210, "failed-over"),
        sample(215),
        sample(239),
        at(60, "run", function="orders-prod-decider", region=WEST, error=None, text="", took_s=50),
        rows(*kept),
    )
