"""Data: Aurora, DynamoDB."""

from typing import Any

from otherside.twin.deploy.creation import Birth


def _global_cluster(birth: Birth) -> str:
    name = birth.name("globalClusterIdentifier")
    made = birth.call(
        "rds",
        "CreateGlobalCluster",
        drop=("globalClusterIdentifier", "forceDestroy"),
        GlobalClusterIdentifier=name,
    )["GlobalCluster"]
    birth.outputs |= {
        "arn": made["GlobalClusterArn"],
        "globalClusterIdentifier": name,
        "globalClusterResourceId": made["GlobalClusterResourceId"],
        "endpoint": made["Endpoint"],
        "engineVersion": made["EngineVersion"],
    }
    return name


def _cluster(birth: Birth) -> str:
    name = birth.name("clusterIdentifier")
    made = birth.call(
        "rds",
        "CreateDBCluster",
        rename={
            "masterPasswordWo": "MasterUserPassword",
            "masterPassword": "MasterUserPassword",
            "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
        },
        drop=(
            "clusterIdentifier",
            *("skipFinalSnapshot", "finalSnapshotIdentifier", "masterPasswordWoVersion"),
            *("applyImmediately", "deleteAutomatedBackups"),
        ),
        DBClusterIdentifier=name,
    )["DBCluster"]
    birth.outputs |= {
        "clusterIdentifier": name,
        "arn": made["DBClusterArn"],
        "endpoint": made["Endpoint"],
        "readerEndpoint": made["ReaderEndpoint"],
        "clusterResourceId": made["DbClusterResourceId"],
        "port": made["Port"],
    }
    return name


def _instance(birth: Birth) -> str:
    name = birth.name("identifier")
    made = birth.call(
        "rds",
        "CreateDBInstance",
        rename={
            "clusterIdentifier": "DBClusterIdentifier",
            "instanceClass": "DBInstanceClass",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
            "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
        },
        drop=("identifier",),
        DBInstanceIdentifier=name,
    )["DBInstance"]
    birth.outputs |= {
        "identifier": name,
        "arn": made["DBInstanceArn"],
        "dbiResourceId": made["DbiResourceId"],
    }
    return name


def _cluster_parameters(birth: Birth) -> str:
    name = birth.name()
    made = birth.call(
        "rds",
        "CreateDBClusterParameterGroup",
        rename={"family": "DBParameterGroupFamily"},
        drop=("name", "parameters"),
        DBClusterParameterGroupName=name,
    )["DBClusterParameterGroup"]
    parameters = [
        {
            "ParameterName": one["name"],
            "ParameterValue": str(one["value"]),
            "ApplyMethod": one.get("applyMethod", "immediate"),
        }
        for one in birth.inputs.get("parameters") or []
    ]
    if parameters:
        birth.ask(
            "rds",
            "ModifyDBClusterParameterGroup",
            DBClusterParameterGroupName=name,
            Parameters=parameters,
        )
    birth.outputs |= {"arn": made["DBClusterParameterGroupArn"], "name": name}
    return name


def _subnet_group(birth: Birth) -> str:
    name = birth.name()
    made = birth.call(
        "rds",
        "CreateDBSubnetGroup",
        rename={"description": "DBSubnetGroupDescription"},
        drop=("name",),
        DBSubnetGroupName=name,
    )["DBSubnetGroup"]
    birth.outputs |= {"arn": made["DBSubnetGroupArn"], "name": name}
    return name


def _table(birth: Birth) -> str:
    """Make a table, and then its replicas: AWS takes them only once there is a table."""
    inputs, name = birth.inputs, birth.name()
    replicas, witness = inputs.get("replicas") or [], inputs.get("globalTableWitness")
    strong = any(one.get("consistencyMode") == "STRONG" for one in replicas)
    keys = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
    if inputs.get("rangeKey"):
        keys.append({"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"})
    stream = _stream(inputs, replicated=bool(replicas) and not strong)
    made = birth.call(
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
    _replicate(birth, name, replicas, witness, strong=strong)
    if inputs.get("ttl"):
        ttl = inputs["ttl"]
        spec = {"Enabled": bool(ttl.get("enabled", True)), "AttributeName": ttl["attributeName"]}
        birth.ask("dynamodb", "UpdateTimeToLive", TableName=name, TimeToLiveSpecification=spec)
    if (inputs.get("pointInTimeRecovery") or {}).get("enabled"):
        birth.ask(
            "dynamodb",
            "UpdateContinuousBackups",
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    birth.outputs |= {"arn": made["TableArn"], "name": name}
    return name


def _encryption(inputs: dict[str, Any]) -> dict[str, Any] | None:
    given = inputs.get("serverSideEncryption")
    if not given:
        return None
    made: dict[str, Any] = {"Enabled": bool(given["enabled"])}
    if given.get("kmsKeyArn"):
        made |= {"SSEType": "KMS", "KMSMasterKeyId": given["kmsKeyArn"]}
    return made


def _stream(inputs: dict[str, Any], *, replicated: bool) -> dict[str, Any] | None:
    if inputs.get("streamEnabled") or replicated:
        view = inputs.get("streamViewType", "NEW_AND_OLD_IMAGES")
        return {"StreamEnabled": True, "StreamViewType": view}
    return None


def _replicate(
    birth: Birth,
    name: str,
    replicas: list[dict[str, Any]],
    witness: dict[str, Any] | None,
    *,
    strong: bool,
) -> None:
    updates = []
    for one in replicas:
        made = {"RegionName": one["regionName"]}
        if one.get("kmsKeyArn"):
            made["KMSMasterKeyId"] = one["kmsKeyArn"]
        updates.append({"Create": made})
    more: dict[str, Any] = {}
    if witness:
        more["GlobalTableWitnessUpdates"] = [{"Create": {"RegionName": witness["regionName"]}}]
    if strong:
        more["MultiRegionConsistency"] = "STRONG"
    if updates:
        birth.ask("dynamodb", "UpdateTable", TableName=name, ReplicaUpdates=updates, **more)
    for one in replicas:
        if one.get("pointInTimeRecovery"):
            there = birth.clients.get("dynamodb", one["regionName"])
            there.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )


HANDLERS = {
    "dynamodb/table:Table": _table,
    "rds/cluster:Cluster": _cluster,
    "rds/clusterInstance:ClusterInstance": _instance,
    "rds/clusterParameterGroup:ClusterParameterGroup": _cluster_parameters,
    "rds/globalCluster:GlobalCluster": _global_cluster,
    "rds/subnetGroup:SubnetGroup": _subnet_group,
}
