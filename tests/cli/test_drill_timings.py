"""Where the seconds of a drill go."""

from io import StringIO

from rich.console import Console

from drill.journal_builders import failover
from otherside.cli.drill_timings import DrillTimings


class Ticking:
    """A clock of which each reading is a second later."""

    def __init__(self):
        self._now_s = 0.0

    def monotonic_s(self):
        """Return the next second."""
        self._now_s += 1.0
        return self._now_s


def test_each_part_has_its_seconds_by_both_clocks():
    """The parts are told apart by what the drill tells of; their sum is the whole."""
    timings = DrillTimings(Ticking())
    for entry in failover().all():
        timings.follow(entry)
    timings.end()
    names = [name for name, _, _ in timings.parts]
    assert names[0] == "start the twin"
    assert names[-3:] == [
        "start the clients",
        "from the strike to the end",
        "report, and stop the twin",
    ]
    assert all(real_s == 1.0 for _, real_s, _ in timings.parts)
    twin = {name: twin_s for name, _, twin_s in timings.parts}
    assert twin["start the twin"] is None
    assert twin["from the strike to the end"] > 100
    out = StringIO()
    Console(file=out, width=80).print(timings.table())
    assert f"{len(names)}.0 s" in out.getvalue().splitlines()[-1]
