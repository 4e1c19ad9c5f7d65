"""Creates the CloudWatch resources of a program, as Pulumi's AWS provider would."""

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


def _stream(birth: Birth) -> str:
    made = birth.call("cloudwatch", "PutMetricStream")
    birth.outputs |= {"arn": made["Arn"], "name": birth.inputs["name"], "state": "running"}
    return str(birth.inputs["name"])


RESOURCE_TYPES = {
    "cloudwatch/compositeAlarm:CompositeAlarm": _composite,
    "cloudwatch/dashboard:Dashboard": _dashboard,
    "cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "cloudwatch/metricStream:MetricStream": _stream,
}
