"""Creates the RDS resources of a program, as Pulumi's AWS provider would."""

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


RESOURCE_TYPES = {
    "rds/cluster:Cluster": _cluster,
    "rds/clusterInstance:ClusterInstance": _instance,
    "rds/clusterParameterGroup:ClusterParameterGroup": _cluster_parameters,
    "rds/globalCluster:GlobalCluster": _global_cluster,
    "rds/subnetGroup:SubnetGroup": _subnet_group,
}
