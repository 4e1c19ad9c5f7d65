"""Standby instances depend on the primary Region to boot.

## Why
Everything an instance fetches at boot must be in its own Region: a bucket, secret or image in the
primary is unreachable exactly when the standby has to scale out. An image exists in one Region
only.

## Fix
Replicate what the instance fetches, and reference the copy in the instance's own Region.

```python
user_data = f"aws s3 cp s3://artefacts-{region}/app.zip /opt/app.zip --region {region}"
```

```hcl
user_data = base64encode(templatefile("boot.sh", { bucket = aws_s3_bucket.artefacts_standby.id }))
```

```yaml
UserData: {Fn::Base64: !Sub "aws s3 cp s3://artefacts-${AWS::Region}/app.zip /opt/app.zip"}
```

## Impact
RTO: the standby serves with the instances already running and cannot scale out.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/static-stability.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.code_text import shell_without_comments
from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import strings
from otherside.check.rule import RecoveryStep, Severity, rule

_BUCKET = re.compile(r"s3://(?P<bucket>[a-z0-9.-]+)")


@rule(
    "DR304",
    severity=Severity.HIGH,
    on=("ec2.launch_template", "ec2.instance"),
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST CP-7", "NIST CP-2(8)"),
)
def standby_boot_needs_primary(graph: Graph, resource: Resource) -> Iterator[str]:
    sides = sides_of(graph)
    if resource.required_region() != sides.standby:
        return
    yield from _fetched(graph, resource, sides.primary)
    path = "image_id" if resource.kind == "ec2.launch_template" else "ami"
    image = resource[path]
    for link in graph.links(resource, image):
        if link.resource.kind == "data.aws_ami" and link.resource.region == sides.primary:
            yield f"its image is {link.resource.label}, found in {sides.primary}"
            return
    named = isinstance(image, str) and image.startswith("ami-")
    if named and image in _texts(graph, resource.kind, path, sides.primary):
        yield f"its image {image} is the one of {sides.primary}, and images are of one Region"


def _texts(graph: Graph, kind: str, path: str, region: str) -> set[str]:
    """Return what an attribute is in each resource of a kind in a Region, if that is known."""

    def look() -> set[str]:
        values = (resource[path] for resource in graph.of(kind, region=region))
        return {value for value in values if isinstance(value, str)}

    return graph.memoize(f"{kind} {path} {region}", look)


def _fetched(graph: Graph, resource: Resource, primary: str) -> Iterator[str]:
    script = shell_without_comments("\n".join(strings(resource["user_data"])))
    for link in graph.links(
        resource, resource["user_data"], "s3.bucket", "s3.object", "secretsmanager.secret"
    ):
        if link.resource.region == primary and link.attribute != "name":
            yield f"its boot script needs {link.resource.label}, which is in {primary}"
            return
    far = rf"arn:aws:(secretsmanager|ssm|kms):{primary}:|[\w-]\.{primary}\.amazonaws\.com"
    far += rf"|--region[ =]{primary}\b|AWS_(DEFAULT_)?REGION=[\"']?{primary}\b"
    match = re.search(far, script)
    if match:
        yield f"its boot script asks {primary}: {match[0]}"
        return
    for found in _BUCKET.finditer(script):
        if found["bucket"] in _texts(graph, "s3.bucket", "bucket", primary):
            yield f"its boot script fetches from {found['bucket']}, which is in {primary}"
            return
