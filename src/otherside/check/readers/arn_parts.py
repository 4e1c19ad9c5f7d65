"""The parts of an ARN that is known only at deployment, when the source takes it apart.

How many parts an ARN of a load balancer or of a target group has is known beforehand, so a piece of
one is told from another: `split("/", aws_lb.a.arn)[2]` is its name.
"""

from otherside.check.model.values import Ref, Unknown, Value

_COLONS = 6
_PARTS: dict[str, int] = {
    "aws_lb": 4,
    "aws_alb": 4,
    "aws_lb_target_group": 3,
    "aws_alb_target_group": 3,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 4,
    "AWS::ElasticLoadBalancingV2::TargetGroup": 3,
}
"""Into how many parts the slashes divide an ARN of each type."""
_WHOLE = frozenset({"arn", "id", "", "Arn", "LoadBalancerArn", "TargetGroupArn", "Ref"})


def split_arn(between: str, text: Unknown, type_: str) -> list[Value] | None:
    """Return the parts of an ARN as values that say which part they are, or `None` if unknown."""
    ref = text.whole
    if ref is None or ref.attribute not in _WHOLE or type_ not in _PARTS:
        return None
    count = {"/": _PARTS[type_], ":": _COLONS}.get(between)
    if count is None:
        return None
    return [
        Unknown((Ref(ref.target, part_name(between, number)),), why="a part of an ARN")
        for number in range(count)
    ]


def part_name(between: str, number: int) -> str:
    """Return the attribute that names one part: `arn[/2]`."""
    return f"arn[{between}{number}]"


def spelled(value: Unknown) -> tuple[str, str] | None:
    """Return the target of a value that is made of parts of one ARN, and the parts it is made of.

    `None` if it is not: `("aws_lb.a", "[/1]/[/2]/[/3]")` is the whole suffix.
    """
    pieces = value.text or value.refs
    targets = {piece.target for piece in pieces if isinstance(piece, Ref)}
    parts = [
        piece.attribute.removeprefix("arn") if isinstance(piece, Ref) else piece for piece in pieces
    ]
    taken = all(piece.attribute.startswith("arn[") for piece in pieces if isinstance(piece, Ref))
    return (targets.pop(), "".join(parts)) if len(targets) == 1 and taken else None
