"""Auto Scaling where moto differs: sizes that do not fit one another are refused."""

from collections.abc import Mapping
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import Ground
from otherside.twin.gateway.app import PassError
from otherside.twin.gateway.protocol import Call
from otherside.twin.services.base import Extension, after, failure, operation


class Groups(Extension):
    """The sizes of Auto Scaling groups."""

    def __init__(self, ground: Ground) -> None:
        """Keep whose account it is."""
        self._ground = ground

    @after("autoscaling", "CreateAutoScalingGroup")
    def created(self, call: Call, params: Mapping[str, Any], _body: bytes) -> None:
        """Have no grace where none is asked for: moto gives five minutes, as the console does."""
        groups = moto_backend.autoscaling(self._ground.account, call.region).autoscaling_groups
        group = groups[params["AutoScalingGroupName"]]
        group.health_check_grace_period = int(params.get("HealthCheckGracePeriod") or 0)

    @operation("autoscaling", "SetDesiredCapacity", "UpdateAutoScalingGroup")
    def check_sizes(self, call: Call, params: Mapping[str, Any]) -> None:
        """Refuse a size outside of its bounds, and leave the rest to moto."""
        groups = moto_backend.autoscaling(self._ground.account, call.region).autoscaling_groups
        group = groups.get(params["AutoScalingGroupName"])
        if group is None:
            raise PassError
        low = int(params.get("MinSize", group.min_size or 0))
        high = int(params.get("MaxSize", group.max_size or 0))
        wanted = params.get("DesiredCapacity")
        if low > high:
            message = f"Max bound, {high}, must be greater than or equal to min bound, {low}"
            raise failure("ValidationError", message)
        if wanted is not None and not low <= int(wanted) <= high:
            above = int(wanted) > high
            side, bound = ("above max", high) if above else ("below min", low)
            message = f"New SetDesiredCapacity value {wanted} is {side} value {bound}"
            raise failure("ValidationError", f"{message} for the AutoScalingGroup.")
        raise PassError
