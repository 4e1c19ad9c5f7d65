"""VPC where moto differs: peerings that fail or expire, and security groups of another Region.

https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
"""

import asyncio
import ipaddress
import re
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.services.base import ServiceProvider, after, api_error, operation

EXPIRES_S = 7 * 86_400.0
_LOOK_S = 60.0
_PEERING = re.compile(rb"pcx-[0-9a-f]+")


class Ec2Provider(ServiceProvider):
    """Peerings and security groups that moto accepts and EC2 does not."""

    def __init__(self, context: TwinContext) -> None:
        self._context = context
        self._asked_s: dict[str, tuple[str, float]] = {}

    @after("ec2", "CreateVpcPeeringConnection")
    def asked(self, call: ApiCall, _params: Params, body: bytes) -> None:
        """Fail a peering of overlapping networks; record when the other peerings were requested."""
        found = _PEERING.search(body)
        if found is None:
            return
        name = found[0].decode()
        peering = moto_backend.ec2(self._context.account, call.region).vpc_pcxs[name]
        here, there = (
            [ipaddress.ip_network(block) for block in _blocks(item)]
            for item in (peering.vpc, peering.peer_vpc)
        )
        if any(item.overlaps(other) for item in here for other in there):
            text = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
            _set(peering, "failed", text)
        else:
            self._asked_s[name] = call.region, self._context.now_s

    async def expire(self) -> None:
        """Expire peerings that are never accepted, until the twin stops."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self.expire_due(self._context.now_s)

    def expire_due(self, now_s: float) -> None:
        """Expire the peerings that have waited for a week."""
        for name, (region, asked_s) in list(self._asked_s.items()):
            peering = moto_backend.ec2(self._context.account, region).vpc_pcxs.get(name)
            if peering is None or peering.status["Code"] != "pending-acceptance":
                del self._asked_s[name]
            elif now_s - asked_s > EXPIRES_S:
                _set(peering, "expired", "VPC Peering request has expired")

    @operation("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
    def authorize(self, call: ApiCall, params: Params) -> None:
        """Refuse a security group of another Region: across Regions, rules name only addresses."""
        backend = moto_backend.ec2(self._context.account, call.region)
        for permission in params.get("IpPermissions") or ():
            for pair in permission.get("UserIdGroupPairs") or ():
                name = str(pair.get("GroupId") or "")
                if name and backend.get_security_group_from_id(name) is None:
                    text = f"The security group '{name}' does not exist"
                    raise api_error("InvalidGroup.NotFound", text)
        raise LeaveToMotoError


def _blocks(vpc: Any) -> list[str]:  # noqa: ANN401 - moto's own
    more = [item["cidr_block"] for item in vpc.get_cidr_block_association_set()]
    return list(dict.fromkeys([str(vpc.cidr_block), *map(str, more)]))


def _set(peering: Any, code: str, text: str) -> None:  # noqa: ANN401 - moto's own
    status = peering._status  # noqa: SLF001 - moto exposes it nowhere else
    status.code, status.message = code, text
