"""IAM's managed policies, and keys that are one key in several Regions."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.kms.models import kms_backends

from otherside.twin.aws.seam import Extension, after, failure, operation
from otherside.twin.front.door import PassError
from otherside.twin.front.wire import Call
from otherside.twin.ground import Ground

AWS_OWNED = "arn:aws:iam::aws:policy/"
MANAGED = frozenset({"AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy"})


class Identity(Extension):
    """AWS's own policies, loaded when they are attached: all of them would take 60 MB."""

    def __init__(self, ground: Ground) -> None:
        """Keep whose account it is."""
        self._ground = ground

    @operation("iam", "AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy", "GetPolicy")
    def attach(self, _call: Call, params: Mapping[str, Any]) -> None:
        """Make sure that a policy of AWS's is there, and leave the rest to moto."""
        arn = str(params["PolicyArn"])
        held = iam_backends[self._ground.account]["aws"].managed_policies
        if arn.startswith(AWS_OWNED) and arn not in held:
            name = arn.rpartition("/")[2]
            known = _managed().get(name)
            if known is None:
                message = f"Policy {arn} does not exist or is not attachable."
                raise failure("NoSuchEntity", message)
            account, region = self._ground.account, "aws"
            held[arn] = AWSManagedPolicy.from_data(name, account, region, known)
        raise PassError


class Keys(Extension):
    """KMS where moto differs: multi-Region keys decrypt what any of them has encrypted."""

    def __init__(self, ground: Ground) -> None:
        """Keep whose account it is."""
        self._ground = ground

    @after("kms", "ReplicateKey")
    def replicate(self, call: Call, params: Mapping[str, Any], _body: bytes) -> None:
        """Give the replica the material of the key that it is a replica of."""
        backends = kms_backends[self._ground.account]
        key = str(params["KeyId"]).rpartition("/")[2]
        primary = backends[call.region].keys[key]
        replica = backends[params["ReplicaRegion"]].keys[key]
        replica.key_material = primary.key_material


@lru_cache(maxsize=1)
def _managed() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(aws_managed_policies_data)
    return found
