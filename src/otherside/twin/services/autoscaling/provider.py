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
            raise api_error("ValidationError", _outside(call.operation, int(wanted), low, high))
        raise LeaveToMotoError


def _outside(operation: str, wanted: int, low: int, high: int) -> str:
    """Return what AWS says of a size outside its bounds, which each operation says differently."""
    if operation == "UpdateAutoScalingGroup":
        bounds = f"the specified min size:{low} and max size:{high}"
        return f"Desired capacity:{wanted} must be between {bounds}"
    side, bound = ("above max", high) if wanted > high else ("below min", low)
    value = f"New SetDesiredCapacity value {wanted} is {side} value {bound}"
    return f"{value} for the AutoScalingGroup."
