"""Creates the EventBridge resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth


def _bus(birth: Birth) -> str:
    made = birth.call("events", "CreateEventBus")
    birth.outputs |= {"arn": made["EventBusArn"], "name": birth.inputs["name"]}
    return str(birth.inputs["name"])


def _bus_policy(birth: Birth) -> str:
    birth.call("events", "PutPermission")
    return str(birth.inputs.get("eventBusName", "default"))


def _rule(birth: Birth) -> str:
    name = birth.name()
    made = birth.call("events", "PutRule", drop=("name", "forceDestroy"), Name=name)
    birth.outputs |= {"arn": made["RuleArn"], "name": name}
    return name


def _target(birth: Birth) -> str:
    inputs = birth.inputs
    target = {
        key: value
        for key, value in inputs.items()
        if key not in {"rule", "eventBusName", "targetId", "region", "tags", "forceDestroy"}
    }
    name = birth.name("targetId")
    birth.inputs = {
        "rule": inputs["rule"],
        "eventBusName": inputs.get("eventBusName"),
        "targets": [{**target, "id": name}],
    }
    made = birth.call("events", "PutTargets")
    if made.get("FailedEntryCount"):
        raise ValueError(made["FailedEntries"][0]["ErrorMessage"])
    return f"{inputs['rule']}-{name}"


RESOURCE_TYPES = {
    "cloudwatch/eventBus:EventBus": _bus,
    "cloudwatch/eventBusPolicy:EventBusPolicy": _bus_policy,
    "cloudwatch/eventRule:EventRule": _rule,
    "cloudwatch/eventTarget:EventTarget": _target,
}
