"""What Route 53 refuses in a change batch: the whole batch is judged, and then made or not made.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from otherside.twin.json_types import JsonObject

POLICIES = {
    "Failover": "failover",
    "Weight": "weighted",
    "Region": "latency",
    "GeoLocation": "geolocation",
    "MultiValueAnswer": "multivalue answer",
}
"""The field of each routing policy, and the policy's name in messages."""
WEIGHT_MAX = 255
RECORDS_MAX, CHARACTERS_MAX = 1000, 32_000
_COMPARED = (*POLICIES, "TTL", "AliasTarget", "ResourceRecords", "HealthCheckId")

Key = tuple[str, str, str]
"""Name in lower case with its final dot, type, set identifier or nothing."""
RecordSets = dict[Key, JsonObject]


class RefusedBatchError(Exception):
    """A batch that Route 53 refuses: its code and what it says."""

    def __init__(self, code: str, *messages: str, listed: bool = True) -> None:
        super().__init__(code, messages)
        self.code = code
        self.messages = messages
        self.listed = listed
        """Whether it is about single changes, so that Route 53 puts it into brackets."""


def key_of(record: Mapping[str, Any]) -> Key:
    """Return what identifies a record set in its zone."""
    name = str(record["Name"]).rstrip(".").lower()
    return f"{name}.", str(record["Type"]), str(record.get("SetIdentifier") or "")


ACTIONS = ("CREATE", "DELETE", "UPSERT")


def apply_batch(zone: str, held: RecordSets, changes: Iterable[Mapping[str, Any]]) -> RecordSets:
    """Return a zone's record sets after a change batch.

    Args:
        zone: The zone's name.
        held: Its record sets before.
        changes: `Action` and `ResourceRecordSet`, as in the API.

    Raises:
        RefusedBatchError: If Route 53 refuses a change; then it makes none of them.
    """
    changes = list(changes)
    for change in changes:
        if change["Action"] not in ACTIONS:
            msg = (
                f"Invalid XML ; cvc-enumeration-valid: Value '{change['Action']}' is not "
                f"facet-valid with respect to enumeration '[{', '.join(ACTIONS)}]'. It must be a "
                "value from the enumeration."
            )
            raise RefusedBatchError("InvalidInput", msg, listed=False)
    _require_few(changes)
    for change in changes:
        _require_shape(str(change["Action"]), change["ResourceRecordSet"])
    after, apex = dict(held), f"{zone.rstrip('.').lower()}."
    refused: list[str] = []
    for change in changes:
        action, record = str(change["Action"]), change["ResourceRecordSet"]
        key = key_of(record)
        problems = list(_problems(action, key, record, after, apex))
        refused += problems
        if problems:
            continue
        if action == "DELETE":
            del after[key]
        else:
            after[key] = dict(record) | {"Name": key[0]}
    refused += [] if refused else _dangling(apex, after, changes)
    if refused:
        raise RefusedBatchError("InvalidChangeBatch", *refused)
    return after


def _require_few(changes: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a batch that is too large; what UPSERT names counts twice.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
    """
    records = characters = 0
    for change in changes:
        times = 2 if change["Action"] == "UPSERT" else 1
        held = change["ResourceRecordSet"].get("ResourceRecords") or ()
        records += times * len(held)
        characters += times * sum(len(str(item["Value"])) for item in held)
    for found, most, what in (
        (records, RECORDS_MAX, "records"),
        (characters, CHARACTERS_MAX, "characters of all values"),
    ):
        if found > most:
            msg = f"Number of {what} limit of {most} exceeded."
            raise RefusedBatchError("InvalidChangeBatch", msg, listed=False)


def _require_shape(action: str, record: Mapping[str, Any]) -> None:
    """Refuse a record whose fields do not go together."""
    where = (
        f"in Change with [Action={action}, Name={record['Name']}, Type={record['Type']}, "
        f"SetIdentifier={record.get('SetIdentifier') or 'null'}]"
    )
    alias = bool(record.get("AliasTarget"))
    plain = record.get("TTL") is not None or bool(record.get("ResourceRecords"))
    whole = record.get("TTL") is not None and bool(record.get("ResourceRecords"))
    if alias == plain or (plain and not whole):
        found = "more than one" if alias and plain else "none"
        msg = (
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and "
            f"ResourceRecords], or TrafficPolicyInstanceId], but found {found} {where}"
        )
        raise RefusedBatchError("InvalidInput", msg, listed=False)
    policies = [field for field in POLICIES if _is_given(record.get(field))]
    identifier = record.get("SetIdentifier")
    if policies and not identifier:
        msg = f"Invalid request: Missing field 'SetIdentifier' {where}"
        raise RefusedBatchError("InvalidInput", msg, listed=False)
    if len(policies) > 1 or (identifier and not policies):
        found = "more than one" if policies else "none"
        msg = (
            f"Invalid request: Expected exactly one of {list(POLICIES)}, but found {found} {where}"
        )
        raise RefusedBatchError("InvalidInput", msg, listed=False)
    weight = record.get("Weight")
    if _is_given(weight) and not 0 <= int(str(weight)) <= WEIGHT_MAX:
        msg = f"Invalid request: Weight {weight} is not from 0 to {WEIGHT_MAX} {where}"
        raise RefusedBatchError("InvalidInput", msg, listed=False)


def _problems(
    action: str, key: Key, record: Mapping[str, Any], held: RecordSets, apex: str
) -> Iterator[str]:
    """Yield what Route 53 says of a change to the record sets as they are by then."""
    name, type_, identifier = key
    if name != apex and not name.endswith(f".{apex}"):
        yield f"RRSet with DNS name {name} is not permitted in zone {apex}"
        return
    own = f", set identifier='{identifier}'" if identifier else ""
    what = f"resource record set [name='{name}', type='{type_}'{own}]"
    if action == "DELETE":
        if key not in held:
            yield f"Tried to delete {what} but it was not found"
        elif not _is_same(record, held[key]):
            yield f"Tried to delete {what} but the values provided do not match the current values"
        elif name == apex and type_ in {"NS", "SOA"}:
            yield f"A HostedZone must contain at least one {type_} record for the zone itself."
        return
    if action == "CREATE" and key in held:
        yield f"Tried to create {what} but it already exists"
        return
    yield from _bad_values(type_, record)
    yield from _conflicts(key, record, held, apex)


_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
"""One character string of a TXT record; a value may have several, with blanks between them."""
STRING_MAX = 255


def _bad_text(value: str) -> str:
    """Return what is wrong with the value of a TXT record, as Route 53 names it; else nothing."""
    strings = _QUOTED.findall(value)
    if not strings or _QUOTED.sub("", value).strip():
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    longest = max(len(re.sub(r"\\(\d{3}|.)", "x", text)) - 2 for text in strings)
    return "CharacterStringTooLong (Value is too long)" if longest > STRING_MAX else ""


def _bad_values(type_: str, record: Mapping[str, Any]) -> Iterator[str]:
    for item in record.get("ResourceRecords") or () if type_ in {"TXT", "SPF"} else ():
        problem = _bad_text(str(item["Value"]))
        if problem:
            yield (
                f"Invalid Resource Record: 'FATAL problem: {problem} encountered with "
                f"'{item['Value']}''"
            )
    version = {"A": 4, "AAAA": 6}.get(type_)
    for item in record.get("ResourceRecords") or () if version else ():
        try:
            right = ipaddress.ip_address(item["Value"]).version == version
        except ValueError:
            right = False
        if not right:
            code = f"{type_}RRDATAIllegalIPv{version}Address"
            yield (
                f"Invalid Resource Record: 'FATAL problem: {code} (Value is not a valid "
                f"IPv{version} address) encountered with '{item['Value']}''"
            )


def _conflicts(key: Key, record: Mapping[str, Any], held: RecordSets, apex: str) -> Iterator[str]:
    """Yield conflicts with other record sets: of the same name, or of the same name and type."""
    name, type_, identifier = key
    types = {other[1] for other in held if other[0] == name and other[1] != type_}
    if type_ == "CNAME" and name == apex:
        yield f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {apex}"
    elif type_ == "CNAME" and types:
        yield (
            f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other "
            f"records with the same DNS name in zone {apex}"
        )
    elif "CNAME" in types:
        yield (
            f"RRSet of type {type_} with DNS name {name} is not permitted because a conflicting "
            f"RRSet of type CNAME with the same DNS name already exists in zone {apex}"
        )
    policy = _policy(record)
    for other, its in held.items():
        if other[:2] != key[:2] or other == key:
            continue
        if not identifier:
            yield (
                f"RRSet with DNS name {name}, type {type_} cannot be created as other RRSets exist "
                "with the same name and type"
            )
        elif _policy(its) != policy:
            yield (
                f"RRSet with DNS name {name}, type {type_}, SetIdentifier {identifier} cannot be "
                f"created because a non {policy} rrset exists with the same name and type."
            )
        elif policy in {"failover", "latency"} and _role(its) == _role(record):
            yield (
                f"RRSet with DNS name {name}, type {type_}, SetIdentifier {identifier} cannot be "
                f"created because an rrset of the same {policy} value {_role(record)} exists with "
                "the same name and type."
            )
        else:
            continue
        return


def _policy(record: Mapping[str, Any]) -> str:
    found = [name for field, name in POLICIES.items() if _is_given(record.get(field))]
    return found[0] if found else "simple"


def _role(record: Mapping[str, Any]) -> str:
    return str(record.get("Failover") or record.get("Region"))


def _dangling(apex: str, after: RecordSets, changes: list[Mapping[str, Any]]) -> list[str]:
    """Return what is said of aliases that lead to a record of the same zone that is not there."""
    there = {(name, type_) for name, type_, _ in after}
    said = []
    for change in changes:
        record = change["ResourceRecordSet"]
        target = str((record.get("AliasTarget") or {}).get("DNSName") or "").rstrip(".").lower()
        inside = target and f".{target}.".endswith(f".{apex}")
        if change["Action"] != "DELETE" and inside and (f"{target}.", record["Type"]) not in there:
            said.append(
                f"Tried to create an alias that targets {target}., type {record['Type']} in zone "
                f"{apex}, but that target was not found"
            )
    return said


def _is_same(given: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    return all(_plain(given.get(field)) == _plain(held.get(field)) for field in _COMPARED)


def _is_given(value: object) -> bool:
    return value is not None and value != ""


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of a record
    """Return a field's value as it is compared: order and case of names do not count."""
    if isinstance(value, (list, tuple)):
        return sorted(str(item["Value"]) for item in value) or None
    if isinstance(value, Mapping):
        return {name: str(item).rstrip(".").lower() for name, item in value.items()}
    return str(value).lower() if _is_given(value) else None
