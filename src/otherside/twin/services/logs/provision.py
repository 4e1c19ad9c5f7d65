"""Create a Pulumi program's CloudWatch Logs resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _log_group(creation: ResourceCreation) -> str:
    name = creation.name()
    creation.call(
        "logs",
        "CreateLogGroup",
        drop=("name", "retentionInDays", "skipDestroy"),
        logGroupName=name,
    )
    if creation.inputs.get("retentionInDays"):
        days = int(creation.inputs["retentionInDays"])
        creation.ask("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=days)
    arn = f"arn:aws:logs:{creation.region}:{creation.account}:log-group:{name}"
    creation.outputs |= {"arn": arn, "name": name}
    return name


def _log_stream(creation: ResourceCreation) -> str:
    creation.call("logs", "CreateLogStream", rename={"name": "logStreamName"})
    return str(creation.inputs["name"])


RESOURCE_TYPES = {
    "cloudwatch/logGroup:LogGroup": _log_group,
    "cloudwatch/logStream:LogStream": _log_stream,
}
