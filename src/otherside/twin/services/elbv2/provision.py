"""Create a Pulumi program's Elastic Load Balancing resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation
from otherside.twin.json_types import JsonObject


def _balancer(creation: ResourceCreation) -> str:
    inputs, name = creation.inputs, creation.name(limit=32)
    made = creation.call(
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
    _attributes(creation, "ModifyLoadBalancerAttributes", {"LoadBalancerArn": arn}, wanted)
    creation.outputs |= {
        "arn": arn,
        "arnSuffix": arn.partition(":loadbalancer/")[2],
        "dnsName": made["DNSName"],
        "zoneId": made["CanonicalHostedZoneId"],
        "name": name,
    }
    return arn


def _attributes(
    creation: ResourceCreation, operation: str, target: dict[str, str], wanted: JsonObject
) -> None:
    given = [
        {"Key": key, "Value": str(value).lower() if isinstance(value, bool) else str(value)}
        for key, value in wanted.items()
        if value is not None
    ]
    if given:
        creation.ask("elbv2", operation, **target, Attributes=given)


def _target_group(creation: ResourceCreation) -> str:
    inputs, name = creation.inputs, creation.name(limit=32)
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
    made = creation.call(
        "elbv2",
        "CreateTargetGroup",
        drop=("name", "healthCheck", "deregistrationDelay"),
        Name=name,
        **probing,
    )["TargetGroups"][0]
    arn = str(made["TargetGroupArn"])
    wanted = {"deregistration_delay.timeout_seconds": inputs.get("deregistrationDelay")}
    _attributes(creation, "ModifyTargetGroupAttributes", {"TargetGroupArn": arn}, wanted)
    creation.outputs |= {"arn": arn, "arnSuffix": arn.rpartition(":")[2], "name": name}
    return arn


def _listener(creation: ResourceCreation) -> str:
    inputs = creation.inputs
    certificate = inputs.get("certificateArn")
    made = creation.call(
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
    creation.outputs["arn"] = made["ListenerArn"]
    return str(made["ListenerArn"])


RESOURCE_TYPES = {
    "lb/listener:Listener": _listener,
    "lb/loadBalancer:LoadBalancer": _balancer,
    "lb/targetGroup:TargetGroup": _target_group,
}
