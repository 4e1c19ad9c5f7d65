"""Creates the Secrets Manager resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth


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


RESOURCE_TYPES = {
    "secretsmanager/secret:Secret": _secret,
    "secretsmanager/secretRotation:SecretRotation": _rotation,
    "secretsmanager/secretVersion:SecretVersion": _secret_version,
}
