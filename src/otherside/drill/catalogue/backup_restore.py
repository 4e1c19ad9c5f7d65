"""A backup is copied to the standby's Region and restored there."""

from otherside.drill.actions import AskProbe
from otherside.drill.assertions import STAYED, probed
from otherside.drill.conditions import later
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="backup-restore",
    title="A backup is copied to the standby's Region, restored there and compared.",
    expectation="Every restored row matches the writer, and users notice nothing.",
    steps=(Step(AskProbe("restore"), at_s=5),),
    claims=(probed("restore", "a backup copy can be restored in the standby's Region"), *STAYED),
    stop_when=later(70),
    lasts_s=70,
)
