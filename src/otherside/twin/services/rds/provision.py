"""Create a Pulumi program's RDS resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _global_cluster(creation: ResourceCreation) -> str:
    name = creation.name("globalClusterIdentifier")
    made = creation.call(
        "rds",
        "CreateGlobalCluster",
        drop=("globalClusterIdentifier", "forceDestroy"),
        GlobalClusterIdentifier=name,
    )["GlobalCluster"]
    creation.outputs |= {
        "arn": made["GlobalClusterArn"],
        "globalClusterIdentifier": name,
        "globalClusterResourceId": made["GlobalClusterResourceId"],
        "endpoint": made["Endpoint"],
        "engineVersion": made["EngineVersion"],
    }
    return name


def _cluster(creation: ResourceCreation) -> str:
    name = creation.name("clusterIdentifier")
    made = creation.call(
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
    creation.outputs |= {
        "clusterIdentifier": name,
        "arn": made["DBClusterArn"],
        "endpoint": made["Endpoint"],
        "readerEndpoint": made["ReaderEndpoint"],
        "clusterResourceId": made["DbClusterResourceId"],
        "port": made["Port"],
    }
    return name


def _instance(creation: ResourceCreation) -> str:
    name = creation.name("identifier")
    made = creation.call(
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
    creation.outputs |= {
        "identifier": name,
        "arn": made["DBInstanceArn"],
        "dbiResourceId": made["DbiResourceId"],
    }
    return name


def _cluster_parameters(creation: ResourceCreation) -> str:
    name = creation.name()
    made = creation.call(
        "rds",
        "CreateDBClusterParameterGroup",
        rename={"family": "DBParameterGroupFamily"},
        drop=("name", "parameters"),
        DBClusterParameterGroupName=name,
    )["DBClusterParameterGroup"]
    parameters = [
        {
            "ParameterName": parameter["name"],
            "ParameterValue": str(parameter["value"]),
            "ApplyMethod": parameter.get("applyMethod", "immediate"),
        }
        for parameter in creation.inputs.get("parameters") or []
    ]
    if parameters:
        creation.ask(
            "rds",
            "ModifyDBClusterParameterGroup",
            DBClusterParameterGroupName=name,
            Parameters=parameters,
        )
    creation.outputs |= {"arn": made["DBClusterParameterGroupArn"], "name": name}
    return name


def _subnet_group(creation: ResourceCreation) -> str:
    name = creation.name()
    made = creation.call(
        "rds",
        "CreateDBSubnetGroup",
        rename={"description": "DBSubnetGroupDescription"},
        drop=("name",),
        DBSubnetGroupName=name,
    )["DBSubnetGroup"]
    creation.outputs |= {"arn": made["DBSubnetGroupArn"], "name": name}
    return name


RESOURCE_TYPES = {
    "rds/cluster:Cluster": _cluster,
    "rds/clusterInstance:ClusterInstance": _instance,
    "rds/clusterParameterGroup:ClusterParameterGroup": _cluster_parameters,
    "rds/globalCluster:GlobalCluster": _global_cluster,
    "rds/subnetGroup:SubnetGroup": _subnet_group,
}
