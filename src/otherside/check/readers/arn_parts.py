"""The parts of an ARN that is known only at deployment, when the source takes it apart.

How many parts an ARN of a load balancer or of a target group has is known beforehand, so a piece of
one is told from another: `split("/", aws_lb.a.arn)[2]` is its name.
"""

import re
from collections.abc import Callable, Iterable

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


_ZONE, _ACCOUNT, _KIND, _NAME, _ID = (chr(0xE200 + number) for number in range(5))
"""Stand for the parts of an ARN that only AWS knows: private characters, which no ARN has."""
_SAMPLES = {
    4: f"loadbalancer/{_KIND}/{_NAME}/{_ID}",
    3: f"targetgroup/{_NAME}/{_ID}",
}
"""How an ARN ends, by the number of its parts; a metric has it without `loadbalancer/`."""
_SUFFIXES = frozenset({"arn_suffix", "LoadBalancerFullName", "TargetGroupFullName"})
_MARK = re.compile(f"([{_ZONE}{_ACCOUNT}{_KIND}{_NAME}{_ID}])")


def reshaped(
    text: Unknown, type_: str, change: Callable[[str], Value], spoken: Iterable[Value] = ()
) -> Value | None:
    """Return what a function makes of an ARN, in terms of its parts; `None` if it is no such ARN.

    `spoken` are the texts that the function was given beside it: if they name a kind of load
    balancer, it is taken to be of that kind.

    Raises:
        ValueError: As `change` does, and whatever else it raises.
    """
    ref = text.whole
    if ref is None or type_ not in _PARTS or ref.attribute not in _WHOLE | _SUFFIXES:
        return None
    words = " ".join(each for each in spoken if isinstance(each, str))
    told = next((kind for kind in ("app", "net") if re.search(rf"\b{kind}\b", words)), _KIND)
    count = _PARTS[type_]
    tail = _SAMPLES[count].replace(_KIND, told)
    if ref.attribute in _SUFFIXES:
        whole = tail.removeprefix("loadbalancer/")
    else:
        whole = f"arn:aws:elasticloadbalancing:{_ZONE}:{_ACCOUNT}:{tail}"
    made = change(whole)
    if made in (whole, [whole]):
        return None  # it may be about the parts that only AWS knows
    return _in_parts(made, ref.target, count)


def _in_parts(made: Value, target: str, count: int) -> Value:
    """Return a text, or several, with the parts of an ARN as references to them."""
    if isinstance(made, (list, tuple)):
        return [_in_parts(each, target, count) for each in made]
    if not isinstance(made, str):
        return made
    last = count - 1
    names = {_ZONE: (":", 3), _ACCOUNT: (":", 4), _KIND: ("/", 1), _NAME: ("/", last - 1)}
    names[_ID] = ("/", last)
    pieces = tuple(
        Ref(target, part_name(*names[piece])) if piece in names else piece
        for piece in _MARK.split(made)
        if piece
    )
    found = tuple(piece for piece in pieces if isinstance(piece, Ref))
    return Unknown(found, pieces, "a part of an ARN") if found else made


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
