"""KMS, peering and Auto Scaling on a twin."""

import json

import pytest
from botocore.exceptions import ClientError
from moto.kms.models import kms_backends

from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer, Principal
from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.latency import Latency
from otherside.twin.services.kms.provider import KmsProvider
from twin.conftest import ACCOUNT, EAST, WEST, until

pytestmark = pytest.mark.slow
PROVISIONER = Principal(arn=f"arn:aws:iam::{ACCOUNT}:user/p", secret="")


def key_policy(*principals, action="kms:*", **more):
    """Return a key policy that allows actions to principals."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": action}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*", **more}]}
    )


ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def test_a_multi_region_key_is_not_there_where_it_was_not_replicated(bare):
    """Its ID is one for all Regions, and names nothing in a Region without a replica."""
    key = bare.aws("kms").create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    with pytest.raises(ClientError) as caught:
        bare.aws("kms", WEST).describe_key(KeyId=key)
    assert caught.value.response["Error"]["Code"] == "NotFoundException"


def test_KMS_01_any_related_key_decrypts_what_one_has_encrypted(bare):
    """Both ways, under one id, with the primary disabled too; moto cannot."""
    east, west = bare.aws("kms"), bare.aws("kms", WEST)
    key = east.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    east.replicate_key(KeyId=key, ReplicaRegion=WEST)
    assert key.startswith("mrk-")
    sealed = east.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert west.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"
    east.disable_key(KeyId=key)
    assert west.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"
    back = west.encrypt(KeyId=key, Plaintext=b"other")["CiphertextBlob"]
    east.enable_key(KeyId=key)
    assert east.decrypt(CiphertextBlob=back)["Plaintext"] == b"other"


def test_KMS_03_a_region_without_the_key_knows_nothing(bare):
    """A key of one Region does not decrypt in another."""
    key = bare.aws("kms").create_key()["KeyMetadata"]["KeyId"]
    sealed = bare.aws("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with pytest.raises(ClientError) as caught:
        bare.aws("kms", WEST).decrypt(CiphertextBlob=sealed)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_KMS_05_a_disabled_key_encrypts_nothing(bare):
    """And says what it is."""
    kms = bare.aws("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    with pytest.raises(ClientError) as caught:
        kms.encrypt(KeyId=key, Plaintext=b"x")
    assert caught.value.response["Error"]["Code"] == "DisabledException"


def test_KMS_04_the_wrong_key_is_said_to_be_wrong(bare):
    """Not that one may not."""
    kms = bare.aws("kms")
    first, second = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    sealed = kms.encrypt(KeyId=first, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(KeyId=first, CiphertextBlob=sealed)["Plaintext"] == b"x"
    with pytest.raises(ClientError) as caught:
        kms.decrypt(KeyId=second, CiphertextBlob=sealed)
    assert caught.value.response["Error"]["Code"] == "IncorrectKeyException"


def test_KMS_06_a_key_waits_for_its_deletion_and_is_gone(bare):
    """Between seven and thirty days, in which it opens nothing; then nobody has it."""
    kms = bare.aws("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(ClientError):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=6)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    with pytest.raises(ClientError, match="pending deletion"):
        kms.encrypt(KeyId=key, Plaintext=b"x")


def test_KMS_06_a_key_whose_time_has_come_is_gone():
    """In this process, where a week is a number."""
    context = TwinContext(ACCOUNT, (EAST,), ScaledClock.starting_now(1.0), Latency(modelled=False))
    backend = kms_backends[ACCOUNT][EAST]
    key = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", None, EAST)
    backend.schedule_key_deletion(key.id, 7)
    keys = KmsProvider(
        context, Authorizer(account=ACCOUNT, provisioner=PROVISIONER, provisioner_key="")
    )
    keys.delete_due(context.now_s + 6.9 * 86_400)
    assert key.id in backend.keys
    keys.delete_due(context.now_s + 7.1 * 86_400)
    assert key.id not in backend.keys


def test_KMS_08_a_grant_gives_what_a_policy_does_not(bare):
    """To one grantee, the operations that it names, until it is revoked."""
    kms = bare.aws("kms")
    policy = key_policy(bare.role("nobody-else"), f"arn:aws:iam::{ACCOUNT}:user/provisioner")
    key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    role = bare.role("grantee")
    theirs = bare.as_role(role, "kms")
    with pytest.raises(ClientError):
        theirs.encrypt(KeyId=key, Plaintext=b"x")
    grant = kms.create_grant(KeyId=key, GranteePrincipal=role, Operations=["Encrypt"])["GrantId"]
    sealed = theirs.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with pytest.raises(ClientError):
        theirs.decrypt(CiphertextBlob=sealed)
    kms.revoke_grant(KeyId=key, GrantId=grant)
    with pytest.raises(ClientError):
        theirs.encrypt(KeyId=key, Plaintext=b"x")


def test_KMS_11_a_replica_becomes_a_secret_of_its_own(bare):
    """Where it is, and not from the primary; then it can be written there."""
    made = bare.aws("secretsmanager").create_secret(
        Name="kept", SecretString="one", AddReplicaRegions=[{"Region": WEST}]
    )
    there = bare.aws("secretsmanager", WEST)
    arn = made["ARN"].replace(EAST, WEST)
    with pytest.raises(ClientError):
        there.put_secret_value(SecretId=arn, SecretString="two")
    with pytest.raises(ClientError):
        bare.aws("secretsmanager").stop_replication_to_replica(SecretId=made["ARN"])
    assert there.stop_replication_to_replica(SecretId=arn)["ARN"] == arn
    there.put_secret_value(SecretId=arn, SecretString="two")
    assert there.get_secret_value(SecretId=arn)["SecretString"] == "two"
    assert bare.aws("secretsmanager").get_secret_value(SecretId="kept")["SecretString"] == "one"
    found = bare.aws("secretsmanager").describe_secret(SecretId="kept")
    assert not found.get("ReplicationStatus")


def test_KMS_07_a_key_that_does_not_delegate_is_not_opened_by_iam(bare):
    """Its own policy must allow; an identity's alone does not."""
    kms = bare.aws("kms")
    delegating = kms.create_key(Policy=key_policy(ROOT))["KeyMetadata"]["Arn"]
    only = key_policy(f"arn:aws:iam::{ACCOUNT}:user/provisioner")
    shut = kms.create_key(Policy=only)["KeyMetadata"]["Arn"]
    may = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}
    client = bare.as_role(bare.role("encrypts", may), "kms")
    client.encrypt(KeyId=delegating, Plaintext=b"x")
    with pytest.raises(ClientError) as caught:
        client.encrypt(KeyId=shut, Plaintext=b"x")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def vpc(bare, region, cidr):
    """Make a network."""
    return bare.aws("ec2", region).create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]


def test_VPC_01_04_a_peering_waits_for_the_other_regions_word(bare):
    """It is accepted where the accepter is, and nowhere else."""
    east, west = vpc(bare, EAST, "10.0.0.0/16"), vpc(bare, WEST, "10.1.0.0/16")
    ec2 = bare.aws("ec2")
    made = ec2.create_vpc_peering_connection(VpcId=east, PeerVpcId=west, PeerRegion=WEST)
    name = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    with pytest.raises(ClientError):
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=name)
    there = bare.aws("ec2", WEST)
    found = there.accept_vpc_peering_connection(VpcPeeringConnectionId=name)
    assert found["VpcPeeringConnection"]["Status"]["Code"] == "active"


def test_ELB_12_sizes_must_fit(bare):
    """The minimum is no more than the maximum."""
    subnet = bare.aws("ec2").create_subnet(
        VpcId=vpc(bare, EAST, "10.9.0.0/16"), CidrBlock="10.9.0.0/24"
    )["Subnet"]["SubnetId"]
    template = bare.aws("ec2").create_launch_template(
        LaunchTemplateName="sizes",
        LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.micro"},
    )["LaunchTemplate"]["LaunchTemplateId"]
    scaling = bare.aws("autoscaling")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="sizes",
        MinSize=0,
        MaxSize=1,
        DesiredCapacity=0,
        VPCZoneIdentifier=subnet,
        LaunchTemplate={"LaunchTemplateId": template},
    )
    with pytest.raises(ClientError):
        scaling.set_desired_capacity(AutoScalingGroupName="sizes", DesiredCapacity=5)


def test_BAK_03_calls_that_name_nothing_are_refused(bare):
    """A vault and a job that are not there."""
    backup = bare.aws("backup")
    for call, parameters in (
        (backup.describe_backup_job, {"BackupJobId": "none"}),
        (backup.list_recovery_points_by_backup_vault, {"BackupVaultName": "none"}),
    ):
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_LAM_06_an_event_for_a_function_without_concurrency_goes_to_its_destination(bare):
    """At once and without a try; the queue of events has taken it all the same."""
    url, arn = bare.queue("unrun")
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    bare.function("shut", "def handler(e, c):\n    return 1\n", statements=[send])
    client = bare.aws("lambda")
    client.put_function_event_invoke_config(
        FunctionName="shut", DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    client.put_function_concurrency(FunctionName="shut", ReservedConcurrentExecutions=0)
    assert client.invoke(FunctionName="shut", InvocationType="Event")["StatusCode"] == 202
    body, _ = until(lambda: bare.received(url))[0]
    assert body["requestContext"]["approximateInvokeCount"] == 0
    assert [run for run in bare.do("runs")["runs"] if run["function"] == "shut"] == []


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("not JSON", "valid JSON"),
        ("{}", "no effect"),
        ("[" * 30_000, "valid JSON"),
        (key_policy(ROOT, Principal={"AWS": 5}), "invalid principals"),
        (key_policy(ROOT, Principal={"AWS": "nobody"}), "invalid principals"),
        (key_policy(ROOT, Principal={}), "invalid principals"),
        (key_policy(ROOT, Effect=["Allow"]), "no effect"),
        (key_policy(ROOT, Condition="x"), "Condition"),
        (key_policy(ROOT, Resource="arn:aws:kms:us-east-2:1:key/other"), "will not allow you"),
        (json.dumps({"Statement": [{"Effect": "Allow", "Action": "kms:*"}]}), "invalid principals"),
        (key_policy(f"arn:aws:iam::{ACCOUNT}:role/nobody", ROOT), "invalid principals"),
        (key_policy(ROOT, action="kms:Decrypt"), "will not allow you to update the key policy"),
    ],
)
def test_KMS_07_a_key_policy_that_is_none_or_locks_everyone_out_is_refused(bare, policy, said):
    """Of a new key, and of one that is there; unless its author takes the risk."""
    kms = bare.aws("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for ask in (
        lambda: kms.create_key(Policy=policy),
        lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy),
    ):
        with pytest.raises(ClientError) as caught:
            ask()
        assert caught.value.response["Error"]["Code"] == "MalformedPolicyDocumentException"
        assert said in caught.value.response["Error"]["Message"]
    if "update the key policy" in said:
        kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)


def test_KMS_07_a_key_policy_is_no_longer_than_kms_takes(bare):
    """By its bytes, with its white space."""
    longest = key_policy(ROOT) + " " * (32_768 - len(key_policy(ROOT)))
    bare.aws("kms").create_key(Policy=longest)
    with pytest.raises(ClientError, match="LimitExceededException"):
        bare.aws("kms").create_key(Policy=longest + " ")


def test_KMS_07_whoever_a_key_policy_may_name_is_taken(bare):
    """The account, a role that is there, and another account, of which nothing is known."""
    iam, kms = bare.aws("iam"), bare.aws("kms")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    trust["Action"] = "sts:AssumeRole"
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for named in ([ROOT], [ROOT, role], [ROOT, "arn:aws:iam::999988887777:role/theirs"]):
        kms.create_key(Policy=key_policy(*named))


HERE = {"StringEquals": {"aws:RequestedRegion": EAST}}
ELSEWHERE = {"StringNotEquals": {"aws:RequestedRegion": EAST}}


@pytest.mark.parametrize(
    "statements",
    [
        [{"Effect": "Allow", "Action": "kms:*", "Resource": f"arn:aws:kms:*:{ACCOUNT}:key/*"}],
        [{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": HERE}],
        [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": ELSEWHERE},
        ],
    ],
)
def test_KMS_07_whoever_deploys_may_make_a_key_with_the_rights_that_it_has(
    bare, statements, request
):
    """Of this Region's keys, under a condition of the call: the account's policy is enough."""
    more = {"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*"}
    name = f"deploys{abs(hash(request.node.name))}"
    kms = bare.as_role(bare.role(name, *statements, more), "kms")
    assert kms.create_key(Policy=key_policy(ROOT))["KeyMetadata"]["KeyId"]


def test_KMS_07_a_statement_without_a_resource_has_no_effect_and_is_taken(bare):
    """Beside one that has."""
    document = json.loads(key_policy(ROOT))
    document["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "kms:*"})
    assert bare.aws("kms").create_key(Policy=json.dumps(document))["KeyMetadata"]["KeyId"]
