"""Identity and secrets: roles, keys, secrets, certificates."""

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


def _key(birth: Birth) -> str:
    inputs = birth.inputs
    made = birth.call(
        "kms",
        "CreateKey",
        drop=("enableKeyRotation", "rotationPeriodInDays", "deletionWindowInDays"),
        Tags=[{"TagKey": k, "TagValue": v} for k, v in birth.tags.items()],
    )["KeyMetadata"]
    key = str(made["KeyId"])
    if inputs.get("enableKeyRotation"):
        days = inputs.get("rotationPeriodInDays")
        period = {"RotationPeriodInDays": int(days)} if days else {}
        birth.ask("kms", "EnableKeyRotation", KeyId=key, **period)
    birth.outputs |= {"arn": made["Arn"], "keyId": key}
    return key


def _replica_key(birth: Birth) -> str:
    primary = str(birth.inputs["primaryKeyArn"])
    client = birth.clients.get("kms", primary.split(":")[3])
    found = client.replicate_key(
        KeyId=primary,
        ReplicaRegion=birth.region,
        **({"Policy": birth.inputs["policy"]} if birth.inputs.get("policy") else {}),
    )["ReplicaKeyMetadata"]
    birth.outputs |= {"arn": found["Arn"], "keyId": found["KeyId"]}
    return str(found["KeyId"])


def _alias(birth: Birth) -> str:
    birth.call("kms", "CreateAlias", rename={"name": "AliasName"})
    name = str(birth.inputs["name"])
    birth.outputs["arn"] = f"arn:aws:kms:{birth.region}:{birth.account}:{name}"
    return name


def _secret(birth: Birth) -> str:
    made = birth.call(
        "secretsmanager",
        "CreateSecret",
        rename={"replicas": "AddReplicaRegions"},
        drop=("name", "recoveryWindowInDays"),
        Name=birth.name(),
    )
    birth.outputs |= {"arn": made["ARN"], "name": birth.name()}
    return str(made["ARN"])


def _secret_version(birth: Birth) -> str:
    given = birth.inputs.get("secretStringWo", birth.inputs.get("secretString"))
    made = birth.ask(
        "secretsmanager", "PutSecretValue", SecretId=birth.inputs["secretId"], SecretString=given
    )
    birth.outputs |= {"arn": made["ARN"], "versionId": made["VersionId"]}
    return f"{birth.inputs['secretId']}|{made['VersionId']}"


def _rotation(birth: Birth) -> str:
    made = birth.call(
        "secretsmanager",
        "RotateSecret",
        rename={"rotationLambdaArn": "RotationLambdaARN"},
    )
    return str(made["ARN"])


def _certificate(birth: Birth) -> str:
    made = birth.call("acm", "RequestCertificate")
    arn = str(made["CertificateArn"])
    found = birth.ask("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
    options = [
        {
            "domainName": one["DomainName"],
            "resourceRecordName": one["ResourceRecord"]["Name"],
            "resourceRecordType": one["ResourceRecord"]["Type"],
            "resourceRecordValue": one["ResourceRecord"]["Value"],
        }
        for one in found["DomainValidationOptions"]
    ]
    birth.outputs |= {"arn": arn, "domainValidationOptions": options}
    return arn


def _validation(birth: Birth) -> str:
    return str(birth.inputs["certificateArn"])


HANDLERS = {
    "acm/certificate:Certificate": _certificate,
    "acm/certificateValidation:CertificateValidation": _validation,
    "iam/instanceProfile:InstanceProfile": _profile,
    "iam/policy:Policy": _policy,
    "iam/role:Role": _role,
    "iam/rolePolicy:RolePolicy": _role_policy,
    "iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
    "kms/alias:Alias": _alias,
    "kms/key:Key": _key,
    "kms/replicaKey:ReplicaKey": _replica_key,
    "secretsmanager/secret:Secret": _secret,
    "secretsmanager/secretRotation:SecretRotation": _rotation,
    "secretsmanager/secretVersion:SecretVersion": _secret_version,
}
