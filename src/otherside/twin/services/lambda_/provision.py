"""Create a Pulumi program's Lambda resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.archive import archive_of
from otherside.twin.deploy.creation import ResourceCreation


def _function(creation: ResourceCreation) -> str:
    inputs, name = creation.inputs, creation.name(limit=64)
    variables = (inputs.get("environment") or {}).get("variables")
    made = creation.call(
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
        creation.ask(
            "lambda",
            "PutFunctionConcurrency",
            FunctionName=name,
            ReservedConcurrentExecutions=int(reserved),
        )
    creation.outputs |= {"arn": made["FunctionArn"], "name": name, "version": made["Version"]}
    return name


def _permission(creation: ResourceCreation) -> str:
    statement = creation.name("statementId")
    creation.call(
        "lambda",
        "AddPermission",
        rename={"function": "FunctionName"},
        drop=("statementId",),
        StatementId=statement,
    )
    return statement


def _event_invoke(creation: ResourceCreation) -> str:
    creation.call("lambda", "PutFunctionEventInvokeConfig")
    return str(creation.inputs["functionName"])


RESOURCE_TYPES = {
    "lambda/function:Function": _function,
    "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _event_invoke,
    "lambda/permission:Permission": _permission,
}
