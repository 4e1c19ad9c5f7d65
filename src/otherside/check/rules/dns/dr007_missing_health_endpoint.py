r"""The path that the health check asks for is never made.

## Why
The load balancer asks every instance for a page that nobody wrote: it answers 404, no target is
ever healthy, and a Region that could serve counts as down. In the standby nobody notices until
users are sent there.

## Fix
Let the boot script write the page, or the application answer the path, before it starts to serve.

```python
user_data = "echo OK > /var/www/html/health.html\nsystemctl enable --now httpd\n"
```

```hcl
user_data = base64encode("#!/bin/bash\necho OK > /var/www/html/health.html\nsystemctl enable --now httpd\n")
```

```yaml
UserData:
  Fn::Base64: |
    #!/bin/bash
    echo OK > /var/www/html/health.html
    systemctl enable --now httpd
```

## Impact
RTO: there is nothing healthy to send users to, in either Region.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.load_balancing import groups_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Code, Unknown
from otherside.check.rule import RecoveryStep, Severity, rule

_SERVES = re.compile(r"\b(httpd|nginx|apache2?|lighttpd|caddy|http\.server|webfs)\b")
_BRINGS = re.compile(
    r"git clone|docker|podman|pip3? install|npm |codedeploy|cfn-init|unzip |tar |ansible|\.rpm|\.deb|curl |wget "
)
"""What may bring the page along: nobody can tell from the script."""
_FETCHED = re.compile(r"s3://(?P<bucket>[^/'\"\s]+)/(?P<key>[^'\"\s]*)")


@rule(
    "DR007",
    severity=Severity.HIGH,
    on="lb.target_group",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def missing_health_endpoint(graph: Graph, group: Resource) -> Iterator[str]:
    path = group["health_check.path"]
    if not isinstance(path, str) or path in {"", "/"}:
        return
    if group["target_type"] in {"lambda", "alb"}:
        return
    for scaling in groups_of(graph, group):
        template = graph.link(scaling, "launch_template.id") or graph.link(
            scaling, "launch_template.name"
        )
        if template is None or template.resource.kind != "ec2.launch_template":
            continue
        script = template.resource["user_data"]
        if isinstance(script, Unknown):
            template.resource.known("user_data")
        if not isinstance(script, str) or not _SERVES.search(script) or _BRINGS.search(script):
            continue
        name = path.split("?")[0].strip("/")
        if not _made(name, script) and not _brought(graph, name, script):
            yield f"{template.resource.label} starts a server and never makes {path}"


def _brought(graph: Graph, name: str, script: str) -> bool:
    """Tell whether what a script fetches from a bucket has the page, or may have it."""
    if "aws s3" not in script:
        return False
    for match in _FETCHED.finditer(script):
        objects = [
            (each, each["source"]) for each in graph.of("s3.object") if each["key"] == match["key"]
        ]
        if not any(isinstance(code, Code) and code.whole for _, code in objects):
            return True
        for _, code in objects:
            files = [file for file, _ in code.files]
            if any(file.endswith(name) for file in files):
                return True
            if re.search(rf"[\"']/?{re.escape(name)}[\"']", code.text()):
                return True
    return not _FETCHED.search(script)


def _made(name: str, script: str) -> bool:
    """Tell whether a script names the path, and not only to ask for it."""
    lines = [line for line in script.splitlines() if name in line]
    return any(
        not re.match(rf"\s*[\w-]*=?[\"']?/?{re.escape(name)}[\"']?\s*$", line) for line in lines
    )
