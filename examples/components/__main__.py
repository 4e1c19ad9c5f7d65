"""Components one by one, in a program that is not otherwise ours.

Two Regions, a provider for each, and from the library: keys, networks that can reach one another,
a database that lives in both, a bucket that lives in both, and a table that can hold a lock.
"""

import pulumi
import pulumi_aws as aws

from otherside import (
    Database,
    Keys,
    KeysArgs,
    MemberArgs,
    Pair,
    Peering,
    PeeringArgs,
    Purpose,
    RegionalNetwork,
    RegionalNetworkArgs,
    ReplicatedBucket,
    ReplicatedBucketArgs,
    ReplicatedDatabase,
    ReplicatedDatabaseArgs,
    Site,
    StateTable,
    StateTableArgs,
)

ACCOUNT = "123456789012"
NAME = "ledger"

here = Site(region="eu-west-1", provider=aws.Provider("here", region="eu-west-1"), account=ACCOUNT)
there = Site(
    region="eu-west-3", provider=aws.Provider("there", region="eu-west-3"), account=ACCOUNT
)

keys = {
    site.region: Keys(f"{NAME}-{site.region}", KeysArgs(site=site, application=NAME))
    for site in (here, there)
}


def key(site: Site, purpose: Purpose) -> pulumi.Output[str]:
    """Return the key for one purpose in one Region."""
    return keys[site.region].arn(purpose)


networks = {
    site.region: RegionalNetwork(
        f"{NAME}-{site.region}",
        RegionalNetworkArgs(
            site=site,
            cidr=cidr,
            zones=2,
            nat_per_zone=False,
            interface_endpoints=False,
            logs_key_arn=key(site, Purpose.LOGS),
        ),
    ).vpc
    for site, cidr in ((here, "10.8.0.0/20"), (there, "10.9.0.0/20"))
}

Peering(
    NAME,
    PeeringArgs(
        primary=here,
        standby=there,
        primary_vpc=networks[here.region],
        standby_vpc=networks[there.region],
    ),
)

database = ReplicatedDatabase(
    NAME,
    ReplicatedDatabaseArgs(
        application=NAME,
        design=Database(
            name="ledger",
            engine_version="17.9",
            instance_class="db.r7g.large",
            instances=Pair(primary=1, standby=1),
            serverless=None,
            global_db_rpo_s=None,
        ),
        primary=MemberArgs(
            site=here,
            vpc=networks[here.region],
            instances=1,
            data_key_arn=key(here, Purpose.DATA),
            logs_key_arn=key(here, Purpose.LOGS),
        ),
        standby=MemberArgs(
            site=there,
            vpc=networks[there.region],
            instances=1,
            data_key_arn=key(there, Purpose.DATA),
            logs_key_arn=key(there, Purpose.LOGS),
        ),
        master_password=aws.secretsmanager.get_random_password_output(
            password_length=40,
            exclude_punctuation=True,
            opts=pulumi.InvokeOptions(provider=here.provider),
        ).random_password.apply(pulumi.Output.secret),
    ),
)

ReplicatedBucket(
    f"{NAME}-archive",
    ReplicatedBucketArgs(
        names=Pair(primary=f"{NAME}-archive-eu-west-1", standby=f"{NAME}-archive-eu-west-3"),
        primary=here,
        standby=there,
        primary_key_arn=key(here, Purpose.OBJECTS),
        standby_key_arn=key(there, Purpose.OBJECTS),
    ),
)

StateTable(
    f"{NAME}-state",
    StateTableArgs(
        application=NAME,
        primary=here,
        standby=there,
        primary_key_arn=key(here, Purpose.DATA),
        standby_key_arn=key(there, Purpose.DATA),
        witness_region="eu-central-1",
    ),
)

pulumi.export("writer", database.writer_endpoint)
