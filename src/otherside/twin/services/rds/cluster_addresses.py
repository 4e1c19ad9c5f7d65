"""Cluster addresses: one for each cluster, on a port that all of them share."""

import asyncio
import ipaddress
from dataclasses import dataclass, field
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.net.addresses import Addresses
from otherside.twin.net.reachability import Interface, Reachability
from otherside.twin.services.rds.cluster_parameters import requires_tls
from otherside.twin.services.rds.endpoint import DatabaseEndpoint, DatabaseProxy
from otherside.twin.services.rds.provider import RdsProvider


@dataclass(slots=True)
class DatabaseAddresses:
    """Database addresses: one per cluster, with the same port in every Region."""

    context: TwinContext
    network: Reachability
    addresses: Addresses
    port: int
    proxy: DatabaseProxy
    rds: RdsProvider
    _known: dict[str, tuple[str, Interface, Any]] = field(default_factory=dict)

    def address(self, name: str, outside: bool) -> str | None:  # noqa: FBT001 - a callback's shape
        """Return a name's address; empty if it leads nowhere, `None` if it is not a database's."""
        for global_cluster in self.rds.global_clusters().values():
            held = self.rds.endpoint_of(global_cluster)
            if name == held.lower():
                return self._of(self.rds.writer_of(global_cluster), outside=outside)
        for arn, (_, _, cluster) in self._known.items():
            if name == str(cluster.reader_endpoint).lower():
                return self._of(arn, outside=outside)
            if name == str(cluster.endpoint).lower():
                # A secondary's own endpoint is inactive: it leads nowhere until promotion.
                return self._of(arn, outside=outside) if self.rds.is_writer(arn) else ""
        return None

    def _of(self, arn: str, *, outside: bool) -> str:
        known = self._known.get(arn)
        if known is None:
            return ""
        return known[0] if outside else known[1].address

    async def run(self) -> None:
        """Give every cluster an address, until the twin stops."""
        while True:
            for arn, region, cluster in self.rds.clusters():
                if arn not in self._known and cluster.db_subnet_group_name:
                    await self._add(arn, region, cluster)
            await asyncio.sleep(0.2 * self.context.clock.speed)

    async def _add(self, arn: str, region: str, cluster: Any) -> None:  # noqa: ANN401 - moto's own
        groups = moto_backend.rds(self.context.account, region).subnet_groups
        group = groups.get(cluster.db_subnet_group_name)
        if group is None:
            return
        address = self.addresses.take(region)
        subnet = moto_backend.ec2(self.context.account, region).get_subnet(
            _identifier(group.subnets[0])
        )
        interface = Interface(
            name=str(cluster.db_cluster_identifier),
            region=region,
            subnet=str(subnet.id),
            # Count from the end of the subnet: instances use its start.
            address=str(ipaddress.ip_network(subnet.cidr_block)[-3 - len(self._known)]),
            groups=tuple(cluster.vpc_security_group_ids),
            ports={int(cluster.port): (address, self.port)},
        )
        self._known[arn] = (address, interface, cluster)
        self.network.add(interface)

        def endpoint() -> DatabaseEndpoint:
            names = [str(cluster.endpoint), str(cluster.reader_endpoint)]
            names += self.rds.names_of(arn)
            return DatabaseEndpoint(
                arn=arn,
                region=region,
                resource_id=str(cluster.db_cluster_resource_id),
                iam=bool(cluster.iam_auth),
                names=tuple(name.lower() for name in names),
                tls_required=requires_tls(cluster),
            )

        await self.proxy.serve(endpoint, address, self.port)


def _identifier(subnet: Any) -> str:  # noqa: ANN401 - moto's own, in either shape
    return str(subnet["SubnetIdentifier"] if isinstance(subnet, dict) else subnet.id)
