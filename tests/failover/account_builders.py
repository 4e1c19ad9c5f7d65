"""Stories over AWS's own shapes, for tests to tell: a lost Region, and the way home."""

from dataclasses import replace

import pytest

from failover.fake_aws import REGIONS
from otherside.core.topology import FailoverMode, Side
from otherside.core.wire_contract import ItemType
from otherside.failover.actuator import actuate
from otherside.failover.aws.adapter import AwsAdapter
from otherside.failover.controller import Tick, reconcile_once
from otherside.failover.decision.observation import Order, Reading
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase

POLICY = FailoverPolicy(mode=FailoverMode.AUTO, loss_auto_s=5.0)


def world_of(cloud):
    """Return the orchestrator's world in an account."""
    return AwsAdapter(
        cloud.settings, clients=cloud.clients, clock=cloud.clock, code="c", skew_s=1e6
    )


def healthy(cloud):
    """Let every place say that all is well."""
    now_s = cloud.clock.at_s
    state = {"app_ok": True, "reads_ok": True, "lag_max_s": 0.2, "beat_s": now_s}
    cloud.pulse("primary", writes_ok=True, wrote_s=now_s, wrote_epoch=0, **state)
    cloud.pulse("standby", writes_ok=False, **state)
    cloud.pulse("witness", writes_ok=True)


def lose_the_primary(cloud):
    """Let the primary's Region be gone: it says nothing more, and nothing in it answers."""
    cloud.readings["canary"] = Reading.BAD
    cloud.lead(Side.STANDBY)
    cloud.aurora.lost.add(REGIONS[Side.PRIMARY])


def look(cloud, *, standby=None, after_s=5.0):
    """Let time pass, with the standby and the witness reporting; look once, act if woken."""
    cloud.clock.at_s += after_s
    # Moto's own clock stands still beside ours.
    beat_s = cloud.lived_s
    cloud.pulse(
        "standby", **{"reads_ok": True, "beat_s": beat_s, "lag_max_s": 0.2, **(standby or {})}
    )
    cloud.pulse("witness", writes_ok=False)
    before = len(cloud.calls)
    done = reconcile_once(world_of(cloud), POLICY)
    assert isinstance(done, Tick), done
    if ("Invoke", REGIONS[Side.STANDBY]) in [(c.operation, c.region) for c in cloud.calls[before:]]:
        cloud.said = actuate(world_of(cloud), POLICY)
    return done


def until(cloud, phase, **more):
    """Look until a phase is reached."""
    for _ in range(60):
        done = look(cloud, **more)
        if done.decision.state.phase is phase:
            return done
    return pytest.fail(f"{done.decision.state.phase}: {done.decision.reason}")


def tell(cloud):
    """Let the primary's Region be lost, and everything happen that follows."""
    cloud.lived_s = cloud.clock.at_s
    healthy(cloud)
    assert isinstance(reconcile_once(world_of(cloud), POLICY), Tick)
    lose_the_primary(cloud)
    until(cloud, Phase.FENCING)
    assert cloud.item(ItemType.LEASE, "newest")["open"]["BOOL"] is False
    until(cloud, Phase.PROMOTING)
    cloud.finish_move()
    until(cloud, Phase.VERIFY)
    epoch = int(cloud.item(ItemType.LEASE, "newest")["epoch"]["N"])
    proven = {"writes_ok": True, "wrote_epoch": epoch, "wrote_s": cloud.clock.at_s}
    until(cloud, Phase.SHIFT, standby=proven)
    until(cloud, Phase.FAILED_OVER, standby=proven)
    return cloud


def go_home(cloud, policy):
    """Let everybody do their part until the writer is being moved home."""
    policy = replace(policy, stable_s=10.0)

    def later(phase, order=None):
        if order is not None:
            cloud.order(order, int(cloud.revisions()[-1]["event_id"]))
        for _ in range(60):
            cloud.clock.at_s += 5.0
            now_s = cloud.clock.at_s
            seen = {"reads_ok": True, "beat_s": now_s, "lag_max_s": 0.2}
            cloud.pulse("primary", app_ok=True, writes_ok=False, **seen)
            cloud.pulse("standby", **seen, writes_ok=True, wrote_epoch=1, wrote_s=now_s)
            cloud.pulse("witness", writes_ok=True)
            cloud.readings["canary"] = Reading.GOOD
            done = reconcile_once(world_of(cloud), policy)
            assert isinstance(done, Tick)
            actuate(world_of(cloud), policy)
            if done.decision.state.phase is phase:
                return
        pytest.fail(done.decision.reason)

    later(Phase.REJOINED)
    later(Phase.FAILBACK_READY, Order.SIGN_RECONCILIATION)
    later(Phase.SWITCHING, Order.SWITCHOVER)


class Run:
    """A run of a function with some time left."""

    def __init__(self, clock, lasts_s):
        self.clock, self.ends_s = clock, clock.at_s + lasts_s

    def get_remaining_time_in_millis(self):
        """Return what is left."""
        return int((self.ends_s - self.clock.at_s) * 1000)
