"""The stack in two networks of your own, joined by a transit gateway that you run."""

from otherside import DisasterRecovery, Pair, Vpc

PRIMARY = Vpc(
    vpc_id="vpc-0a1b2c3d4e5f60001",
    cidr="10.20.0.0/16",
    private_cidrs=["10.20.64.0/20", "10.20.80.0/20"],
    database_cidrs=["10.20.128.0/20", "10.20.144.0/20"],
    public_subnet_ids=["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"],
    private_subnet_ids=["subnet-0a1b2c3d4e5f60003", "subnet-0a1b2c3d4e5f60004"],
    database_subnet_ids=["subnet-0a1b2c3d4e5f60005", "subnet-0a1b2c3d4e5f60006"],
    route_table_ids=[],
)
STANDBY = Vpc(
    vpc_id="vpc-0a1b2c3d4e5f60002",
    cidr="10.30.0.0/16",
    private_cidrs=["10.30.64.0/20", "10.30.80.0/20"],
    database_cidrs=["10.30.128.0/20", "10.30.144.0/20"],
    public_subnet_ids=["subnet-0b1b2c3d4e5f60001", "subnet-0b1b2c3d4e5f60002"],
    private_subnet_ids=["subnet-0b1b2c3d4e5f60003", "subnet-0b1b2c3d4e5f60004"],
    database_subnet_ids=["subnet-0b1b2c3d4e5f60005", "subnet-0b1b2c3d4e5f60006"],
    route_table_ids=[],
)

DisasterRecovery.from_config("otherside.toml", networks=Pair(primary=PRIMARY, standby=STANDBY))
