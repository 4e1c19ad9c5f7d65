"""Create a Pulumi program's CloudWatch resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _alarm(creation: ResourceCreation) -> str:
    name = creation.name()
    dimensions = [
        {"Name": key, "Value": str(value)}
        for key, value in (creation.inputs.get("dimensions") or {}).items()
    ]
    creation.call(
        "cloudwatch",
        "PutMetricAlarm",
        rename={"insufficientDataActions": "InsufficientDataActions"},
        drop=("name", "dimensions"),
        AlarmName=name,
        Dimensions=dimensions,
    )
    arn = f"arn:aws:cloudwatch:{creation.region}:{creation.account}:alarm:{name}"
    creation.outputs |= {"arn": arn, "name": name}
    return name


def _composite(creation: ResourceCreation) -> str:
    name = creation.name("alarmName")
    suppressor = creation.inputs.get("actionsSuppressor") or {}
    creation.call(
        "cloudwatch",
        "PutCompositeAlarm",
        drop=("alarmName", "actionsSuppressor"),
        AlarmName=name,
        ActionsSuppressor=suppressor.get("alarm"),
        ActionsSuppressorExtensionPeriod=suppressor.get("extensionPeriod"),
        ActionsSuppressorWaitPeriod=suppressor.get("waitPeriod"),
    )
    creation.outputs["arn"] = (
        f"arn:aws:cloudwatch:{creation.region}:{creation.account}:alarm:{name}"
    )
    return name


def _dashboard(creation: ResourceCreation) -> str:
    made = creation.call("cloudwatch", "PutDashboard")
    if made.get("DashboardValidationMessages"):
        raise ValueError(str(made["DashboardValidationMessages"][0]["Message"]))
    return str(creation.inputs["dashboardName"])


def _stream(creation: ResourceCreation) -> str:
    made = creation.call("cloudwatch", "PutMetricStream")
    creation.outputs |= {"arn": made["Arn"], "name": creation.inputs["name"], "state": "running"}
    return str(creation.inputs["name"])


RESOURCE_TYPES = {
    "cloudwatch/compositeAlarm:CompositeAlarm": _composite,
    "cloudwatch/dashboard:Dashboard": _dashboard,
    "cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "cloudwatch/metricStream:MetricStream": _stream,
}
