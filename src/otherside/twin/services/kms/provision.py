"""Create a Pulumi program's KMS resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _key(creation: ResourceCreation) -> str:
    inputs = creation.inputs
    made = creation.call(
        "kms",
        "CreateKey",
        drop=("enableKeyRotation", "rotationPeriodInDays", "deletionWindowInDays"),
        Tags=[{"TagKey": k, "TagValue": v} for k, v in creation.tags.items()],
    )["KeyMetadata"]
    key = str(made["KeyId"])
    if inputs.get("enableKeyRotation"):
        days = inputs.get("rotationPeriodInDays")
        period = {"RotationPeriodInDays": int(days)} if days else {}
        creation.ask("kms", "EnableKeyRotation", KeyId=key, **period)
    creation.outputs |= {"arn": made["Arn"], "keyId": key}
    return key


def _replica_key(creation: ResourceCreation) -> str:
    primary = str(creation.inputs["primaryKeyArn"])
    client = creation.clients.get("kms", primary.split(":")[3])
    found = client.replicate_key(
        KeyId=primary,
        ReplicaRegion=creation.region,
        **({"Policy": creation.inputs["policy"]} if creation.inputs.get("policy") else {}),
    )["ReplicaKeyMetadata"]
    creation.outputs |= {"arn": found["Arn"], "keyId": found["KeyId"]}
    return str(found["KeyId"])


def _alias(creation: ResourceCreation) -> str:
    creation.call("kms", "CreateAlias", rename={"name": "AliasName"})
    name = str(creation.inputs["name"])
    creation.outputs["arn"] = f"arn:aws:kms:{creation.region}:{creation.account}:{name}"
    return name


RESOURCE_TYPES = {
    "kms/alias:Alias": _alias,
    "kms/key:Key": _key,
    "kms/replicaKey:ReplicaKey": _replica_key,
}
