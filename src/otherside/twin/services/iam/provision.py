"""Create a Pulumi program's IAM resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _role(creation: ResourceCreation) -> str:
    name = creation.name(limit=64)
    made = creation.call(
        "iam",
        "CreateRole",
        rename={"assumeRolePolicy": "AssumeRolePolicyDocument"},
        drop=("name", "managedPolicyArns"),
        RoleName=name,
    )["Role"]
    for arn in creation.inputs.get("managedPolicyArns") or []:
        creation.ask("iam", "AttachRolePolicy", RoleName=name, PolicyArn=arn)
    creation.outputs |= {"arn": made["Arn"], "name": name, "uniqueId": made["RoleId"]}
    return name


def _role_policy(creation: ResourceCreation) -> str:
    name, role = creation.name(), creation.inputs["role"]
    creation.call(
        "iam",
        "PutRolePolicy",
        rename={"policy": "PolicyDocument", "role": "RoleName"},
        drop=("name",),
        PolicyName=name,
    )
    return f"{role}:{name}"


def _attachment(creation: ResourceCreation) -> str:
    creation.call("iam", "AttachRolePolicy", rename={"role": "RoleName"})
    return f"{creation.inputs['role']}-{creation.inputs['policyArn']}"


def _profile(creation: ResourceCreation) -> str:
    name = creation.name()
    made = creation.call(
        "iam", "CreateInstanceProfile", drop=("name", "role"), InstanceProfileName=name
    )
    if creation.inputs.get("role"):
        role = creation.inputs["role"]
        creation.ask("iam", "AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=role)
    creation.outputs |= {"arn": made["InstanceProfile"]["Arn"], "name": name}
    return name


def _policy(creation: ResourceCreation) -> str:
    made = creation.call(
        "iam",
        "CreatePolicy",
        rename={"policy": "PolicyDocument"},
        drop=("name",),
        PolicyName=creation.name(),
    )
    creation.outputs |= {"arn": made["Policy"]["Arn"], "name": creation.name()}
    return str(made["Policy"]["Arn"])


RESOURCE_TYPES = {
    "iam/instanceProfile:InstanceProfile": _profile,
    "iam/policy:Policy": _policy,
    "iam/role:Role": _role,
    "iam/rolePolicy:RolePolicy": _role_policy,
    "iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
}
