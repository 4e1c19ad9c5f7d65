"""Readiness of the standby's compute: size, image, quota, certificates and keys."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from otherside.core.topology import Side
from otherside.failover.aws.aws_clients import code_of
from otherside.failover.ports import UnavailableError
from otherside.operate.readiness.model import (
    Judged,
    Readiness,
    ReadinessCheck,
    StackTarget,
    days,
    judged,
    not_ready,
)

EXPIRES_S = 30 * 86_400
STANDARD_VCPUS = "L-1216C47A"
"""`Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances`, counted in vCPUs:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html"""


def _group(target: StackTarget) -> Mapping[str, Any]:
    """Return the standby's group.

    Raises:
        UnavailableError: If there is none.
    """
    client = target.deployment.client("autoscaling", target.deployment.standby)
    found: list[Mapping[str, Any]] = client.describe_auto_scaling_groups(
        AutoScalingGroupNames=[target.settings.capacity_group]
    )["AutoScalingGroups"]
    if not found:
        msg = f"there is no Auto Scaling group {target.settings.capacity_group}"
        raise UnavailableError(msg)
    return found[0]


def _template(target: StackTarget) -> Mapping[str, Any]:
    group = _group(target)
    named = (
        group.get("LaunchTemplate")
        or (group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"])
    )
    found: Mapping[str, Any] = target.deployment.client(
        "ec2", target.deployment.standby
    ).describe_launch_template_versions(
        LaunchTemplateId=named["LaunchTemplateId"], Versions=[str(named.get("Version", "$Latest"))]
    )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return found


def _size(target: StackTarget) -> Judged:
    try:
        group, needed = _group(target), int(target.settings.capacity_min)
    except UnavailableError as error:
        return not_ready(str(error))
    working = sum(item["LifecycleState"] == "InService" for item in group["Instances"])
    good = group["MaxSize"] >= needed and working > 0
    return judged(good, f"{working} in service, at most {group['MaxSize']}, needs {needed}")


def _image(target: StackTarget) -> Judged:
    image = str(_template(target)["ImageId"])
    ec2 = target.deployment.client("ec2", target.deployment.standby)
    if image.startswith("resolve:ssm:"):
        name = image.removeprefix("resolve:ssm:")
        ssm = target.deployment.client("ssm", target.deployment.standby)
        image = str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    try:
        found = ec2.describe_images(ImageIds=[image])["Images"]
    except ClientError as error:
        if not code_of(error).startswith("InvalidAMIID"):
            raise
        found = []
    state = str(found[0].get("State", "available")) if found else "not there"
    return judged(state == "available", f"{image} is {state} in {target.deployment.standby}")


def _quota(target: StackTarget) -> Judged:
    region, needed = target.deployment.standby, int(target.settings.capacity_min)
    kind = str(_template(target)["InstanceType"])
    ec2 = target.deployment.client("ec2", region)
    known = ec2.describe_instance_types(InstanceTypes=[kind])["InstanceTypes"][0]
    vcpus = needed * int(known["VCpuInfo"]["DefaultVCpus"])
    quota = target.deployment.client("service-quotas", region).get_service_quota(
        ServiceCode="ec2", QuotaCode=STANDARD_VCPUS
    )["Quota"]["Value"]
    found = f"{quota:g} vCPUs in {region}; {needed} of {kind} need {vcpus}, beside all else there"
    return judged(quota >= vcpus, found)


def _certificates(target: StackTarget) -> Judged:
    soonest: dict[str, float] = {}
    bad: list[str] = []
    for side in Side:
        region = target.deployment.region(side)
        acm = target.deployment.client("acm", region)
        for arn in _served(target, region):
            known = acm.describe_certificate(CertificateArn=arn)["Certificate"]
            left_s = known["NotAfter"].timestamp() - target.now_s
            soonest[region] = min(left_s, soonest.get(region, left_s))
            if known["Status"] != "ISSUED" or left_s < EXPIRES_S:
                bad.append(f"{region}: {known['Status']}, {days(left_s)} left")
    if bad:
        return not_ready("; ".join(bad))
    valid = ", ".join(f"{region} {days(left_s)}" for region, left_s in soonest.items())
    return (
        Readiness.READY,
        f"valid for another {valid}" if valid else "no listener has a certificate",
    )


def _served(target: StackTarget, region: str) -> Iterator[str]:
    """Yield the certificates of the listeners of our load balancers in a Region."""
    elb = target.deployment.client("elbv2", region)
    for page in elb.get_paginator("describe_load_balancers").paginate():
        for balancer in page["LoadBalancers"]:
            if not str(balancer["LoadBalancerName"]).startswith(target.deployment.application):
                continue
            listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])
            for listener in listeners["Listeners"]:
                for certificate in listener.get("Certificates") or ():
                    yield str(certificate["CertificateArn"])


def _keys(target: StackTarget) -> Judged:
    bad: list[str] = []
    count = 0
    for side in Side:
        region = target.deployment.region(side)
        kms = target.deployment.client("kms", region)
        for page in kms.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                name = str(alias["AliasName"])
                if not name.startswith(f"alias/{target.deployment.application}-"):
                    continue
                count += 1
                state = kms.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["KeyState"]
                if state != "Enabled":
                    bad.append(f"{name} in {region} is {state}")
    return judged(not bad and count > 0, "; ".join(bad) or f"{count} keys are enabled")


CHECKS: tuple[ReadinessCheck[StackTarget], ...] = (
    ReadinessCheck(
        code="standby-capacity",
        title="The standby may grow to the size that serves everyone",
        why="The orchestrator raises the minimum, and the group's maximum would stop it.",
        remedy="Raise the maximum size of the standby's group.",
        ask=_size,
    ),
    ReadinessCheck(
        code="standby-image",
        title="The image that new instances boot is there in the standby's Region",
        why="Instances that cannot start serve nobody, and nothing shows it before.",
        remedy="Copy the image to the standby's Region, and update the launch template.",
        ask=_image,
    ),
    ReadinessCheck(
        code="standby-quota",
        title="The standby's Region has the quota for its full capacity",
        why="EC2 refuses to start more instances than the account's quota allows.",
        remedy="Ask Service Quotas for as much in the standby's Region as in the primary's.",
        ask=_quota,
        on_twin=False,
    ),
    ReadinessCheck(
        code="certificates",
        title="Both sides' certificates are valid for another month",
        why="An expired certificate on the standby shows on the day of the failover.",
        remedy="Renew it; a certificate validated by DNS renews itself while its record is there.",
        ask=_certificates,
    ),
    ReadinessCheck(
        code="keys",
        title="Both sides' KMS keys are enabled",
        why="Data under a disabled key cannot be read, and a cluster under it does not start.",
        remedy="Enable the key, or cancel its deletion.",
        ask=_keys,
    ),
)
