"""Vocabulary for three dialects: the resource kinds and the names of their properties."""

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

NONE = "-"
BESIDE = "."
_PART = re.compile(r"part\((?P<kind>[\w.]+),(?P<attribute>\w+)\)")


@dataclass(slots=True)
class Attribute:
    """One property of a kind, and its name in each dialect."""

    name: str
    shape: str
    cloudformation: tuple[str, ...] | None
    """The path in the template; `None` if CloudFormation has none."""
    pulumi: str
    terraform: tuple[str, ...]
    identity: bool = False
    part: tuple[str, str] | None = None
    """The kind that this block stands for, and its attribute that refers to this resource."""
    becomes: str = ""
    """Its name in that kind, if it differs."""
    members: dict[str, "Attribute"] = field(default_factory=dict)


@dataclass(slots=True)
class Kind:
    """One kind of resource."""

    name: str
    terraform: str
    pulumi: str
    cloudformation: str
    ref: str = "id"
    """What CloudFormation's `Ref` returns."""
    arn: str = ""
    closed: bool = False
    """Whether the vocabulary lists every property of the kind."""
    borrows: bool = False
    """Whether it shares its identifier with its parent, so that the identifier names the parent."""
    attributes: dict[str, Attribute] = field(default_factory=dict)

    @property
    def identities(self) -> list[str]:
        """Attributes other than the identifier that others may refer to it by."""
        return [name for name, attribute in self.attributes.items() if attribute.identity]

    @property
    def known_by(self) -> list[str]:
        """Attributes that others may refer to it by.

        A declared `arn` attribute is left out: it may be the ARN of another resource, a target.
        """
        own = ["id"] if "arn" in self.attributes else ["id", "arn"]
        return [*own, *self.identities]


def _capitals(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def camel(name: str) -> str:
    """Return a property's name as Pulumi spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def plural(name: str) -> str:
    """Return the plural as Pulumi's bridge forms it."""
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return name if name.endswith("s") else f"{name}s"


def _attribute(word: str, rest: list[str]) -> Attribute:
    identity = word.startswith("*")
    name, _, shape = word.lstrip("*").partition(":")
    name, _, becomes = name.partition(">")
    shape, _, other = shape.partition(">")
    becomes = becomes or other
    shape = shape or "str"
    part = _PART.fullmatch(shape)
    given = dict(text.split("=", 1) for text in rest if "=" in text)
    plain = [item for item in rest if "=" not in item]
    cloudformation = plain[0] if plain else _capitals(name)
    path: tuple[str, ...] | None = tuple(cloudformation.split("."))
    if cloudformation == BESIDE:
        path = ()
    return Attribute(
        name=name,
        shape="part" if part else shape,
        cloudformation=None if cloudformation == NONE else path,
        pulumi=given.get("pulumi") or (plural(camel(name)) if shape == "many" else camel(name)),
        terraform=tuple(given.get("tf", name).split(".")),
        identity=identity,
        part=(part["kind"], part["attribute"]) if part else None,
        becomes=becomes or name,
    )


def _kind(words: list[str]) -> Kind:
    given = dict(word.split("=", 1) for word in words[4:] if "=" in word)
    name, terraform, pulumi, cloudformation = words[:4]
    return Kind(
        name=name,
        terraform=terraform,
        pulumi=pulumi,
        cloudformation=cloudformation,
        ref=given.get("ref", "id"),
        arn=given.get("arn", ""),
        closed="closed" in words[4:],
        borrows="borrows" in words[4:],
    )


@cache
def kinds() -> dict[str, Kind]:
    """Return every kind by name."""
    text = resources.files(__package__).joinpath("schema.txt").read_text(encoding="utf-8")
    found: dict[str, Kind] = {}
    around: list[tuple[int, dict[str, Attribute]]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        words = line.split()
        if depth == 0:
            kind = _kind(words)
            found[kind.name] = kind
            around = [(0, kind.attributes)]
            continue
        while around[-1][0] >= depth:
            around.pop()
        item = _attribute(words[0], words[1:])
        around[-1][1][item.name] = item
        around.append((depth, item.members))
    return found


@cache
def by_terraform() -> dict[str, Kind]:
    """Return the kinds by Terraform type; a data source's type begins with `data.`."""
    aliases = {"aws_alb": "aws_lb", "aws_alb_listener": "aws_lb_listener"}
    aliases |= {"aws_alb_target_group": "aws_lb_target_group"}
    aliases |= {"aws_backup_logically_air_gapped_vault": "aws_backup_vault"}
    found = {kind.terraform: kind for kind in kinds().values() if kind.terraform != NONE}
    return found | {alias: found[name] for alias, name in aliases.items()}


@cache
def by_pulumi() -> dict[str, Kind]:
    """Return the kinds by Pulumi type token, including older tokens."""
    found = {kind.pulumi: kind for kind in kinds().values() if kind.pulumi != NONE}
    older = {
        "aws:s3/bucketV2:BucketV2": "s3.bucket",
        "aws:s3/bucketVersioningV2:BucketVersioningV2": "s3.versioning",
        "aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault": "backup.vault",
        "aws:alb/loadBalancer:LoadBalancer": "lb.load_balancer",
        "aws:alb/listener:Listener": "lb.listener",
        "aws:alb/targetGroup:TargetGroup": "lb.target_group",
        "aws:s3/bucketServerSideEncryptionConfigurationV2:"
        "BucketServerSideEncryptionConfigurationV2": "s3.encryption",
    }
    return found | {token: kinds()[name] for token, name in older.items()}


@cache
def by_cloudformation() -> dict[str, Kind]:
    """Return the kinds by CloudFormation type."""
    found = {kind.cloudformation: kind for kind in kinds().values() if kind.cloudformation != NONE}
    alike = {
        "AWS::Serverless::Function": "lambda.function",
        "AWS::Serverless::SimpleTable": "dynamodb.table",
        "AWS::Backup::LogicallyAirGappedBackupVault": "backup.vault",
    }
    return found | {type_: kinds()[name] for type_, name in alike.items()}
