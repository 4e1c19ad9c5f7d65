"""Route 53's control plane where moto differs: full health checks, and what a record may name."""

import datetime as dt
import ipaddress
import uuid
from typing import TYPE_CHECKING, Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.services.base import ServiceProvider, api_error, operation
from otherside.twin.services.route53.change_batch import RefusedBatchError, apply_batch, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

CHILDREN_MAX = 256
REGIONS_MIN = 3
THRESHOLD_MAX = 10
INTERVALS = (10, 30)
IMMUTABLE = ("Type", "RequestInterval", "MeasureLatency")


class Route53Provider(ServiceProvider):
    """Health checks with their whole configuration; moto drops half of it."""

    def __init__(self, context: TwinContext) -> None:
        self._context = context
        self.configurations: dict[str, JsonObject] = {}
        self._references: dict[str, str] = {}
        """The check that each caller reference made, also of one that is gone."""
        self._versions: dict[str, int] = {}
        self.reports: Callable[[str], list[JsonObject]] = lambda _identifier: []
        """Set by the checkers: returns what they report for a check."""

    @operation("route53", "CreateHealthCheck")
    def create(self, _call: ApiCall, params: Params) -> JsonObject:
        """Create a check and store its whole configuration."""
        config = dict(params["HealthCheckConfig"])
        config["ChildHealthChecks"] = list(config.get("ChildHealthChecks") or [])
        self._validate(config)
        backend = moto_backend.route53(self._context.account)
        reference = str(params["CallerReference"])
        before = self._references.get(reference)
        if before is not None:
            return self._again(before, config)
        made = backend.create_health_check(reference, _for_moto(config))
        self.configurations[made.id] = config
        self._references[reference], self._versions[made.id] = made.id, 1
        return {"HealthCheck": self._describe(made.id), "Location": f"/healthcheck/{made.id}"}

    def _again(self, identifier: str, config: JsonObject) -> JsonObject:
        """Answer a repeated request: the check that it made, if that is still the same one."""
        if self.configurations.get(identifier) != config:
            message = "A health check with the same caller reference was created before."
            raise api_error("HealthCheckAlreadyExists", message, status=409)
        found = {"HealthCheck": self._describe(identifier)}
        return {**found, "Location": f"/healthcheck/{identifier}"}

    @operation("route53", "GetHealthCheck")
    def get(self, _call: ApiCall, params: Params) -> JsonObject:
        """Describe a check."""
        return {"HealthCheck": self._describe(params["HealthCheckId"])}

    @operation("route53", "ListHealthChecks")
    def list_all(self, _call: ApiCall, _params: Params) -> JsonObject:
        """Describe every check."""
        found = [self._describe(configuration) for configuration in self.configurations]
        return {"HealthChecks": found, "Marker": "", "IsTruncated": False, "MaxItems": "1000"}

    @operation("route53", "UpdateHealthCheck")
    def update(self, _call: ApiCall, params: Params) -> JsonObject:
        """Change a check; settings that can never change are not part of the call."""
        identifier = params["HealthCheckId"]
        config = dict(self._config(identifier))
        expected = params.get("HealthCheckVersion")
        if expected is not None and int(expected) != self._versions[identifier]:
            message = f"The version {expected} is not the check's, {self._versions[identifier]}"
            raise api_error("HealthCheckVersionMismatch", message, 409)
        named = {"HealthCheckId", "HealthCheckVersion"}
        known = {key: value for key, value in params.items() if key not in named}
        for key in IMMUTABLE:
            known.pop(key, None)
        config |= known
        self._validate(config)
        self.configurations[identifier] = config
        self._versions[identifier] += 1
        return {"HealthCheck": self._describe(identifier)}

    @operation("route53", "DeleteHealthCheck")
    def delete(self, _call: ApiCall, params: Params) -> JsonObject:
        """Delete a check."""
        self._config(params["HealthCheckId"])
        del self.configurations[params["HealthCheckId"]]
        return {}

    @operation("route53", "GetHealthCheckStatus")
    def status(self, _call: ApiCall, params: Params) -> JsonObject:
        """Return each checker's report."""
        self._config(params["HealthCheckId"])
        return {"HealthCheckObservations": self.reports(params["HealthCheckId"])}

    @operation("route53", "CreateHostedZone")
    def create_zone(self, _call: ApiCall, params: Params) -> None:
        """Refuse a caller reference that was used before, and leave the rest to moto."""
        zones = moto_backend.route53(self._context.account).zones.values()
        if any(zone.caller_reference == params["CallerReference"] for zone in zones):
            message = "A hosted zone has already been created with the specified caller reference."
            raise api_error("HostedZoneAlreadyExists", message, 409)
        raise LeaveToMotoError

    @operation("route53", "ChangeResourceRecordSets")
    def change(self, _call: ApiCall, params: Params) -> JsonObject:
        """Make a whole change batch, or refuse it."""
        changes = params["ChangeBatch"]["Changes"]
        for change in changes:
            check = change["ResourceRecordSet"].get("HealthCheckId")
            if check and check not in self.configurations and change["Action"] != "DELETE":
                message = f"No health check exists with id: {check}"
                raise api_error("InvalidChangeBatch", message)
        identifier = str(params["HostedZoneId"]).rpartition("/")[2]
        zone = moto_backend.route53(self._context.account).zones.get(identifier)
        if zone is None:
            message = f"No hosted zone found with ID: {identifier}"
            raise api_error("NoSuchHostedZone", message, 404)
        held = {key_of(record): record for record in map(of_moto, zone.rrsets)}
        sets = {key_of(of_moto(item)): item for item in zone.rrsets}
        try:
            after = apply_batch(zone.name, held, changes)
        except RefusedBatchError as error:
            message = f"[{', '.join(error.messages)}]" if error.listed else error.messages[0]
            raise api_error(error.code, message) from error
        for key in held.keys() - after.keys():
            zone.rrsets.remove(sets[key])
        for key, record in after.items():
            if record is not held.get(key):
                zone.upsert_rrset(record_for_moto(record))
        moment = dt.datetime.fromtimestamp(self._context.now_s, dt.UTC)
        info = {"Id": f"/change/C{uuid.uuid4().hex[:20].upper()}", "Status": "INSYNC"}
        return {"ChangeInfo": info | {"SubmittedAt": moment}}

    def _config(self, identifier: str) -> JsonObject:
        found = self.configurations.get(identifier)
        if found is None:
            message = f"A health check with id {identifier} does not exist."
            raise api_error("NoSuchHealthCheck", message, 404)
        return found

    def _validate(self, config: JsonObject) -> None:
        """Refuse a configuration that Route 53 refuses."""
        problem = None
        children = config["ChildHealthChecks"]
        if config["Type"] == "CALCULATED":
            kinds = {self._config(child)["Type"] for child in children}
            if "CALCULATED" in kinds:
                problem = "A calculated check cannot watch a calculated check"
            elif len(children) > CHILDREN_MAX:
                problem = f"A calculated check has {CHILDREN_MAX} children at the most"
        elif config["Type"] == "CLOUDWATCH_METRIC":
            if not config.get("AlarmIdentifier"):
                problem = "A check of an alarm names its alarm"
        else:
            problem = _endpoint_problem(config)
        if problem:
            raise api_error("InvalidInput", problem)

    def _describe(self, identifier: str) -> JsonObject:
        found = (reference for reference, made in self._references.items() if made == identifier)
        return {
            "Id": identifier,
            "CallerReference": next(found, identifier),
            "HealthCheckConfig": _whole(self._config(identifier)),
            "HealthCheckVersion": self._versions.get(identifier, 1),
        }


def _whole(config: JsonObject) -> JsonObject:
    """Return a check's configuration with what Route 53 takes where nothing was given."""
    common = {"Inverted": False, "Disabled": False}
    if config["Type"] != "CALCULATED":
        config = {key: value for key, value in config.items() if key != "ChildHealthChecks"}
    if config["Type"] in {"CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"}:
        return common | config
    sni = config["Type"] in {"HTTPS", "HTTPS_STR_MATCH"}
    asked = {"RequestInterval": 30, "FailureThreshold": 3, "MeasureLatency": False}
    return common | asked | {"EnableSNI": sni} | config


def _endpoint_problem(config: JsonObject) -> str | None:
    """Return why Route 53 refuses to check an endpoint."""
    if not (config.get("IPAddress") or config.get("FullyQualifiedDomainName")):
        return "A check of an endpoint names an IPAddress or a FullyQualifiedDomainName"
    if _is_private(config.get("IPAddress")):
        return f"Route 53 cannot reach {config['IPAddress']}: it is not a public address"
    if int(config.get("RequestInterval") or 30) not in INTERVALS:
        return "RequestInterval is 10 or 30"
    if not 1 <= int(config.get("FailureThreshold") or 3) <= THRESHOLD_MAX:
        return f"FailureThreshold is 1 to {THRESHOLD_MAX}"
    if config.get("Regions") and len(config["Regions"]) < REGIONS_MIN:
        return f"A check takes {REGIONS_MIN} Regions or more"
    return None


def _is_private(address: object) -> bool:
    """Return whether Route 53 refuses to check an address; loopback is the twin's internet."""
    try:
        found = ipaddress.ip_address(str(address)) if address else None
    except ValueError:
        return True
    return found is not None and not found.is_global and not found.is_loopback


def of_moto(item: Any) -> JsonObject:  # noqa: ANN401 - moto's own
    """Return one of moto's record sets in the API's form."""
    return {
        "Name": item.name,
        "Type": item.type,
        "SetIdentifier": item.set_identifier,
        "TTL": item.ttl,
        "ResourceRecords": [{"Value": value} for value in item.records or ()],
        "AliasTarget": item.alias_target,
        "HealthCheckId": item.health_check_id,
        "Failover": item.failover,
        "Weight": item.weight,
        "Region": item.region,
        "GeoLocation": item.geo_location,
        "MultiValueAnswer": item.multi_value_answer,
    }


def record_for_moto(record: JsonObject) -> JsonObject:
    """Return a record set in the form that moto's model takes: values without their names."""
    values = [item["Value"] for item in record.get("ResourceRecords") or ()]
    return {**record, "ResourceRecords": values} if values else dict(record)


def _for_moto(config: JsonObject) -> JsonObject:
    """Return a check's configuration in the form that moto's model takes."""
    return {
        "type": config["Type"],
        "ip_address": config.get("IPAddress"),
        "port": config.get("Port"),
        "resource_path": config.get("ResourcePath"),
        "fqdn": config.get("FullyQualifiedDomainName"),
        "search_string": config.get("SearchString"),
        "request_interval": config.get("RequestInterval"),
        "failure_threshold": config.get("FailureThreshold"),
        "health_threshold": config.get("HealthThreshold"),
        "measure_latency": config.get("MeasureLatency"),
        "inverted": config.get("Inverted"),
        "disabled": config.get("Disabled"),
        "enable_sni": config.get("EnableSNI"),
        "children": list(config.get("ChildHealthChecks") or []),
        "regions": list(config.get("Regions") or []),
    }
