"""A small stack as data, and the same stack as Terraform, CloudFormation and Pulumi write it.

The writers are the inverse of the loaders and share their vocabulary; that the vocabulary is right
is proven elsewhere, by the schemas of the three dialects (`test_vocabulary.py`).
"""

import json
import re
from dataclasses import dataclass, field

from otherside.check.model.graph import GLOBAL, Graph, Place, Resource, is_global
from otherside.check.model.schema import camel, kinds
from otherside.check.model.values import Code, Ref, Unknown
from otherside.check.readers.cloudformation.template import Template
from otherside.check.readers.normalize import finish, script, shaped
from otherside.check.readers.passwords import holds_secret, password, secret_text
from otherside.check.readers.pulumi.stack import ARCHIVE, ASSET, SIGNATURE, Stack
from otherside.check.readers.terraform.plan_json import TerraformPlan

ACCOUNT = "123456789012"
UNKNOWN = "?"
META = {"kind", "region", "ignored", "suppressed"}
NAMES = ("global_cluster_identifier", "cluster_identifier", "identifier", "bucket", "name")
"""What is a resource's name, and its identifier where that is its name."""
NATIVE_POLICY = {
    "sid": "Sid",
    "effect": "Effect",
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
    "principals": "Principal",
    "conditions": "Condition",
}


@dataclass
class Spec:
    """One resource as a case writes it; a `Ref` targets another by name."""

    name: str
    kind: str
    region: str
    attributes: dict = field(default_factory=dict)
    ignored: tuple = ()
    suppressed: dict = field(default_factory=dict)


def from_toml(table):
    """Return the resources of a case; `@name.attribute` refers to another."""
    specs = []
    for name, raw in table.items():
        kind = raw["kind"]
        home = GLOBAL if is_global(kind) else raw.get("region", "")
        attributes = {key: _refs(value) for key, value in raw.items() if key not in META}
        ignored, suppressed = tuple(raw.get("ignored", ())), raw.get("suppressed", {})
        specs.append(Spec(name, kind, home, attributes, ignored, suppressed))
    return specs


def _refs(value):
    if isinstance(value, str) and re.fullmatch(r"@\w+\.\w+", value):
        target, _, attribute = value[1:].partition(".")
        return Ref(target, attribute)
    if isinstance(value, list):
        return [_refs(item) for item in value]
    if isinstance(value, dict):
        return {key: _refs(item) for key, item in value.items()}
    return value


def mapped(value, how):
    """Return a value with each reference replaced."""
    if isinstance(value, Ref):
        return how(value)
    if isinstance(value, list):
        return [mapped(item, how) for item in value]
    if isinstance(value, dict):
        return {key: mapped(item, how) for key, item in value.items()}
    return value


def refs_in(value):
    """Return every reference in a value."""
    found = []
    mapped(value, found.append)
    return found


def containers(value, cased):
    """Return containers as ECS takes them, with their names cased for a dialect."""
    return [
        {
            cased("name"): each["name"],
            cased("environment"): [
                {cased("name"): name, cased("value"): given}
                for name, given in each["environment"].items()
            ],
        }
        for each in value
    ]


def as_graph(specs):
    """Return the graph itself, as a loader would make it of a plan."""
    resources = []
    for spec in specs:
        kind = kinds().get(spec.kind)
        attributes = {}
        for key, raw in spec.attributes.items():
            value = mapped(raw, lambda ref: Unknown((Ref(f"x#{ref.target}", ref.attribute),)))
            value = Unknown() if value == UNKNOWN else value
            shape = kind.attributes[key].shape if kind and key in kind.attributes else ""
            if shape == "secret":
                value = password(value)
            if shape == "secret_text":
                value = secret_text(value)
            if shape == "env":
                value = {k: password(v) if holds_secret(k, v) else v for k, v in value.items()}
            if shape == "containers":
                value = shaped(containers(value, str.lower), kind.attributes[key], None)
            if shape == "script":
                value = script(value)
            if shape == "code":
                value = Code(tuple(value.items()), whole=True)
            attributes[key] = value
        resource = Resource(
            id=f"x#{spec.name}",
            name=spec.name,
            kind=spec.kind,
            type=kind.terraform if kind else spec.kind,
            region=spec.region or None,
            place=Place("x"),
            dialect="terraform",
            attributes=attributes,
            stack="x",
            ignored=spec.ignored,
            suppressed=spec.suppressed,
        )
        if spec.kind == "provider":
            module = attributes.pop("module", "")
            settings = {"region": spec.region, **attributes}
            resource.attributes = {"settings": settings, "module": module}
        resources += finish(resource)
    return Graph(resources)


# --- Terraform


class Terraform:
    """Writes a plan, as `terraform show -json` does."""

    def __init__(self, specs):
        self.specs = specs
        self.by_name = {spec.name: spec for spec in specs}

    def address(self, spec):
        """Return a resource's address."""
        return f"{kinds()[spec.kind].terraform}.{spec.name}" if spec.kind in kinds() else spec.name

    def document(self):
        """Return the plan."""
        changes, resources, providers = [], [], {}
        for number, spec in enumerate(self.specs):
            if spec.kind == "provider":
                settings = {"region": spec.region} | spec.attributes
                module = settings.pop("module", None)
                providers[f"x{number}"] = {
                    "name": "aws",
                    "alias": spec.name,
                    "expressions": {k: {"constant_value": v} for k, v in settings.items()},
                    **({"module_address": module} if module else {}),
                }
                continue
            if spec.kind not in kinds():
                changes.append(self._change(spec.name, spec.kind, {}, {}))
                continue
            key = spec.region if spec.region not in {"", GLOBAL} else "aws"
            if key != "aws" and not any(spec.kind == "provider" for spec in self.specs):
                providers[key] = {
                    "name": "aws",
                    "alias": key,
                    "expressions": {"region": {"constant_value": key}},
                }
            after, unknown, expressions = self._values(spec, changes, resources)
            type_ = kinds()[spec.kind].terraform
            changes.append(self._change(spec.name, type_, after, unknown))
            resources.append(self._configured(spec.name, type_, expressions, key))
        return {
            "format_version": "1.2",
            "terraform_version": "1.12.0",
            "resource_changes": changes,
            "configuration": {
                "provider_config": providers,
                "root_module": {"resources": resources},
            },
        }

    def _change(self, name, type_, after, unknown):
        mode = "data" if type_.startswith("data.") else "managed"
        return {
            "address": f"{type_}.{name}",
            "mode": mode,
            "type": type_.removeprefix("data."),
            "name": name,
            "change": {
                "actions": ["read" if mode == "data" else "create"],
                "after": after,
                "after_unknown": unknown,
            },
        }

    def _configured(self, name, type_, expressions, key):
        return {
            "address": f"{type_}.{name}",
            "mode": "managed",
            "type": type_,
            "name": name,
            "provider_config_key": key,
            "expressions": expressions,
        }

    def _values(self, spec, changes, resources):
        after, unknown, expressions = {}, {"id": True, "arn": True}, {}
        allowed = kinds()[spec.kind].attributes
        if spec.suppressed:
            after["tags"] = {f"otherside:ignore:{k}": v for k, v in spec.suppressed.items()}
        for key, value in spec.attributes.items():
            attribute = allowed[key]
            native, parts = attribute.terraform[0], attribute.terraform[1:]
            if attribute.shape == "code":
                self._archive(spec, value, changes, resources, unknown, expressions)
                continue
            if attribute.shape == "policy" and refs_in(value):
                self._policy(spec, key, value, changes, resources)
                unknown[key] = True
                address = f"data.aws_iam_policy_document.{spec.name}_{key}"
                expressions[key] = {"references": [f"{address}.json", address]}
                continue
            known, unsure, expression = self._split(self._native(value, attribute))
            for part in reversed(parts):
                known = [{part: known}] if known is not None else None
                unsure, expression = [{part: unsure}], [{part: expression}]
            unknown.pop(native, None)  # an ARN that is given is not computed
            if known is not None:
                after[native] = known
            if unsure:
                unknown[native] = unsure
            expressions[native] = expression
        return after, unknown, expressions

    def _archive(self, spec, value, changes, resources, unknown, expressions):
        name = f"{spec.name}_code"
        files = [{"filename": file, "content": text} for file, text in value.items()]
        change = self._change(name, "data.archive_file", {"source": files}, {"output_path": True})
        changes.append(change)
        resources.append(self._configured(name, "data.archive_file", {}, "archive"))
        unknown["filename"] = True
        address = f"data.archive_file.{name}"
        expressions["filename"] = {"references": [f"{address}.output_path", address]}

    def _policy(self, spec, key, statements, changes, resources):
        name = f"{spec.name}_{key}"
        blocks, unsure = [], []
        for statement in statements:
            block = {
                k: statement[k]
                for k in ("sid", "effect", "actions", "not_actions")
                if k in statement
            }
            known = [r for r in statement.get("resources", ()) if not isinstance(r, Ref)]
            if known and len(known) == len(statement["resources"]):
                block["resources"] = known
            block["principals"] = [
                {"type": type_, "identifiers": who}
                for type_, who in statement.get("principals", {}).items()
            ]
            block["condition"] = [
                {"test": test, "variable": variable, "values": values}
                for test, tested in statement.get("conditions", {}).items()
                for variable, values in tested.items()
            ]
            blocks.append(block)
            unsure.append({} if "resources" in block else {"resources": True})
        after, unknown = {"statement": blocks}, {"json": True, "statement": unsure}
        type_ = "data.aws_iam_policy_document"
        targets = [
            f"{self.address(self.by_name[r.target])}.{r.attribute}" for r in refs_in(statements)
        ]
        expressions = {"statement": [{"resources": {"references": targets}} for _ in statements]}
        changes.append(self._change(name, type_, after, unknown))
        resources.append(self._configured(name, type_, expressions, "aws"))

    def _native(self, value, attribute):
        match attribute.shape:
            case "policy":
                return json.dumps({"Statement": native_policy(value)})
            case "json":
                return value if refs_in(value) or value == UNKNOWN else json.dumps(value)
            case "containers":
                return json.dumps(containers(value, str.lower))
            case "env":
                return [{"variables": value}]
            case "one" if isinstance(value, dict):
                return [self._members(value, attribute)]
            case "many" | "part" if isinstance(value, list):
                return [self._members(item, attribute) for item in value]
        return value

    def _members(self, value, attribute):
        return {
            attribute.members[key].terraform[0]: self._native(item, attribute.members[key])
            for key, item in value.items()
        }

    def _split(self, value):
        """Return what is known, what is not, and the expression that says what it is made of."""
        if isinstance(value, Ref):
            address = self.address(self.by_name[value.target])
            native = _terraform_name(self.by_name[value.target].kind, value.attribute)
            return None, True, {"references": [f"{address}.{native}", address]}
        if value == UNKNOWN:
            return None, True, {"references": ["local.unknown"]}
        if isinstance(value, dict):
            parts = {key: self._split(item) for key, item in value.items()}
            known = {k: v[0] for k, v in parts.items() if v[0] is not None}
            return known, {k: v[1] for k, v in parts.items()}, {k: v[2] for k, v in parts.items()}
        if isinstance(value, list):
            parts = [self._split(item) for item in value]
            blocks = all(isinstance(element, dict) for element in value)
            flat = {"references": [r for p in parts for r in p[2].get("references", ())]}
            expression = [p[2] for p in parts] if blocks and value else flat
            return [p[0] for p in parts], [p[1] for p in parts], expression
        return value, False, {"constant_value": value}


def _terraform_name(kind, attribute):
    found = kinds()[kind].attributes.get(attribute)
    return found.terraform[0] if found else attribute


def native_policy(statements):
    """Return statements as IAM writes them."""
    return [
        {NATIVE_POLICY[key]: value for key, value in statement.items()} for statement in statements
    ]


# --- Pulumi


class Pulumi:
    """Writes a stack, as `pulumi stack export` does: every value is known."""

    def __init__(self, specs):
        self.by_name = {spec.name: spec for spec in specs}
        self.specs = specs

    def document(self):
        """Return the export."""
        regions = {spec.region for spec in self.specs} - {"", GLOBAL}
        if any(spec.kind == "provider" for spec in self.specs):
            regions = set()  # the case declares its own
        resources = [self._provider(f"in-{region}", region, {}) for region in sorted(regions)]
        resources += [
            self._provider(spec.name, spec.region, spec.attributes)
            for spec in self.specs
            if spec.kind == "provider" and "module" not in spec.attributes
        ]
        resources += [self._resource(spec) for spec in self.specs if spec.kind != "provider"]
        return {"version": 3, "deployment": {"resources": resources}}

    def _provider(self, name, region, more):
        urn = f"urn:pulumi:s::p::pulumi:providers:aws::{name}"
        inputs = {"region": region, **more}
        type_ = "pulumi:providers:aws"
        return {"urn": urn, "type": type_, "custom": True, "id": name, "inputs": inputs}

    def urn(self, spec):
        """Return a resource's URN."""
        return f"urn:pulumi:s::p::{self._type(spec)}::{spec.name}"

    def _type(self, spec):
        return kinds()[spec.kind].pulumi if spec.kind in kinds() else spec.kind

    def _resource(self, spec):
        home = f"in-{spec.region}" if spec.region not in {"", GLOBAL} else ""
        provider = f"urn:pulumi:s::p::pulumi:providers:aws::{home}::{home}" if home else ""
        raw = {
            "urn": self.urn(spec),
            "type": self._type(spec),
            "custom": True,
            "id": self.value(Ref(spec.name, "id")),
            "provider": provider,
            "inputs": {},
            "outputs": {},
            "ignoreChanges": [camel(item) for item in spec.ignored],
        }
        if spec.kind not in kinds():
            return raw
        kind = kinds()[spec.kind]
        raw["inputs"] = self._members(spec.attributes, kind.attributes)
        if spec.suppressed:
            raw["inputs"]["tags"] = {f"otherside:ignore:{k}": v for k, v in spec.suppressed.items()}
        for name in ("arn", *kind.identities):
            raw["outputs"][camel(name)] = self.value(Ref(spec.name, name))
        return raw

    def value(self, ref):
        """Return what an attribute of a resource would be, once it is deployed."""
        spec = self.by_name[ref.target]
        given = spec.attributes.get(ref.attribute)
        if given is not None:
            return mapped(given, self.value)
        if spec.kind in kinds() and kinds()[spec.kind].borrows and ref.attribute == "id":
            owner = next(
                attribute for attribute in spec.attributes.values() if isinstance(attribute, Ref)
            )
            return self.value(Ref(owner.target, "id"))
        return imagined(spec, ref.attribute)

    def _members(self, values, allowed):
        found = {}
        for key, value in values.items():
            attribute = allowed[key]
            *around, _ = attribute.terraform
            native = self._native(value, attribute)
            place = found
            for step in around:
                place = place.setdefault(camel(step), {})
            place[attribute.pulumi] = native
        return found

    def _native(self, value, attribute):
        if value == UNKNOWN:
            return "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
        known = mapped(value, self.value)
        match attribute.shape:
            case "policy":
                return json.dumps({"Statement": native_policy(known)})
            case "json":
                return json.dumps(known)
            case "containers":
                return json.dumps(containers(known, str.lower))
            case "env":
                return {"variables": known}
            case "code":
                files = {k: {SIGNATURE: ASSET, "text": v} for k, v in known.items()}
                return {SIGNATURE: ARCHIVE, "assets": files}
            case "one" if isinstance(value, dict):
                inner = self._members(value, attribute.members)
                return [inner] if attribute.pulumi != camel(attribute.name) else inner
            case "many" | "part" if isinstance(value, list):
                return [self._members(item, attribute.members) for item in value]
        return known


def imagined(spec, attribute):
    """Return what AWS would make of an attribute."""
    name = spec.attributes.get("name", spec.name)
    name = name if isinstance(name, str) else spec.name
    kind = kinds().get(spec.kind)
    if kind is None:
        return spec.name
    if attribute == "arn" and kind.arn:
        key = re.search(r"\{(?!region)(\w+)\}", kind.arn)[1]
        tail = kind.arn.replace("{" + key + "}", str(spec.attributes.get(key, spec.name)))
        service, region, resource = tail.split(":", 2)
        region = spec.region if region else ""
        return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"
    where = spec.region if spec.region != GLOBAL else ""
    if spec.kind == "lb.load_balancer":
        suffix = f"app/{name}/50dc6c495c0c9188"
        texts = {"dns_name": f"{name}-1.{where}.elb.amazonaws.com", "arn_suffix": suffix}
        arn = f"arn:aws:elasticloadbalancing:{where}:{ACCOUNT}:loadbalancer/{suffix}"
        return texts.get(attribute, arn if attribute in {"arn", "id"} else f"{name}-{attribute}")
    if spec.kind == "lb.target_group":
        suffix = f"targetgroup/{name}/73e2d6bc24d8a067"
        if attribute == "arn_suffix":
            return suffix
        if attribute in {"arn", "id"}:
            return f"arn:aws:elasticloadbalancing:{where}:{ACCOUNT}:{suffix}"
    if attribute == "arn" or (attribute == "id" and kind.ref == "arn"):
        service, _, resource = spec.kind.partition(".")
        return f"arn:aws:{service}:{where}:{ACCOUNT}:{resource}/{name}"
    if attribute in {"id", *NAMES}:
        own = [name for name in NAMES if name in kind.attributes]
        if own and (attribute != "id" or not spec.kind.startswith("ec2.")):
            given = spec.attributes.get(own[0], spec.name)
            return given if isinstance(given, str) else spec.name
    return f"{attribute}-{spec.kind.replace('.', '-')}-{spec.name}-0123456789abcdef"


# --- CloudFormation

LENT = {
    "events.target": ("rule", "Targets", None),
    "s3.versioning": ("bucket", "VersioningConfiguration", {"status": "Status"}),
    "s3.encryption": ("bucket", "BucketEncryption", None),
    "s3.replication": ("bucket", "ReplicationConfiguration", None),
    "backup.vault_lock": ("backup_vault_name", "LockConfiguration", None),
    "secretsmanager.secret_version": ("secret_id", "SecretString", None),
    "iam.role_policy_attachment": ("role", "ManagedPolicyArns", None),
}
"""What CloudFormation writes inside of what it belongs to."""
FREE = {
    "sns.topic_policy": ("AWS::SNS::TopicPolicy", "Topics", "arn"),
    "sqs.queue_policy": ("AWS::SQS::QueuePolicy", "Queues", "queue_url"),
}


WRITTEN_INSIDE = {*LENT, *FREE, "dynamodb.table", "ec2.peering_accepter", "rds.cluster_instance"}
"""Kinds whose properties have no path of their own, for they are written elsewhere."""


class NotWrittenError(Exception):
    """What CloudFormation has no words for; the message says what."""


class CloudFormation:
    """Writes one template a Region; what belongs to none goes with the first."""

    def __init__(self, specs):
        self.specs = [spec for spec in specs if spec.kind != "peering"]
        self.by_name = {spec.name: spec for spec in specs}
        self.regions = sorted({spec.region for spec in specs} - {"", GLOBAL}) or ["us-east-1"]
        self.users = {}
        for spec in self.specs:
            for ref in _all(spec):
                if ref.target != spec.name:
                    self.users.setdefault(ref.target, spec)

    def home(self, spec):
        """Return the Region whose template a resource is in."""
        if spec.region not in {"", GLOBAL}:
            return spec.region
        if spec.kind.startswith("iam."):  # a role goes with what runs as it
            if spec.name in self.users:
                return self.home(self.users[spec.name])
            role = spec.attributes.get("role")
            return self.home(self.by_name[role.target]) if _owned(spec) else self.regions[0]
        return self.regions[0]

    def documents(self):
        """Return each Region's template.

        Raises:
            NotWrittenError: If there is a resource that CloudFormation does not have.
        """
        documents = {region: {"Resources": {}} for region in self.regions}
        later = []
        for spec in self.specs:
            if spec.kind in LENT:
                later.append(spec)
            elif spec.kind != "ec2.peering_accepter":
                resources = documents[self.home(spec)]["Resources"]
                resources[logical(spec.name)] = self._resource(spec)
        for spec in later:
            back, key, _ = LENT[spec.kind]
            owner = spec.attributes[back]
            if not isinstance(owner, Ref):
                raise NotWrittenError(f"{spec.kind} of what is not in the case")
            home = documents[self.home(self.by_name[owner.target])]["Resources"]
            properties = home[logical(owner.target)]["Properties"]
            self._lend(spec, key, properties)
        return documents

    def _lend(self, spec, key, properties):
        inner = {k: v for k, v in spec.attributes.items() if k != LENT[spec.kind][0]}
        region = self.home(spec)
        if spec.kind == "iam.role_policy_attachment":
            properties.setdefault(key, []).append(self.value(inner["policy_arn"], region))
        elif spec.kind == "secretsmanager.secret_version":
            given = inner.get("secret_string", inner.get("secret_string_wo"))
            properties[key] = self.value(given, region)
        elif spec.kind == "events.target":
            inner.pop("event_bus_name", None)
            part = kinds()["events.rule"].attributes["target"].members
            target = {"Id": spec.name, **self._members(inner, part, region)}
            properties.setdefault(key, []).append(target)
        elif spec.kind == "s3.versioning":
            properties[key] = {"Status": inner["status"]}
        else:
            name = {"s3.encryption": "server_side_encryption_configuration"}
            name |= {"s3.replication": "replication_configuration", "backup.vault_lock": "lock"}
            owner = "backup.vault" if spec.kind.startswith("backup") else "s3.bucket"
            part = kinds()[owner].attributes[name[spec.kind]].members
            properties[key] = self._members(inner, part, region)

    def _resource(self, spec):
        kind = kinds().get(spec.kind)
        metadata = {"otherside": {"ignore": spec.suppressed}} if spec.suppressed else None
        extra = {"Metadata": metadata} if metadata else {}
        region = self.home(spec)
        if kind is None:
            return {"Type": spec.kind, **extra}
        if spec.kind in FREE:
            type_, key, back = FREE[spec.kind]
            policy = {"Statement": native_policy(self.value(spec.attributes["policy"], region))}
            target = self.value(spec.attributes[back], region)
            return {"Type": type_, "Properties": {key: [target], "PolicyDocument": policy}, **extra}
        if spec.kind == "rds.cluster_instance":
            part = kinds()["rds.instance"].attributes
            return {
                "Type": "AWS::RDS::DBInstance",
                "Properties": self._members(spec.attributes, part, region),
            }
        if spec.kind == "dynamodb.table" and "replica" in spec.attributes:
            return {
                "Type": "AWS::DynamoDB::GlobalTable",
                "Properties": self._global_table(spec),
                **extra,
            }
        if kind.cloudformation == "-":
            raise NotWrittenError(spec.kind)
        if spec.kind == "ec2.peering":
            spec.attributes.pop("auto_accept", None)
        return {
            "Type": kind.cloudformation,
            "Properties": self._members(spec.attributes, kind.attributes, region),
            **extra,
        }

    def _global_table(self, spec):
        given = dict(spec.attributes)
        replicas, witness = given.pop("replica"), given.pop("global_table_witness", None)
        home = {"region_name": spec.region}
        encryption = given.get("server_side_encryption") or {}
        if "kms_key_arn" in encryption:
            home["kms_key_arn"] = encryption["kms_key_arn"]
            given["server_side_encryption"] = {
                k: v for k, v in encryption.items() if k != "kms_key_arn"
            }
        if "point_in_time_recovery" in given:
            home["point_in_time_recovery"] = given.pop("point_in_time_recovery")["enabled"]
        if "deletion_protection_enabled" in given:
            home["deletion_protection_enabled"] = given.pop("deletion_protection_enabled")
        partition = given.pop("hash_key", None)
        properties = self._members(given, kinds()["dynamodb.table"].attributes, spec.region)
        if partition is not None:
            properties["KeySchema"] = [{"AttributeName": partition, "KeyType": "HASH"}]
        properties["Replicas"] = [
            self._replica(replica, spec.region) for replica in (home, *replicas)
        ]
        if any(replica.get("consistency_mode") == "STRONG" for replica in replicas):
            properties["MultiRegionConsistency"] = "STRONG"
        if witness:
            properties["GlobalTableWitnesses"] = [{"Region": witness["region_name"]}]
        return properties

    def _replica(self, item, region):
        found = {"Region": item["region_name"]}
        if "kms_key_arn" in item:
            found["SSESpecification"] = {"KMSMasterKeyId": self.value(item["kms_key_arn"], region)}
        if "point_in_time_recovery" in item:
            enabled = {"PointInTimeRecoveryEnabled": item["point_in_time_recovery"]}
            found["PointInTimeRecoverySpecification"] = enabled
        if "deletion_protection_enabled" in item:
            found["DeletionProtectionEnabled"] = item["deletion_protection_enabled"]
        return found

    def _members(self, values, allowed, region):
        found = {}
        for key, value in values.items():
            attribute = allowed[key]
            if attribute.cloudformation is None:
                raise NotWrittenError(f"{key}, which CloudFormation does not have")
            native = self._native(value, attribute, region)
            if attribute.cloudformation == ():
                _into(found, native)
                continue
            *around, last = attribute.cloudformation
            place = found
            for step in around:
                place = place.setdefault(step, {})
            place[last] = native
        return found

    def _native(self, value, attribute, region):
        match attribute.shape:
            case "policy":
                return {"Statement": native_policy(self.value(value, region))}
            case "code":
                if len(value) != 1:
                    raise NotWrittenError("a bundle of several files")
                return {"ZipFile": next(iter(value.values()))}
            case "map":
                return [{"Name": k, "Value": self.value(v, region)} for k, v in value.items()]
            case "one" if isinstance(value, dict):
                return self._members(value, attribute.members, region)
            case "many" if isinstance(value, list):
                if set(attribute.members) == {"name", "value"}:
                    return {item["name"]: item["value"] for item in value}
                return [self._members(item, attribute.members, region) for item in value]
            case "containers":
                return containers(self.value(value, region), str.title)
            case "script":
                return {"Fn::Base64": self.value(value, region)}
        return self.value(value, region)

    def value(self, value, region):
        """Return a value with each reference as this template can write it."""
        if value == UNKNOWN:
            return {"Ref": "Unknown"}
        return mapped(value, lambda ref: self._ref(ref, region))

    def _ref(self, ref, region):
        spec = self.by_name[ref.target]
        kind = kinds()[spec.kind]
        if spec.kind == "ec2.peering_accepter" and ref.attribute == "id":
            return self._ref(spec.attributes["vpc_peering_connection_id"], region)
        if self.home(spec) != region:
            given = spec.attributes.get(ref.attribute)
            return given if isinstance(given, str) else imagined(spec, ref.attribute)
        if ref.attribute in {kind.ref, "id"}:
            return {"Ref": logical(ref.target)}
        attribute = kind.attributes.get(ref.attribute)
        native = attribute.cloudformation if attribute else None
        return {"Fn::GetAtt": [logical(ref.target), ".".join(native) if native else "Arn"]}


def _all(spec):
    """Return every reference of a resource that is not of a policy to its role."""
    return [] if _owned(spec) else refs_in(list(spec.attributes.values()))


def _owned(spec):
    return spec.kind in {"iam.role_policy", "iam.role_policy_attachment"}


def _into(found, native):
    for key, value in native.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] |= value
        else:
            found[key] = value


def logical(name):
    """Return a logical identifier."""
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))


def repeated(document, count):
    """Return a plan with a number of copies of our stack in it, each a module of its own."""
    changes = document["resource_changes"]
    text = json.dumps([changes, document["configuration"]["root_module"]["resources"]])
    calls, every = {}, []
    for number in range(count):
        renamed = text.replace("orders-prod", f"orders{number}-prod")
        renamed = renamed.replace("orders.example.com", f"orders{number}.example.com")
        mine, inner = json.loads(renamed)
        for item in mine:
            item["module_address"] = f"module.c{number}"
            item["address"] = f"module.c{number}.{item['address']}"
        every += mine
        calls[f"c{number}"] = {"module": {"resources": inner}, "expressions": {}}
    configuration = {**document["configuration"], "root_module": {"module_calls": calls}}
    return {**document, "resource_changes": every, "configuration": configuration}


# --- all three


def load_terraform(specs):
    """Return the graph of a plan of these resources."""
    document = json.loads(json.dumps(Terraform(specs).document()))
    return Graph(list(TerraformPlan(document, "plan.json").load()))


def load_pulumi(specs):
    """Return the graph of an export of these resources."""
    document = json.loads(json.dumps(Pulumi(specs).document()))
    return Graph(list(Stack(document, "stack.json").load()))


def load_cloudformation(specs):
    """Return the graph of templates of these resources."""
    written = CloudFormation(specs).documents()
    templates = [
        Template(json.loads(json.dumps(document)), f"{region}.json", region=region)
        for region, document in written.items()
    ]
    return Graph([item for template in templates for item in template.load()])
