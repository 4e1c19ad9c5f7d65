"""Create a Pulumi program's Secrets Manager resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _secret(creation: ResourceCreation) -> str:
    made = creation.call(
        "secretsmanager",
        "CreateSecret",
        rename={"replicas": "AddReplicaRegions"},
        drop=("name", "recoveryWindowInDays"),
        Name=creation.name(),
    )
    creation.outputs |= {"arn": made["ARN"], "name": creation.name()}
    return str(made["ARN"])


def _secret_version(creation: ResourceCreation) -> str:
    given = creation.inputs.get("secretStringWo", creation.inputs.get("secretString"))
    made = creation.ask(
        "secretsmanager", "PutSecretValue", SecretId=creation.inputs["secretId"], SecretString=given
    )
    creation.outputs |= {"arn": made["ARN"], "versionId": made["VersionId"]}
    return f"{creation.inputs['secretId']}|{made['VersionId']}"


def _rotation(creation: ResourceCreation) -> str:
    made = creation.call(
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
