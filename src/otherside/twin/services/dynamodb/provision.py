"""Create a Pulumi program's DynamoDB resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation
from otherside.twin.json_types import JsonObject


def _table(creation: ResourceCreation) -> str:
    """Create a table and then its replicas: AWS adds replicas to an existing table only."""
    inputs, name = creation.inputs, creation.name()
    replicas, witness = inputs.get("replicas") or [], inputs.get("globalTableWitness")
    strong = any(replica.get("consistencyMode") == "STRONG" for replica in replicas)
    keys = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
    if inputs.get("rangeKey"):
        keys.append({"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"})
    stream = _stream(inputs, replicated=bool(replicas) and not strong)
    made = creation.call(
        "dynamodb",
        "CreateTable",
        rename={
            "attributes": "AttributeDefinitions",
            "attributes.name": "AttributeName",
            "attributes.type": "AttributeType",
            "serverSideEncryption": "SSESpecification",
            "serverSideEncryption.kmsKeyArn": "KMSMasterKeyId",
        },
        drop=(
            *("name", "hashKey", "rangeKey", "replicas", "globalTableWitness", "ttl"),
            *("pointInTimeRecovery", "streamEnabled", "streamViewType"),
        ),
        TableName=name,
        KeySchema=keys,
        StreamSpecification=stream,
        SSESpecification=_encryption(inputs),
    )["TableDescription"]
    _replicate(creation, name, replicas, witness, strong=strong)
    if inputs.get("ttl"):
        ttl = inputs["ttl"]
        spec = {"Enabled": bool(ttl.get("enabled", True)), "AttributeName": ttl["attributeName"]}
        creation.ask("dynamodb", "UpdateTimeToLive", TableName=name, TimeToLiveSpecification=spec)
    if (inputs.get("pointInTimeRecovery") or {}).get("enabled"):
        creation.ask(
            "dynamodb",
            "UpdateContinuousBackups",
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    creation.outputs |= {"arn": made["TableArn"], "name": name}
    return name


def _encryption(inputs: JsonObject) -> JsonObject | None:
    given = inputs.get("serverSideEncryption")
    if not given:
        return None
    made: JsonObject = {"Enabled": bool(given["enabled"])}
    if given.get("kmsKeyArn"):
        made |= {"SSEType": "KMS", "KMSMasterKeyId": given["kmsKeyArn"]}
    return made


def _stream(inputs: JsonObject, *, replicated: bool) -> JsonObject | None:
    if inputs.get("streamEnabled") or replicated:
        view = inputs.get("streamViewType", "NEW_AND_OLD_IMAGES")
        return {"StreamEnabled": True, "StreamViewType": view}
    return None


def _replicate(
    creation: ResourceCreation,
    name: str,
    replicas: list[JsonObject],
    witness: JsonObject | None,
    *,
    strong: bool,
) -> None:
    updates = []
    for replica in replicas:
        made = {"RegionName": replica["regionName"]}
        if replica.get("kmsKeyArn"):
            made["KMSMasterKeyId"] = replica["kmsKeyArn"]
        updates.append({"Create": made})
    more: JsonObject = {}
    if witness:
        more["GlobalTableWitnessUpdates"] = [{"Create": {"RegionName": witness["regionName"]}}]
    if strong:
        more["MultiRegionConsistency"] = "STRONG"
    if updates:
        creation.ask("dynamodb", "UpdateTable", TableName=name, ReplicaUpdates=updates, **more)
    for replica in replicas:
        if replica.get("pointInTimeRecovery"):
            there = creation.clients.get("dynamodb", replica["regionName"])
            there.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )


RESOURCE_TYPES = {
    "dynamodb/table:Table": _table,
}
