"""Create a Pulumi program's EventBridge resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _event_bridge(creation: ResourceCreation) -> str:
    made = creation.call("events", "CreateEventBus")
    creation.outputs |= {"arn": made["EventBusArn"], "name": creation.inputs["name"]}
    return str(creation.inputs["name"])


def _bus_policy(creation: ResourceCreation) -> str:
    creation.call("events", "PutPermission")
    return str(creation.inputs.get("eventBusName", "default"))


def _rule(creation: ResourceCreation) -> str:
    name = creation.name()
    made = creation.call("events", "PutRule", drop=("name", "forceDestroy"), Name=name)
    creation.outputs |= {"arn": made["RuleArn"], "name": name}
    return name


def _target(creation: ResourceCreation) -> str:
    inputs = creation.inputs
    target = {
        key: value
        for key, value in inputs.items()
        if key not in {"rule", "eventBusName", "targetId", "region", "tags", "forceDestroy"}
    }
    name = creation.name("targetId")
    creation.inputs = {
        "rule": inputs["rule"],
        "eventBusName": inputs.get("eventBusName"),
        "targets": [{**target, "id": name}],
    }
    made = creation.call("events", "PutTargets")
    if made.get("FailedEntryCount"):
        raise ValueError(made["FailedEntries"][0]["ErrorMessage"])
    return f"{inputs['rule']}-{name}"


RESOURCE_TYPES = {
    "cloudwatch/eventBus:EventBus": _event_bridge,
    "cloudwatch/eventBusPolicy:EventBusPolicy": _bus_policy,
    "cloudwatch/eventRule:EventRule": _rule,
    "cloudwatch/eventTarget:EventTarget": _target,
}
