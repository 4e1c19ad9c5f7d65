"""Creates the CloudWatch Logs resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth


def _log_group(birth: Birth) -> str:
    name = birth.name()
    birth.call(
        "logs",
        "CreateLogGroup",
        drop=("name", "retentionInDays", "skipDestroy"),
        logGroupName=name,
    )
    if birth.inputs.get("retentionInDays"):
        days = int(birth.inputs["retentionInDays"])
        birth.ask("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=days)
    arn = f"arn:aws:logs:{birth.region}:{birth.account}:log-group:{name}"
    birth.outputs |= {"arn": arn, "name": name}
    return name


def _log_stream(birth: Birth) -> str:
    birth.call("logs", "CreateLogStream", rename={"name": "logStreamName"})
    return str(birth.inputs["name"])


RESOURCE_TYPES = {
    "cloudwatch/logGroup:LogGroup": _log_group,
    "cloudwatch/logStream:LogStream": _log_stream,
}
