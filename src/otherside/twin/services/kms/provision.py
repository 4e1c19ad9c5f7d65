"""Creates the KMS resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth


def _key(birth: Birth) -> str:
    inputs = birth.inputs
    made = birth.call(
        "kms",
        "CreateKey",
        drop=("enableKeyRotation", "rotationPeriodInDays", "deletionWindowInDays"),
        Tags=[{"TagKey": k, "TagValue": v} for k, v in birth.tags.items()],
    )["KeyMetadata"]
    key = str(made["KeyId"])
    if inputs.get("enableKeyRotation"):
        days = inputs.get("rotationPeriodInDays")
        period = {"RotationPeriodInDays": int(days)} if days else {}
        birth.ask("kms", "EnableKeyRotation", KeyId=key, **period)
    birth.outputs |= {"arn": made["Arn"], "keyId": key}
    return key


def _replica_key(birth: Birth) -> str:
    primary = str(birth.inputs["primaryKeyArn"])
    client = birth.clients.get("kms", primary.split(":")[3])
    found = client.replicate_key(
        KeyId=primary,
        ReplicaRegion=birth.region,
        **({"Policy": birth.inputs["policy"]} if birth.inputs.get("policy") else {}),
    )["ReplicaKeyMetadata"]
    birth.outputs |= {"arn": found["Arn"], "keyId": found["KeyId"]}
    return str(found["KeyId"])


def _alias(birth: Birth) -> str:
    birth.call("kms", "CreateAlias", rename={"name": "AliasName"})
    name = str(birth.inputs["name"])
    birth.outputs["arn"] = f"arn:aws:kms:{birth.region}:{birth.account}:{name}"
    return name


RESOURCE_TYPES = {
    "kms/alias:Alias": _alias,
    "kms/key:Key": _key,
    "kms/replicaKey:ReplicaKey": _replica_key,
}
