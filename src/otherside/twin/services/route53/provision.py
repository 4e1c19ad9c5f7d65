"""Create a Pulumi program's Route 53 resources, as Pulumi's AWS provider would."""

import uuid
from typing import TYPE_CHECKING

from otherside.twin.deploy.creation import ResourceCreation

if TYPE_CHECKING:
    from otherside.twin.json_types import JsonObject


def _zone(creation: ResourceCreation) -> str:
    comment = creation.inputs.get("comment", "")
    made = creation.call(
        "route53",
        "CreateHostedZone",
        drop=("comment", "forceDestroy", "enableAcceleratedRecovery"),
        CallerReference=creation.declared.urn[-128:],
        HostedZoneConfig={"Comment": comment, "PrivateZone": False},
    )
    zone = str(made["HostedZone"]["Id"]).rpartition("/")[2]
    creation.outputs |= {
        "zoneId": zone,
        "arn": f"arn:aws:route53:::hostedzone/{zone}",
        "nameServers": list(made.get("DelegationSet", {}).get("NameServers") or []),
    }
    return zone


def _record(creation: ResourceCreation) -> str:
    inputs = creation.inputs
    record: JsonObject = {"Name": inputs["name"], "Type": str(inputs["type"])}
    if inputs.get("aliases"):
        alias = inputs["aliases"][0]
        record["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": bool(alias["evaluateTargetHealth"]),
        }
    else:
        record["TTL"] = int(inputs.get("ttl", 300))
        text = record["Type"] in {"TXT", "SPF"}  # the provider puts these between quotation marks
        record["ResourceRecords"] = [
            {"Value": f'"{value}"' if text else str(value)} for value in inputs.get("records") or []
        ]
    for key, name in (("setIdentifier", "SetIdentifier"), ("healthCheckId", "HealthCheckId")):
        if inputs.get(key):
            record[name] = inputs[key]
    for key, (inside, name, kind) in {
        "failoverRoutingPolicies": ("type", "Failover", str),
        "weightedRoutingPolicies": ("weight", "Weight", int),
        "latencyRoutingPolicies": ("region", "Region", str),
    }.items():
        if inputs.get(key):
            record[name] = kind(inputs[key][0][inside])
    known = {
        *("name", "type", "ttl", "records", "aliases", "setIdentifier", "healthCheckId", "zoneId"),
        *("failoverRoutingPolicies", "weightedRoutingPolicies", "latencyRoutingPolicies"),
        *("allowOverwrite", "region", "tags"),
    }
    unknown = set(inputs) - known
    if unknown:
        msg = f"the twin does not honour {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    action = "UPSERT" if inputs.get("allowOverwrite") else "CREATE"
    creation.ask(
        "route53",
        "ChangeResourceRecordSets",
        HostedZoneId=inputs["zoneId"],
        ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
    )
    creation.outputs["fqdn"] = str(inputs["name"]).rstrip(".")
    own = f"_{inputs['setIdentifier']}" if inputs.get("setIdentifier") else ""
    return f"{inputs['zoneId']}_{inputs['name']}_{inputs['type']}{own}"


def _health_check(creation: ResourceCreation) -> str:
    inputs = dict(creation.inputs)
    alarm = {
        name: inputs.pop(key)
        for key, name in (("cloudwatchAlarmName", "Name"), ("cloudwatchAlarmRegion", "Region"))
        if key in inputs
    }
    for noise in ("tags", "triggers", "referenceName", "region"):
        inputs.pop(noise, None)
    if alarm:
        inputs["alarmIdentifier"] = alarm
    creation.inputs = {"healthCheckConfig": inputs}
    under = "healthCheckConfig."
    made = creation.call(
        "route53",
        "CreateHealthCheck",
        rename={
            f"{under}fqdn": "FullyQualifiedDomainName",
            f"{under}ipAddress": "IPAddress",
            f"{under}invertHealthcheck": "Inverted",
            f"{under}childHealthchecks": "ChildHealthChecks",
            f"{under}childHealthThreshold": "HealthThreshold",
            f"{under}enableSni": "EnableSNI",
        },
        CallerReference=str(uuid.uuid4()),
    )
    check = str(made["HealthCheck"]["Id"])
    creation.outputs["arn"] = f"arn:aws:route53:::healthcheck/{check}"
    return check


RESOURCE_TYPES = {
    "route53/healthCheck:HealthCheck": _health_check,
    "route53/record:Record": _record,
    "route53/zone:Zone": _zone,
}
