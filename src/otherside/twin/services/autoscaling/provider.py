"""Auto Scaling where moto differs: the twin refuses inconsistent group sizes."""

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.services.base import ServiceProvider, after, api_error, operation


class AutoScalingProvider(ServiceProvider):
    """Checks the sizes of Auto Scaling groups."""

    def __init__(self, context: TwinContext) -> None:
        self._context = context

    @after("autoscaling", "CreateAutoScalingGroup")
    def created(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Set a missing grace period to zero: moto sets five minutes, as the console does."""
        groups = moto_backend.autoscaling(self._context.account, call.region).autoscaling_groups
        group = groups[params["AutoScalingGroupName"]]
        group.health_check_grace_period = int(params.get("HealthCheckGracePeriod") or 0)

    @operation("autoscaling", "SetDesiredCapacity", "UpdateAutoScalingGroup")
    def check_sizes(self, call: ApiCall, params: Params) -> None:
        """Refuse a size outside its bounds, and leave the rest to moto."""
        groups = moto_backend.autoscaling(self._context.account, call.region).autoscaling_groups
        group = groups.get(params["AutoScalingGroupName"])
        if group is None:
            raise LeaveToMotoError
        low = int(params.get("MinSize", group.min_size or 0))
        high = int(params.get("MaxSize", group.max_size or 0))
        wanted = params.get("DesiredCapacity")
        if low > high:
            message = f"Max bound, {high}, must be greater than or equal to min bound, {low}"
            raise api_error("ValidationError", message)
        if wanted is not None and not low <= int(wanted) <= high:
            above = int(wanted) > high
            side, bound = ("above max", high) if above else ("below min", low)
            message = f"New SetDesiredCapacity value {wanted} is {side} value {bound}"
            raise api_error("ValidationError", f"{message} for the AutoScalingGroup.")
        raise LeaveToMotoError
