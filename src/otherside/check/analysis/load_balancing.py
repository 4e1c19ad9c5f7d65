"""Queries on load balancers, their listeners and the groups behind them."""

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, require_known


def groups_of(graph: Graph, target_group: Resource) -> list[Resource]:
    """Return the Auto Scaling groups that register their instances in a target group."""
    found = list(graph.known_users(target_group, "autoscaling.group", "target_group_arns"))
    path = "lb_target_group_arn"
    for attachment in graph.known_users(target_group, "autoscaling.attachment", path):
        group = graph.link(attachment, "autoscaling_group_name", "autoscaling.group")
        if group is not None:
            found.append(group.resource)
    return found


def listeners(graph: Graph, balancer: Resource) -> list[Resource]:
    """Return the listeners of a load balancer."""
    return graph.users(balancer, "lb.listener", "load_balancer_arn")


def forwards(graph: Graph, listener: Resource) -> bool:
    """Return whether a listener forwards requests instead of answering all of them itself."""
    for listener_rule in graph.users(listener, "lb.listener_rule", "listener_arn"):
        if any(
            require_known(each.get("type")) == "forward" for each in listener_rule["action"] or ()
        ):
            return True
    actions = listener["default_action"]
    if not isinstance(actions, list):
        return True
    types = {action.get("type") for action in actions if isinstance(action, dict)}
    return (
        not types or bool(types & {"forward", None}) or any(isinstance(t, Unknown) for t in types)
    )
