"""Planning: pure functions that run before any resource exists."""

import hashlib
import re
from dataclasses import dataclass
from ipaddress import IPv4Network

SUBNETS_PER_TIER = 4
"""Room for four zones in each tier, so that adding a zone later moves no subnet."""
LOAD_BALANCER_ACCOUNTS: frozenset[str] = frozenset(
    {
        *("af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ca-central-1"),
        *("eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    }
)
"""Regions where load balancers log from an AWS account; later Regions use a service principal.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """One Region's subnets: a CIDR for each zone in each tier."""

    cidr: str
    public: tuple[str, ...]
    private: tuple[str, ...]
    database: tuple[str, ...]


def plan_network(cidr: str, zones: int) -> NetworkPlan:
    """Divide a network into three tiers of `zones` subnets, each a sixteenth of the network.

    Tiers start at fixed offsets, so a configuration that grows from two zones to four keeps all of
    its existing subnets.

    Raises:
        ValueError: If `cidr` is not an IPv4 network of /16 to /24, or `zones` is not 2 to 4.
    """
    network = IPv4Network(cidr)
    if not 16 <= network.prefixlen <= 24:  # noqa: PLR2004 - what AWS and four tiers allow
        msg = f"{cidr} must be a /16 to a /24"
        raise ValueError(msg)
    if not 2 <= zones <= SUBNETS_PER_TIER:  # noqa: PLR2004 - one zone is no redundancy
        msg = f"zones must be 2 to {SUBNETS_PER_TIER}, not {zones}"
        raise ValueError(msg)
    subnets = [str(subnet) for subnet in network.subnets(prefixlen_diff=4)]

    def tier(number: int) -> tuple[str, ...]:
        start = number * SUBNETS_PER_TIER
        return tuple(subnets[start : start + zones])

    return NetworkPlan(cidr=cidr, public=tier(0), private=tier(1), database=tier(2))


def fit(name: str, length: int) -> str:
    """Return a unique name of at most `length` characters; a long one ends in its digest."""
    if len(name) <= length:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: length - 7].rstrip('-')}-{digest}"


def is_arm(instance_type: str) -> bool:
    """Return whether an EC2 instance type is Graviton: a `g` follows its generation.

    https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
    """
    family = instance_type.split(".", 1)[0]
    return family == "a1" or re.match(r"[a-z]+\d+g", family) is not None


def parameter_family(engine_version: str) -> str:
    """Return the cluster parameter group family of an Aurora PostgreSQL version."""
    return f"aurora-postgresql{engine_version.split('.', 1)[0]}"


def app_image_parameter(instance_type: str) -> str:
    """Return the public SSM parameter that names a Region's newest Amazon Linux 2023 image."""
    architecture = "arm64" if is_arm(instance_type) else "x86_64"
    return f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"
