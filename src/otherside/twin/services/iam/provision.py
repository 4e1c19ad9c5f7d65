"""Creates the IAM resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth


def _role(birth: Birth) -> str:
    name = birth.name(limit=64)
    made = birth.call(
        "iam",
        "CreateRole",
        rename={"assumeRolePolicy": "AssumeRolePolicyDocument"},
        drop=("name", "managedPolicyArns"),
        RoleName=name,
    )["Role"]
    for arn in birth.inputs.get("managedPolicyArns") or []:
        birth.ask("iam", "AttachRolePolicy", RoleName=name, PolicyArn=arn)
    birth.outputs |= {"arn": made["Arn"], "name": name, "uniqueId": made["RoleId"]}
    return name


def _role_policy(birth: Birth) -> str:
    name, role = birth.name(), birth.inputs["role"]
    birth.call(
        "iam",
        "PutRolePolicy",
        rename={"policy": "PolicyDocument", "role": "RoleName"},
        drop=("name",),
        PolicyName=name,
    )
    return f"{role}:{name}"


def _attachment(birth: Birth) -> str:
    birth.call("iam", "AttachRolePolicy", rename={"role": "RoleName"})
    return f"{birth.inputs['role']}-{birth.inputs['policyArn']}"


def _profile(birth: Birth) -> str:
    name = birth.name()
    made = birth.call(
        "iam", "CreateInstanceProfile", drop=("name", "role"), InstanceProfileName=name
    )
    if birth.inputs.get("role"):
        role = birth.inputs["role"]
        birth.ask("iam", "AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=role)
    birth.outputs |= {"arn": made["InstanceProfile"]["Arn"], "name": name}
    return name


def _policy(birth: Birth) -> str:
    made = birth.call(
        "iam",
        "CreatePolicy",
        rename={"policy": "PolicyDocument"},
        drop=("name",),
        PolicyName=birth.name(),
    )
    birth.outputs |= {"arn": made["Policy"]["Arn"], "name": birth.name()}
    return str(made["Policy"]["Arn"])


RESOURCE_TYPES = {
    "iam/instanceProfile:InstanceProfile": _profile,
    "iam/policy:Policy": _policy,
    "iam/role:Role": _role,
    "iam/rolePolicy:RolePolicy": _role_policy,
    "iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
}
