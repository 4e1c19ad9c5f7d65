"""Which call creates each resource type, and where its inputs go by another name.

`rename` maps a registered input (a dotted path, without list positions) to the member of the
request. `elsewhere` names inputs that reach no member of these requests: Pulumi's own switches,
values of another call, or ones that the request knows only as a side effect. `made` are required
members that the provider fills in by itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One resource type's calls."""

    service: str
    operations: tuple[str, ...]
    rename: dict[str, str]
    elsewhere: frozenset[str]
    made: frozenset[str]


def _call(service, operations, *, rename=None, elsewhere="", made=""):
    return Call(
        service,
        tuple(operations.split()),
        rename or {},
        frozenset(elsewhere.split()),
        frozenset(made.split()),
    )


TAGS = {"tags": "TagSpecifications.Tags"}
NAMED = {"name": "Name"}

OPERATIONS: dict[str, Call] = {
    "acm/certificate:Certificate": _call("acm", "RequestCertificate"),
    "acm/certificateValidation:CertificateValidation": _call(
        "acm", "DescribeCertificate", elsewhere="validationRecordFqdns"
    ),
    "autoscaling/group:Group": _call(
        "autoscaling",
        "CreateAutoScalingGroup StartInstanceRefresh",
        rename={
            "vpcZoneIdentifiers": "VPCZoneIdentifier",
            "launchTemplate.id": "LaunchTemplateId",
            "targetGroupArns": "TargetGroupARNs",
            "instanceRefresh": "StartInstanceRefresh",
        },
        elsewhere="waitForCapacityTimeout minElbCapacity forceDelete instanceRefresh",
        made="AutoScalingGroupName",
    ),
    "autoscaling/policy:Policy": _call(
        "autoscaling", "PutScalingPolicy", rename={"name": "PolicyName"}
    ),
    "backup/plan:Plan": _call(
        "backup",
        "CreateBackupPlan",
        rename={
            "name": "BackupPlan.BackupPlanName",
            "rules": "BackupPlan.Rules",
            "rules.targetVaultName": "TargetBackupVaultName",
            "rules.schedule": "ScheduleExpression",
            "rules.startWindow": "StartWindowMinutes",
            "rules.completionWindow": "CompletionWindowMinutes",
            "rules.lifecycle.deleteAfter": "DeleteAfterDays",
            "rules.copyActions.destinationVaultArn": "DestinationBackupVaultArn",
            "rules.copyActions.lifecycle.deleteAfter": "DeleteAfterDays",
        },
    ),
    "backup/regionSettings:RegionSettings": _call(
        "backup",
        "UpdateRegionSettings",
        # Names with blanks in them, which the service takes though its model's pattern does not.
        elsewhere="resourceTypeOptInPreference",
    ),
    "backup/restoreTestingPlan:RestoreTestingPlan": _call(
        "backup",
        "CreateRestoreTestingPlan",
        rename={
            "name": "RestoreTestingPlan.RestoreTestingPlanName",
            "scheduleExpression": "RestoreTestingPlan.ScheduleExpression",
            "startWindowHours": "RestoreTestingPlan.StartWindowHours",
            "recoveryPointSelection": "RestoreTestingPlan.RecoveryPointSelection",
        },
    ),
    "backup/restoreTestingSelection:RestoreTestingSelection": _call(
        "backup",
        "CreateRestoreTestingSelection",
        rename={
            key: f"RestoreTestingSelection.{value}"
            for key, value in {
                "name": "RestoreTestingSelectionName",
                "iamRoleArn": "IamRoleArn",
                "protectedResourceArns": "ProtectedResourceArns",
                "protectedResourceType": "ProtectedResourceType",
                "restoreMetadataOverrides": "RestoreMetadataOverrides",
                "validationWindowHours": "ValidationWindowHours",
            }.items()
        },
    ),
    "backup/selection:Selection": _call(
        "backup",
        "CreateBackupSelection",
        rename={
            "name": "BackupSelection.SelectionName",
            "planId": "BackupPlanId",
            "iamRoleArn": "BackupSelection.IamRoleArn",
            "resources": "BackupSelection.Resources",
        },
    ),
    "backup/vault:Vault": _call(
        "backup",
        "CreateBackupVault",
        rename={"name": "BackupVaultName", "kmsKeyArn": "EncryptionKeyArn"},
        elsewhere="forceDestroy",
    ),
    "backup/vaultLockConfiguration:VaultLockConfiguration": _call(
        "backup", "PutBackupVaultLockConfiguration"
    ),
    "backup/vaultNotifications:VaultNotifications": _call("backup", "PutBackupVaultNotifications"),
    "cloudwatch/compositeAlarm:CompositeAlarm": _call(
        "cloudwatch",
        "PutCompositeAlarm",
        rename={
            "okActions": "OKActions",
            "actionsSuppressor": "ActionsSuppressor",
        },
        elsewhere="actionsSuppressor",
    ),
    "cloudwatch/dashboard:Dashboard": _call("cloudwatch", "PutDashboard"),
    "cloudwatch/eventBus:EventBus": _call("events", "CreateEventBus"),
    "cloudwatch/eventBusPolicy:EventBusPolicy": _call("events", "PutPermission"),
    "cloudwatch/eventRule:EventRule": _call("events", "PutRule"),
    "cloudwatch/eventTarget:EventTarget": _call(
        "events",
        "PutTargets",
        rename={
            "targetId": "Targets.Id",
            "arn": "Targets.Arn",
            "input": "Targets.Input",
            "roleArn": "Targets.RoleArn",
            "deadLetterConfig": "Targets.DeadLetterConfig",
            "retryPolicy": "Targets.RetryPolicy",
        },
    ),
    "cloudwatch/logGroup:LogGroup": _call(
        "logs", "CreateLogGroup PutRetentionPolicy", rename={"name": "logGroupName"}
    ),
    "cloudwatch/logStream:LogStream": _call(
        "logs", "CreateLogStream", rename={"name": "logStreamName"}
    ),
    "cloudwatch/metricAlarm:MetricAlarm": _call(
        "cloudwatch", "PutMetricAlarm", rename={"name": "AlarmName"}, made="AlarmName"
    ),
    "cloudwatch/metricStream:MetricStream": _call("cloudwatch", "PutMetricStream"),
    "dynamodb/table:Table": _call(
        "dynamodb",
        "CreateTable UpdateTable",
        rename={
            "name": "TableName",
            "hashKey": "KeySchema.AttributeName",
            "rangeKey": "KeySchema.AttributeName",
            "attributes": "AttributeDefinitions",
            "attributes.name": "AttributeName",
            "attributes.type": "AttributeType",
            "serverSideEncryption": "SSESpecification",
            "serverSideEncryption.kmsKeyArn": "KMSMasterKeyId",
            "streamEnabled": "StreamSpecification.StreamEnabled",
            "streamViewType": "StreamSpecification.StreamViewType",
            "replicas": "ReplicaUpdates.Create",
            "replicas.kmsKeyArn": "KMSMasterKeyId",
            "globalTableWitness": "GlobalTableWitnessUpdates.Create",
        },
        elsewhere=(
            "ttl pointInTimeRecovery replicas.consistencyMode replicas.pointInTimeRecovery "
            "replicas.deletionProtectionEnabled replicas.propagateTags"
        ),
    ),
    "ec2/defaultSecurityGroup:DefaultSecurityGroup": _call(
        "ec2", "CreateSecurityGroup", rename=TAGS, made="Description GroupName"
    ),
    "ec2/eip:Eip": _call("ec2", "AllocateAddress", rename=TAGS),
    "ec2/flowLog:FlowLog": _call(
        "ec2",
        "CreateFlowLogs",
        rename={
            **TAGS,
            "vpcId": "ResourceIds",
            "iamRoleArn": "DeliverLogsPermissionArn",
        },
        made="ResourceType",
    ),
    "ec2/internetGateway:InternetGateway": _call(
        "ec2",
        "CreateInternetGateway AttachInternetGateway",
        rename=TAGS,
    ),
    "ec2/launchTemplate:LaunchTemplate": _call(
        "ec2",
        "CreateLaunchTemplate",
        rename={
            key: f"LaunchTemplateData.{value}"
            for key, value in {
                "imageId": "ImageId",
                "instanceType": "InstanceType",
                "userData": "UserData",
                "vpcSecurityGroupIds": "SecurityGroupIds",
                "iamInstanceProfile": "IamInstanceProfile",
                "metadataOptions": "MetadataOptions",
                "monitoring": "Monitoring",
                "blockDeviceMappings": "BlockDeviceMappings",
            }.items()
        },
        elsewhere="updateDefaultVersion",
        made="LaunchTemplateName LaunchTemplateData",
    ),
    "ec2/natGateway:NatGateway": _call("ec2", "CreateNatGateway", rename=TAGS),
    "ec2/peeringConnectionOptions:PeeringConnectionOptions": _call(
        "ec2",
        "ModifyVpcPeeringConnectionOptions",
        rename={
            "accepter": "AccepterPeeringConnectionOptions",
            "requester": "RequesterPeeringConnectionOptions",
            "accepter.allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc",
            "requester.allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc",
        },
    ),
    "ec2/route:Route": _call("ec2", "CreateRoute"),
    "ec2/routeTable:RouteTable": _call("ec2", "CreateRouteTable", rename=TAGS),
    "ec2/routeTableAssociation:RouteTableAssociation": _call("ec2", "AssociateRouteTable"),
    "ec2/securityGroup:SecurityGroup": _call(
        "ec2", "CreateSecurityGroup", rename=TAGS, made="GroupName"
    ),
    "ec2/subnet:Subnet": _call("ec2", "CreateSubnet ModifySubnetAttribute", rename=TAGS),
    "ec2/vpc:Vpc": _call("ec2", "CreateVpc ModifyVpcAttribute", rename=TAGS),
    "ec2/vpcEndpoint:VpcEndpoint": _call("ec2", "CreateVpcEndpoint", rename=TAGS),
    "ec2/vpcPeeringConnection:VpcPeeringConnection": _call(
        "ec2", "CreateVpcPeeringConnection", rename=TAGS, elsewhere="autoAccept"
    ),
    "ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": _call(
        "ec2", "AcceptVpcPeeringConnection", elsewhere="autoAccept tags"
    ),
    "iam/instanceProfile:InstanceProfile": _call(
        "iam",
        "CreateInstanceProfile AddRoleToInstanceProfile",
        rename={"role": "RoleName"},
        made="InstanceProfileName",
    ),
    "iam/role:Role": _call(
        "iam",
        "CreateRole",
        rename={"assumeRolePolicy": "AssumeRolePolicyDocument"},
        made="RoleName",
    ),
    "iam/rolePolicy:RolePolicy": _call(
        "iam",
        "PutRolePolicy",
        rename={"policy": "PolicyDocument", "role": "RoleName"},
        made="PolicyName",
    ),
    "iam/rolePolicyAttachment:RolePolicyAttachment": _call(
        "iam", "AttachRolePolicy", rename={"role": "RoleName"}
    ),
    "kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": _call(
        "firehose",
        "CreateDeliveryStream",
        rename={
            "name": "DeliveryStreamName",
            "extendedS3Configuration": "ExtendedS3DestinationConfiguration",
            "extendedS3Configuration.bufferingInterval": "BufferingHints.IntervalInSeconds",
            "extendedS3Configuration.bufferingSize": "BufferingHints.SizeInMBs",
            "extendedS3Configuration.kmsKeyArn": (
                "EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN"
            ),
            "extendedS3Configuration.cloudwatchLoggingOptions": "CloudWatchLoggingOptions",
            "serverSideEncryption": "DeliveryStreamEncryptionConfigurationInput",
        },
        elsewhere="destination serverSideEncryption.enabled",
    ),
    "kms/alias:Alias": _call("kms", "CreateAlias", rename={"name": "AliasName"}),
    "kms/key:Key": _call(
        "kms",
        "CreateKey EnableKeyRotation ScheduleKeyDeletion",
        rename={"deletionWindowInDays": "PendingWindowInDays"},
        elsewhere="enableKeyRotation",
    ),
    "lambda/function:Function": _call(
        "lambda",
        "CreateFunction PutFunctionConcurrency",
        rename={"name": "FunctionName"},
        elsewhere="code",
        made="Code",
    ),
    "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _call(
        "lambda", "PutFunctionEventInvokeConfig"
    ),
    "lambda/permission:Permission": _call(
        "lambda", "AddPermission", rename={"function": "FunctionName"}, made="StatementId"
    ),
    "lb/listener:Listener": _call(
        "elbv2",
        "CreateListener",
        rename={
            "certificateArn": "Certificates.CertificateArn",
            "defaultActions.redirect": "RedirectConfig",
        },
    ),
    "lb/loadBalancer:LoadBalancer": _call(
        "elbv2",
        "CreateLoadBalancer",
        rename={"loadBalancerType": "Type"},
        elsewhere="accessLogs dropInvalidHeaderFields enableDeletionProtection internal",
    ),
    "lb/targetGroup:TargetGroup": _call(
        "elbv2",
        "CreateTargetGroup",
        rename={"healthCheck.path": "HealthCheckPath"},
        elsewhere="deregistrationDelay healthCheck",
    ),
    "rds/cluster:Cluster": _call(
        "rds",
        "CreateDBCluster",
        rename={
            "clusterIdentifier": "DBClusterIdentifier",
            "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
            "masterPasswordWo": "MasterUserPassword",
            "serverlessv2ScalingConfiguration": "ServerlessV2ScalingConfiguration",
        },
        elsewhere=(
            "applyImmediately deleteAutomatedBackups finalSnapshotIdentifier skipFinalSnapshot "
            "masterPasswordWoVersion sourceRegion"  # the last makes botocore sign the other Region
        ),
    ),
    "rds/clusterInstance:ClusterInstance": _call(
        "rds",
        "CreateDBInstance",
        rename={
            "clusterIdentifier": "DBClusterIdentifier",
            "identifier": "DBInstanceIdentifier",
            "instanceClass": "DBInstanceClass",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
        },
    ),
    "rds/clusterParameterGroup:ClusterParameterGroup": _call(
        "rds",
        "CreateDBClusterParameterGroup ModifyDBClusterParameterGroup",
        rename={
            "name": "DBClusterParameterGroupName",
            "family": "DBParameterGroupFamily",
            "parameters.name": "ParameterName",
            "parameters.value": "ParameterValue",
        },
    ),
    "rds/globalCluster:GlobalCluster": _call(
        "rds", "CreateGlobalCluster", elsewhere="forceDestroy"
    ),
    "rds/subnetGroup:SubnetGroup": _call(
        "rds",
        "CreateDBSubnetGroup",
        rename={"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"},
    ),
    "route53/healthCheck:HealthCheck": _call(
        "route53",
        "CreateHealthCheck",
        rename={
            key: f"HealthCheckConfig.{value}"
            for key, value in {
                "type": "Type",
                "fqdn": "FullyQualifiedDomainName",
                "port": "Port",
                "resourcePath": "ResourcePath",
                "requestInterval": "RequestInterval",
                "failureThreshold": "FailureThreshold",
                "enableSni": "EnableSNI",
                "measureLatency": "MeasureLatency",
                "regions": "Regions",
                "childHealthThreshold": "HealthThreshold",
                "childHealthchecks": "ChildHealthChecks",
                "cloudwatchAlarmName": "AlarmIdentifier.Name",
                "cloudwatchAlarmRegion": "AlarmIdentifier.Region",
                "insufficientDataHealthStatus": "InsufficientDataHealthStatus",
            }.items()
        },
        elsewhere="tags triggers",
        made="CallerReference",
    ),
    "route53/record:Record": _call(
        "route53",
        "ChangeResourceRecordSets",
        rename={
            "zoneId": "HostedZoneId",
            **{
                key: f"ChangeBatch.Changes.ResourceRecordSet.{value}"
                for key, value in {
                    "name": "Name",
                    "type": "Type",
                    "ttl": "TTL",
                    "setIdentifier": "SetIdentifier",
                    "healthCheckId": "HealthCheckId",
                    "aliases": "AliasTarget",
                    "records": "ResourceRecords.Value",
                    "failoverRoutingPolicies": "Failover",
                }.items()
            },
            "aliases.zoneId": "HostedZoneId",
            "aliases.name": "DNSName",
        },
        elsewhere="allowOverwrite",
    ),
    "route53/zone:Zone": _call(
        "route53",
        "CreateHostedZone",
        rename={"comment": "HostedZoneConfig.Comment"},
        elsewhere="enableAcceleratedRecovery forceDestroy tags",  # tags: ChangeTagsForResource
        made="CallerReference",
    ),
    "s3/bucket:Bucket": _call("s3", "CreateBucket", elsewhere="forceDestroy"),
    "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _call(
        "s3",
        "PutBucketLifecycleConfiguration",
        rename={"rules": "LifecycleConfiguration.Rules"},
    ),
    "s3/bucketObjectv2:BucketObjectv2": _call("s3", "PutObject", elsewhere="source"),
    "s3/bucketOwnershipControls:BucketOwnershipControls": _call(
        "s3",
        "PutBucketOwnershipControls",
        rename={"rule": "OwnershipControls.Rules"},
        made="OwnershipControls",
    ),
    "s3/bucketPolicy:BucketPolicy": _call("s3", "PutBucketPolicy"),
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _call(
        "s3",
        "PutPublicAccessBlock",
        rename={
            key: f"PublicAccessBlockConfiguration.{key}"
            for key in (
                "blockPublicAcls",
                "blockPublicPolicy",
                "ignorePublicAcls",
                "restrictPublicBuckets",
            )
        },
    ),
    "s3/bucketReplicationConfig:BucketReplicationConfig": _call(
        "s3",
        "PutBucketReplication",
        rename={
            "role": "ReplicationConfiguration.Role",
            "rules": "ReplicationConfiguration.Rules",
            "rules.destination.encryptionConfiguration.replicaKmsKeyId": "ReplicaKmsKeyID",
        },
    ),
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _call(
        "s3",
        "PutBucketEncryption",
        rename={
            "rules": "ServerSideEncryptionConfiguration.Rules",
            "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": "KMSMasterKeyID",
        },
    ),
    "s3/bucketVersioning:BucketVersioning": _call("s3", "PutBucketVersioning"),
    "secretsmanager/secret:Secret": _call(
        "secretsmanager",
        "CreateSecret DeleteSecret",
        rename={"replicas": "AddReplicaRegions"},
    ),
    "secretsmanager/secretRotation:SecretRotation": _call("secretsmanager", "RotateSecret"),
    "secretsmanager/secretVersion:SecretVersion": _call(
        "secretsmanager",
        "PutSecretValue",
        rename={"secretStringWo": "SecretString"},
        elsewhere="secretStringWoVersion",
    ),
    "sns/topic:Topic": _call("sns", "CreateTopic", elsewhere="kmsMasterKeyId"),
    "sns/topicPolicy:TopicPolicy": _call(
        "sns",
        "SetTopicAttributes",
        rename={"arn": "TopicArn", "policy": "AttributeValue"},
        made="AttributeName",
    ),
    "sns/topicSubscription:TopicSubscription": _call(
        "sns", "Subscribe", rename={"topic": "TopicArn"}
    ),
    "sqs/queue:Queue": _call(
        "sqs",
        "CreateQueue",
        rename={"name": "QueueName"},
        elsewhere="kmsMasterKeyId messageRetentionSeconds",
    ),
    "sqs/queuePolicy:QueuePolicy": _call(
        "sqs", "SetQueueAttributes", elsewhere="policy", made="Attributes"
    ),
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule": _call(
        "ec2",
        "AuthorizeSecurityGroupEgress",
        rename={
            "securityGroupId": "GroupId",
            "description": "IpPermissions.IpRanges.Description",
            "cidrIpv4": "IpPermissions.IpRanges.CidrIp",
            "fromPort": "IpPermissions.FromPort",
            "toPort": "IpPermissions.ToPort",
            "ipProtocol": "IpPermissions.IpProtocol",
            "referencedSecurityGroupId": "IpPermissions.UserIdGroupPairs.GroupId",
        },
    ),
}
OPERATIONS["vpc/securityGroupIngressRule:SecurityGroupIngressRule"] = Call(
    "ec2",
    ("AuthorizeSecurityGroupIngress",),
    OPERATIONS["vpc/securityGroupEgressRule:SecurityGroupEgressRule"].rename,
    frozenset(),
    frozenset(),
)
