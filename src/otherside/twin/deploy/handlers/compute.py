"""Compute: launch templates, Auto Scaling groups, load balancers, functions."""

from typing import Any

from otherside.twin.deploy.creation import Birth
from otherside.twin.deploy.handlers.storage import archive_of


def _launch_template(birth: Birth) -> str:
    inputs = dict(birth.inputs)
    name, tags = birth.name(), birth.ec2_tags("launch-template")
    birth.inputs = {
        "launchTemplateData": {
            key: value
            for key, value in inputs.items()
            if key not in {"name", "tags", "updateDefaultVersion", "region", "description"}
        }
    }
    data = "launchTemplateData."
    made = birth.call(
        "ec2",
        "CreateLaunchTemplate",
        rename={
            f"{data}vpcSecurityGroupIds": "SecurityGroupIds",
            f"{data}tagSpecifications.tags": "Tags",
        },
        LaunchTemplateName=name,
        TagSpecifications=tags,
    )["LaunchTemplate"]
    template = str(made["LaunchTemplateId"])
    birth.outputs |= {
        "arn": f"arn:aws:ec2:{birth.region}:{birth.account}:launch-template/{template}",
        "latestVersion": int(made["LatestVersionNumber"]),
        "defaultVersion": int(made["DefaultVersionNumber"]),
        "name": name,
    }
    return template


def _group(birth: Birth) -> str:
    inputs, name = birth.inputs, birth.name()
    template = inputs.get("launchTemplate") or {}
    tags = [
        {
            "Key": one["key"],
            "Value": str(one["value"]),
            "PropagateAtLaunch": bool(one["propagateAtLaunch"]),
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
        }
        for one in inputs.get("tags") or []
    ]
    birth.call(
        "autoscaling",
        "CreateAutoScalingGroup",
        drop=(
            *("name", "tags", "launchTemplate", "vpcZoneIdentifiers", "targetGroupArns"),
            *("waitForCapacityTimeout", "instanceRefresh", "forceDelete", "minElbCapacity"),
        ),
        AutoScalingGroupName=name,
        Tags=tags,
        LaunchTemplate={
            "LaunchTemplateId": template["id"],
            "Version": str(template.get("version", "$Default")),
        },
        VPCZoneIdentifier=",".join(inputs["vpcZoneIdentifiers"]),
        TargetGroupARNs=list(inputs.get("targetGroupArns") or []),
    )
    found = birth.ask("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
    birth.outputs |= {"arn": found["AutoScalingGroups"][0]["AutoScalingGroupARN"], "name": name}
    return name


def _scaling_policy(birth: Birth) -> str:
    name = str(birth.inputs["name"])
    group = str(birth.inputs["autoscalingGroupName"])
    birth.call(
        "autoscaling",
        "PutScalingPolicy",
        drop=("name", "autoscalingGroupName"),
        AutoScalingGroupName=group,
        PolicyName=name,
    )
    # Asked for again: moto answers the call itself with the ARN under another name.
    found = birth.ask(
        "autoscaling", "DescribePolicies", AutoScalingGroupName=group, PolicyNames=[name]
    )
    birth.outputs |= {"arn": str(found["ScalingPolicies"][0]["PolicyARN"]), "name": name}
    return name


def _balancer(birth: Birth) -> str:
    inputs, name = birth.inputs, birth.name(limit=32)
    made = birth.call(
        "elbv2",
        "CreateLoadBalancer",
        rename={"loadBalancerType": "Type"},
        drop=(
            *("name", "internal", "enableDeletionProtection", "accessLogs"),
            *("dropInvalidHeaderFields", "idleTimeout"),
        ),
        Name=name,
        Scheme="internal" if inputs.get("internal") else "internet-facing",
    )["LoadBalancers"][0]
    arn = str(made["LoadBalancerArn"])
    logs = inputs.get("accessLogs") or {}
    wanted = {
        "deletion_protection.enabled": inputs.get("enableDeletionProtection"),
        "routing.http.drop_invalid_header_fields.enabled": inputs.get("dropInvalidHeaderFields"),
        "idle_timeout.timeout_seconds": inputs.get("idleTimeout"),
        "access_logs.s3.enabled": logs.get("enabled"),
        "access_logs.s3.bucket": logs.get("bucket"),
        "access_logs.s3.prefix": logs.get("prefix"),
    }
    _attributes(birth, "ModifyLoadBalancerAttributes", {"LoadBalancerArn": arn}, wanted)
    birth.outputs |= {
        "arn": arn,
        "arnSuffix": arn.partition(":loadbalancer/")[2],
        "dnsName": made["DNSName"],
        "zoneId": made["CanonicalHostedZoneId"],
        "name": name,
    }
    return arn


def _attributes(
    birth: Birth, operation: str, target: dict[str, str], wanted: dict[str, Any]
) -> None:
    given = [
        {"Key": key, "Value": str(value).lower() if isinstance(value, bool) else str(value)}
        for key, value in wanted.items()
        if value is not None
    ]
    if given:
        birth.ask("elbv2", operation, **target, Attributes=given)


def _target_group(birth: Birth) -> str:
    inputs, name = birth.inputs, birth.name(limit=32)
    check = dict(inputs.get("healthCheck") or {})
    names = {
        "path": "HealthCheckPath",
        "port": "HealthCheckPort",
        "protocol": "HealthCheckProtocol",
        "interval": "HealthCheckIntervalSeconds",
        "timeout": "HealthCheckTimeoutSeconds",
        "healthyThreshold": "HealthyThresholdCount",
        "unhealthyThreshold": "UnhealthyThresholdCount",
        "enabled": "HealthCheckEnabled",
    }
    probing = {names[key]: value for key, value in check.items() if key in names}
    if "matcher" in check:
        probing["Matcher"] = {"HttpCode": str(check["matcher"])}
    made = birth.call(
        "elbv2",
        "CreateTargetGroup",
        drop=("name", "healthCheck", "deregistrationDelay"),
        Name=name,
        **probing,
    )["TargetGroups"][0]
    arn = str(made["TargetGroupArn"])
    wanted = {"deregistration_delay.timeout_seconds": inputs.get("deregistrationDelay")}
    _attributes(birth, "ModifyTargetGroupAttributes", {"TargetGroupArn": arn}, wanted)
    birth.outputs |= {"arn": arn, "arnSuffix": arn.rpartition(":")[2], "name": name}
    return arn


def _listener(birth: Birth) -> str:
    inputs = birth.inputs
    certificate = inputs.get("certificateArn")
    made = birth.call(
        "elbv2",
        "CreateListener",
        rename={
            "defaultActions.redirect": "RedirectConfig",
            "defaultActions.forward": "ForwardConfig",
            "defaultActions.fixedResponse": "FixedResponseConfig",
        },
        drop=("certificateArn",),
        Certificates=[{"CertificateArn": certificate}] if certificate else None,
    )["Listeners"][0]
    birth.outputs["arn"] = made["ListenerArn"]
    return str(made["ListenerArn"])


def _function(birth: Birth) -> str:
    inputs, name = birth.inputs, birth.name(limit=64)
    variables = (inputs.get("environment") or {}).get("variables")
    made = birth.call(
        "lambda",
        "CreateFunction",
        rename={
            "kmsKeyArn": "KMSKeyArn",
            "loggingConfig.applicationLogLevel": "ApplicationLogLevel",
        },
        drop=("name", "code", "environment", "reservedConcurrentExecutions", "publish"),
        FunctionName=name,
        Code={"ZipFile": archive_of(inputs["code"])},
        Environment={"Variables": variables} if variables else None,
    )
    reserved = inputs.get("reservedConcurrentExecutions")
    if reserved is not None and int(reserved) >= 0:
        birth.ask(
            "lambda",
            "PutFunctionConcurrency",
            FunctionName=name,
            ReservedConcurrentExecutions=int(reserved),
        )
    birth.outputs |= {"arn": made["FunctionArn"], "name": name, "version": made["Version"]}
    return name


def _permission(birth: Birth) -> str:
    statement = birth.name("statementId")
    birth.call(
        "lambda",
        "AddPermission",
        rename={"function": "FunctionName"},
        drop=("statementId",),
        StatementId=statement,
    )
    return statement


def _event_invoke(birth: Birth) -> str:
    birth.call("lambda", "PutFunctionEventInvokeConfig")
    return str(birth.inputs["functionName"])


HANDLERS = {
    "autoscaling/group:Group": _group,
    "autoscaling/policy:Policy": _scaling_policy,
    "ec2/launchTemplate:LaunchTemplate": _launch_template,
    "lambda/function:Function": _function,
    "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _event_invoke,
    "lambda/permission:Permission": _permission,
    "lb/listener:Listener": _listener,
    "lb/loadBalancer:LoadBalancer": _balancer,
    "lb/targetGroup:TargetGroup": _target_group,
}
