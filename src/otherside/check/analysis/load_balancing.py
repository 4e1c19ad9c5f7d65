"""Queries on load balancers, their listeners and the groups behind them."""

from collections.abc import Iterator

from otherside.check.analysis.iam import matches
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Value, require_known

_ATTACHED = (
    ("autoscaling.attachment", "lb_target_group_arn"),
    ("autoscaling.traffic_source", "traffic_source.identifier"),
)
"""What puts an Auto Scaling group behind a target group from outside of it."""


def groups_of(graph: Graph, target_group: Resource) -> list[Resource]:
    """Return the Auto Scaling groups that register their instances in a target group."""
    found = list(_naming(graph, "autoscaling.group").get(target_group.id, ()))
    for kind, path in _ATTACHED:
        for attachment in graph.known_users(target_group, kind, path):
            link = graph.link(attachment, "autoscaling_group_name", "autoscaling.group")
            if link is not None:
                found.append(link.resource)
    return found


def services_of(graph: Graph, target_group: Resource) -> list[Resource]:
    """Return the ECS services that register their tasks in a target group."""
    return _naming(graph, "ecs.service").get(target_group.id, [])


def target_groups_of(graph: Graph, group: Resource) -> list[Resource]:
    """Return the target groups that an Auto Scaling group or an ECS service registers in."""
    found = list(_own(graph, group))
    for kind, path in _ATTACHED:
        for attachment in graph.known_users(group, kind, "autoscaling_group_name"):
            link = graph.link(attachment, path, "lb.target_group")
            if link is not None:
                found.append(link.resource)
    return found


def _own(graph: Graph, group: Resource) -> list[Resource]:
    """Return the target groups that an Auto Scaling group or an ECS service names itself."""

    def look() -> list[Resource]:
        if group.kind == "ecs.service":
            values = [item.get("target_group_arn") for item in _blocks(group["load_balancer"])]
            return [
                link.resource
                for value in values
                for link in graph.links(group, value, "lb.target_group")
            ]
        sources = group["traffic_source"]
        named = [
            item.get("identifier")
            for item in (sources if isinstance(sources, list) else ())
            if isinstance(item, dict)
        ]
        links = graph.links(group, group["target_group_arns"], "lb.target_group")
        links += [link for value in named for link in graph.links(group, value, "lb.target_group")]
        return [link.resource for link in links]

    return graph.memoize(f"target groups of {group.id}", look)


def _blocks(value: Value) -> list[dict[str, Value]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _naming(graph: Graph, kind: str) -> dict[str, list[Resource]]:
    """Return what names each target group itself, of one kind, made once for all."""

    def index() -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for group in graph.of(kind):
            for target in _own(graph, group):
                found.setdefault(target.id, []).append(group)
        return found

    return graph.memoize(f"{kind} by target group", index)


def launch_template_of(graph: Graph, group: Resource) -> Resource | None:
    """Return the launch template of a group, its own or that of its mixed instances.

    A launch configuration is an older form of one.
    """
    mixed = "mixed_instances_policy.launch_template.launch_template_specification"
    for path in ("launch_template.id", "launch_template.name"):
        link = graph.link(group, path, "ec2.launch_template")
        if link is not None:
            return link.resource
    link = graph.link(group, "launch_configuration", "ec2.launch_configuration")
    if link is not None:
        return link.resource
    for path in (f"{mixed}.launch_template_id", f"{mixed}.launch_template_name"):
        link = graph.link(group, path, "ec2.launch_template")
        if link is not None:
            return link.resource
    return None


def balancers_before(graph: Graph, group: Resource) -> set[str | None]:
    """Return the load balancers before an Auto Scaling group or an ECS service, by ID.

    `None` is one not told.

    Empty if it is behind none: a group of workers.
    """
    targets = {target.id for target in target_groups_of(graph, group)}
    if not targets:
        if group.kind == "ecs.service":
            return {None} if group["load_balancer"] else set()
        named = [group["target_group_arns"], group["traffic_source"]]
        for kind, _ in _ATTACHED:
            named += graph.known_users(group, kind, "autoscaling_group_name")
        return {None} if any(named) else set()
    found: set[str | None] = set()
    for listener in graph.of("lb.listener"):
        if targets & {link.resource.id for link in graph.links(listener, _forwarded(listener))}:
            link = graph.link(listener, "load_balancer_arn", "lb.load_balancer")
            found.add(link.resource.id if link is not None else None)
    return found or {None}


def _forwarded(listener: Resource, path: str = "default_action") -> list[Value]:
    """Return the target groups that a listener's own actions name, or those of its rule."""
    actions = listener[path]
    found: list[Value] = []
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict):
            several = (action.get("forward") or {}).get("target_group") or ()
            found += [action.get("target_group_arn"), *(item.get("arn") for item in several)]
    return [value for value in found if value is not None]


def listeners(graph: Graph, balancer: Resource) -> list[Resource]:
    """Return the listeners of a load balancer."""
    return graph.users(balancer, "lb.listener", "load_balancer_arn")


_ASKS_BY = "GET"
"""How Route 53's checkers ask: no document says so, and every server's log does."""


def _conditions(
    listener_rule: Resource, host: str | None, path: str | None
) -> Iterator[tuple[Value, str | None]]:
    """Yield the values of each condition of a rule, with what the request has for it.

    A condition of another kind has neither, nor has one that is not known.
    """
    given = listener_rule["condition"]
    asked = (("host_header", host), ("path_pattern", path), ("http_request_method", _ASKS_BY))
    for condition in given if isinstance(given, list) else [given]:
        block = condition if isinstance(condition, dict) else {}
        told = [
            (block[kind].get("values"), wanted)
            for kind, wanted in asked
            if isinstance(block.get(kind), dict)
        ]
        yield from told or [(None, None)]


def _may_match(listener_rule: Resource, host: str | None, path: str | None) -> bool:
    """Return whether a rule's conditions may hold for a request; all of them have to.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
    """
    return all(
        asked is None
        or not isinstance(values, list)
        or any(not isinstance(each, str) or matches(each, asked) for each in values)
        for values, asked in _conditions(listener_rule, host, path)
    )


def _must_match(listener_rule: Resource, host: str | None, path: str | None) -> bool:
    """Return whether a rule's conditions hold for a request, all of them known."""
    conditions = list(_conditions(listener_rule, host, path))
    return bool(conditions) and all(
        asked is not None
        and isinstance(values, list)
        and any(isinstance(each, str) and matches(each, asked) for each in values)
        for values, asked in conditions
    )


def _deciding(
    graph: Graph, listener: Resource, host: str | None, path: str | None
) -> tuple[list[Resource], bool]:
    """Return the rules of a listener that may take a request, and whether one of them surely does.

    They are in the order of their priorities, up to the first that surely takes it; where a
    priority is not known, all that may.
    """
    found = [
        each
        for each in graph.users(listener, "lb.listener_rule", "listener_arn")
        if _may_match(each, host, path)
    ]
    sure = [_must_match(each, host, path) for each in found]
    if all(isinstance(each["priority"], int) for each in found):
        ordered = sorted(zip(found, sure, strict=True), key=lambda each: each[0]["priority"])
        until = next((number for number, (_, takes) in enumerate(ordered, 1) if takes), None)
        found = [each for each, _ in ordered[:until]]
    return found, any(sure)


def forwards(
    graph: Graph, listener: Resource, host: str | None = None, path: str | None = None
) -> bool:
    """Return whether a listener forwards a request instead of answering it itself.

    Of the request only what is given is known: its host, its path, or neither.
    """
    taking, sure = _deciding(graph, listener, host, path)
    for listener_rule in taking:
        actions = listener_rule["action"] or ()
        if any(require_known(each.get("type")) == "forward" for each in actions):
            return True
    if sure:
        graph.require_told("lb.listener_rule", "listener_arn", "lb.listener")
        return False
    actions = listener["default_action"]
    if not isinstance(actions, list):
        return True
    types = {action.get("type") for action in actions if isinstance(action, dict)}
    return (
        not types or bool(types & {"forward", None}) or any(isinstance(t, Unknown) for t in types)
    )


def may_take(
    graph: Graph, listener: Resource, host: str | None, path: str | None
) -> list[Resource]:
    """Return the target groups that a listener may forward a request to.

    Empty if what takes it is not known, or if the listener may answer it itself.
    """
    values: list[Value] = []
    taking, sure = _deciding(graph, listener, host, path)
    for listener_rule in taking:
        taken = _forwarded(listener_rule, "action")
        if not taken:
            return []
        values += taken
    if not sure:
        default = _forwarded(listener)
        if not default:
            return []
        values += default
    found = [graph.links(listener, value, "lb.target_group") for value in values]
    return [links[0].resource for links in found] if all(found) else []
