"""Watching: alarms, dashboards, logs, metric streams and what carries them away."""

from otherside.twin.deploy.creation import Birth


def _alarm(birth: Birth) -> str:
    name = birth.name()
    dimensions = [
        {"Name": key, "Value": str(value)}
        for key, value in (birth.inputs.get("dimensions") or {}).items()
    ]
    birth.call(
        "cloudwatch",
        "PutMetricAlarm",
        rename={"insufficientDataActions": "InsufficientDataActions"},
        drop=("name", "dimensions"),
        AlarmName=name,
        Dimensions=dimensions,
    )
    arn = f"arn:aws:cloudwatch:{birth.region}:{birth.account}:alarm:{name}"
    birth.outputs |= {"arn": arn, "name": name}
    return name


def _composite(birth: Birth) -> str:
    name = birth.name("alarmName")
    suppressor = birth.inputs.get("actionsSuppressor") or {}
    birth.call(
        "cloudwatch",
        "PutCompositeAlarm",
        drop=("alarmName", "actionsSuppressor"),
        AlarmName=name,
        ActionsSuppressor=suppressor.get("alarm"),
        ActionsSuppressorExtensionPeriod=suppressor.get("extensionPeriod"),
        ActionsSuppressorWaitPeriod=suppressor.get("waitPeriod"),
    )
    birth.outputs["arn"] = f"arn:aws:cloudwatch:{birth.region}:{birth.account}:alarm:{name}"
    return name


def _dashboard(birth: Birth) -> str:
    made = birth.call("cloudwatch", "PutDashboard")
    if made.get("DashboardValidationMessages"):
        raise ValueError(str(made["DashboardValidationMessages"][0]["Message"]))
    return str(birth.inputs["dashboardName"])


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


def _stream(birth: Birth) -> str:
    made = birth.call("cloudwatch", "PutMetricStream")
    birth.outputs |= {"arn": made["Arn"], "name": birth.inputs["name"], "state": "running"}
    return str(birth.inputs["name"])


def _firehose(birth: Birth) -> str:
    inputs, name = birth.inputs, birth.name()
    s3 = "extendedS3Configuration"
    sse = inputs.get("serverSideEncryption") or {}
    encryption = None
    if sse.get("enabled"):
        encryption = {"KeyType": sse.get("keyType", "AWS_OWNED_CMK")}
        if sse.get("keyArn"):
            encryption["KeyARN"] = sse["keyArn"]
    configuration = dict(inputs.get(s3) or {})
    key = configuration.pop("kmsKeyArn", None)
    birth.inputs = {**inputs, s3: configuration}
    if key:
        configuration["encryptionConfiguration"] = {"kMSEncryptionConfig": {"aWSKMSKeyARN": key}}
    made = birth.call(
        "firehose",
        "CreateDeliveryStream",
        rename={
            s3: "ExtendedS3DestinationConfiguration",
            f"{s3}.cloudwatchLoggingOptions": "CloudWatchLoggingOptions",
            f"{s3}.bufferingInterval": "BufferingHints",
        },
        drop=(
            *("name", "destination", "serverSideEncryption"),
            *(f"{s3}.bufferingInterval", f"{s3}.bufferingSize"),
        ),
        DeliveryStreamName=name,
        DeliveryStreamEncryptionConfigurationInput=encryption,
    )
    _hints(birth, name, configuration)
    birth.outputs |= {"arn": made["DeliveryStreamARN"], "name": name}
    return str(made["DeliveryStreamARN"])


def _hints(birth: Birth, name: str, configuration: dict[str, object]) -> None:
    """Set how much is kept back, which the provider has beside the other inputs."""
    hints = {
        api: int(str(configuration[key]))
        for key, api in (("bufferingInterval", "IntervalInSeconds"), ("bufferingSize", "SizeInMBs"))
        if configuration.get(key) is not None
    }
    if not hints:
        return
    found = birth.ask("firehose", "DescribeDeliveryStream", DeliveryStreamName=name)
    description = found["DeliveryStreamDescription"]
    birth.ask(
        "firehose",
        "UpdateDestination",
        DeliveryStreamName=name,
        CurrentDeliveryStreamVersionId=description["VersionId"],
        DestinationId=description["Destinations"][0]["DestinationId"],
        ExtendedS3DestinationUpdate={"BufferingHints": hints},
    )


HANDLERS = {
    "cloudwatch/compositeAlarm:CompositeAlarm": _composite,
    "cloudwatch/dashboard:Dashboard": _dashboard,
    "cloudwatch/logGroup:LogGroup": _log_group,
    "cloudwatch/logStream:LogStream": _log_stream,
    "cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "cloudwatch/metricStream:MetricStream": _stream,
    "kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": _firehose,
}
