r"""Nothing creates the path that the health check requests.

## Why
A load balancer or Route 53 requests a page that does not exist: everything answers 404, nothing is
ever healthy, and a Region that could serve counts as down. In the standby, the fault goes unnoticed
until DNS sends users there. What installs a server at boot is followed, as a script, a cloud-config,
cfn-init or PowerShell; an image, a bundle or a container may have the page, and is left alone.

## Fix
Create the page in the boot script before the server starts, or serve the path from the application.

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
RTO: neither Region has a healthy target to send users to.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from collections.abc import Iterator

from otherside.check.analysis.api_routes import asked_apis, serves_path
from otherside.check.analysis.health_check_targets import asked, asked_machines, request_of
from otherside.check.analysis.health_pages import lacks_page, machines_behind
from otherside.check.analysis.load_balancing import listeners, may_take
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_PORTS = {"HTTP": 80, "HTTP_STR_MATCH": 80, "HTTPS": 443, "HTTPS_STR_MATCH": 443}


@rule(
    "DR007",
    severity=Severity.HIGH,
    on=("lb.target_group", "route53.health_check"),
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.2", "NIST CP-10"),
    lacking=True,
)
def missing_health_endpoint(graph: Graph, check: Resource) -> Iterator[str]:
    if check.kind == "route53.health_check":
        yield from _of_route53(graph, check)
        return
    path = check["health_check.path"]
    if not isinstance(path, str) or path in {"", "/"}:
        return
    if check["target_type"] in {"lambda", "alb"} or _takes_404(check):
        return
    for machine in machines_behind(graph, check):
        if lacks_page(graph, machine, path):
            yield f"{machine.label} starts a server and never makes {path}"


def _of_route53(graph: Graph, check: Resource) -> Iterator[str]:
    """Judge what Route 53's own checkers ask, through a load balancer or by themselves."""
    path, type_ = check["resource_path"], check["type"]
    if not isinstance(path, str) or path in {"", "/"} or type_ not in _PORTS:
        return
    if check["invert_healthcheck"] not in {None, False}:
        return  # it takes the page that is not there for healthy
    for api in asked_apis(graph, check):
        if not serves_path(graph, api, path):
            yield f"{api.label} has no route for {path}"
    sets = [[machine] for machine in asked_machines(graph, check)]
    for balancer in asked(graph, check):
        sets += _behind(graph, check, balancer, check["port"] or _PORTS[str(type_)])
    lacking = [[item for item in each if lacks_page(graph, item, path)] for each in sets]
    if lacking and all(lacking):
        yield f"{lacking[0][0].label} starts a server and never makes {path}"


def _behind(
    graph: Graph, check: Resource, balancer: Resource, port: object
) -> list[list[Resource]]:
    """Return the machines of each target group that a request may reach, if all are known.

    A target group that asks for the same page is judged by itself.
    """
    request = request_of(graph, check, balancer)
    found: list[list[Resource]] = []
    for listener in listeners(graph, balancer):
        if listener["port"] != port:
            continue
        for group in may_take(graph, listener, *request):
            behind = machines_behind(graph, group)
            if not behind or group["health_check.path"] == check["resource_path"]:
                return []
            found.append(behind)
    return found


def _takes_404(group: Resource) -> bool:
    """Return whether a group takes a page that is not there for healthy."""
    matcher = group["health_check.matcher"]
    for part in matcher.split(",") if isinstance(matcher, str) else ():
        low, _, high = part.strip().partition("-")
        if low.isdigit() and int(low) <= 404 <= int(high or low):  # noqa: PLR2004 - HTTP's own
            return True
    return False
