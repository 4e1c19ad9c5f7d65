"""Create a Pulumi program's Auto Scaling resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _group(creation: ResourceCreation) -> str:
    inputs, name = creation.inputs, creation.name()
    template = inputs.get("launchTemplate") or {}
    tags = [
        {
            "Key": tag["key"],
            "Value": str(tag["value"]),
            "PropagateAtLaunch": bool(tag["propagateAtLaunch"]),
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
        }
        for tag in inputs.get("tags") or []
    ]
    creation.call(
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
    found = creation.ask("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
    creation.outputs |= {"arn": found["AutoScalingGroups"][0]["AutoScalingGroupARN"], "name": name}
    return name


def _scaling_policy(creation: ResourceCreation) -> str:
    name = str(creation.inputs["name"])
    group = str(creation.inputs["autoscalingGroupName"])
    creation.call(
        "autoscaling",
        "PutScalingPolicy",
        drop=("name", "autoscalingGroupName"),
        AutoScalingGroupName=group,
        PolicyName=name,
    )
    # Read the policy back: moto's own answer has the ARN under another name.
    found = creation.ask(
        "autoscaling", "DescribePolicies", AutoScalingGroupName=group, PolicyNames=[name]
    )
    creation.outputs |= {"arn": str(found["ScalingPolicies"][0]["PolicyARN"]), "name": name}
    return name


RESOURCE_TYPES = {
    "autoscaling/group:Group": _group,
    "autoscaling/policy:Policy": _scaling_policy,
}
