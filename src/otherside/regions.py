"""AWS Regions: which exist, which can vote together, and where the global control planes are."""

CONTROL_REGION = "us-east-1"
"""Where Route 53's and IAM's control planes run, and where Route 53 publishes its metrics.

https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
"""

REGIONS: frozenset[str] = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""The commercial partition (`aws`). China, GovCloud and the isolated partitions differ."""

QUORUM_SETS: tuple[frozenset[str], ...] = (
    frozenset({"us-east-1", "us-east-2", "us-west-2"}),
    frozenset({"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"}),
    frozenset({"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"}),
)
"""Sets of Regions that can share one strongly consistent DynamoDB global table.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

FAMILIES_MISSING: dict[str, frozenset[str]] = {
    region: frozenset(families.split())
    for region, families in {
        "af-south-1": "r6gd r6id r7i r8a r8g x2g",
        "ap-east-1": "r6gd r6id r7i r8a x2g",
        "ap-east-2": "r5 r8g r8gd x2g",
        "ap-northeast-1": "x2g",
        "ap-northeast-2": "r8a x2g",
        "ap-northeast-3": "r6gd r6id r8a r8gd x2g",
        "ap-south-1": "r8a r8gd x2g",
        "ap-south-2": "r6gd r6id r8a r8gd x2g",
        "ap-southeast-1": "r8a r8gd x2g",
        "ap-southeast-2": "r8a x2g",
        "ap-southeast-3": "r6gd r6id r8a x2g",
        "ap-southeast-4": "r6gd r6id r7g r8a r8gd x2g",
        "ap-southeast-5": "r5 r8a x2g",
        "ap-southeast-6": "r5 r8a r8g r8gd x2g",
        "ap-southeast-7": "r5 r8a r8g r8gd x2g",
        "ca-central-1": "r6id x2g",
        "ca-west-1": "r6gd r6i r6id r7i r8a r8g x2g",
        "eu-central-1": "x2g",
        "eu-central-2": "r6gd r6id r7i r8a r8gd x2g",
        "eu-north-1": "r6id r8a r8gd x2g",
        "eu-south-1": "r6gd r6id r8a r8g r8gd x2g",
        "eu-south-2": "r6gd r6id",
        "eu-west-2": "r8a x2g",
        "eu-west-3": "r6id r8a r8gd x2g",
        "il-central-1": "r6g r6gd r6i r6id r7i r8a r8g r8gd x2g",
        "me-central-1": "r6gd r6id r7i r8a r8g r8gd x2g",
        "me-south-1": "r6gd r6id r7i r8a r8g r8gd x2g",
        "mx-central-1": "r5 r8a r8gd x2g",
        "sa-east-1": "r6id r8a x2g",
        "us-west-1": "r6id r8a x2g",
    }.items()
}
"""Memory-optimised instance families that Aurora PostgreSQL offers elsewhere, but not there.

As listed by CloudFormation's linter (cfn-lint 1.x, checked by a test); a family that is newer than
this list is not refused.
"""

ZONES_MOST = 3
ZONES = {
    "ap-northeast-1": 4,
    "ap-northeast-2": 4,
    "us-east-1": 6,
    "us-west-1": 2,
    "us-west-2": 4,
}
"""Availability zones that an account sees, in Regions where the number is not `ZONES_MOST`.

us-west-1 has three but shows two to a new account; ap-northeast-1 shows three to some accounts.
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
"""

NO_RESTORE_TESTS = frozenset({"ap-southeast-5", "ap-southeast-7"})
"""Regions without restore testing of AWS Backup, according to CloudFormation (cfn-lint 1.x)."""

OPT_IN = frozenset(
    {
        *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2"),
        *("ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6"),
        *("ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2"),
        *("il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    }
)
"""Regions that an account must opt in to before it can create anything there.

https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
"""


def can_vote_together(*regions: str) -> bool:
    """Return whether one strongly consistent table can span all of these Regions."""
    return any(quorum.issuperset(regions) for quorum in QUORUM_SETS)


def lacks(region: str, family: str) -> bool:
    """Return whether Aurora PostgreSQL is known to lack an instance family in a Region."""
    return family in FAMILIES_MISSING.get(region, frozenset())


def zones_of(region: str) -> int:
    """Return how many availability zones a new account sees in a Region."""
    return ZONES.get(region, ZONES_MOST)
