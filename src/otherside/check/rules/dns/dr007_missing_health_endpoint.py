r"""Nothing creates the path that the health check requests.

## Why
The load balancer requests a page that does not exist on any instance: each answers 404, no target
is ever healthy, and a Region that could serve counts as down. In the standby, the fault goes
unnoticed until DNS sends users there.

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

import re
from collections.abc import Iterator

from otherside.check.analysis.boot_pages import serves
from otherside.check.analysis.code_text import shell_without_comments
from otherside.check.analysis.load_balancing import groups_of, launch_template_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Code, Unknown, Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule

_SERVES = re.compile(r"\b(httpd|nginx|apache2?|lighttpd|caddy|http\.server|webfs)\b")
_BRINGS = re.compile(
    r"git clone|docker|podman|pip3? install|npm |codedeploy|cfn-init|unzip |tar |ansible|\.rpm|\.deb|curl |wget "
    r"|proxy_pass|\bmount\b|try_files|rewrite |location /[ {]|php-fpm|tomcat|gunicorn|uwsgi"
)
"""Commands that may install the page; the script does not show whether they do."""
_ASKS_ITSELF = re.compile(r"(?:curl|wget)\b[^\n|;&]*\b(?:localhost|127\.0\.0\.1)\b[^\n|;&]*")
_INSTALLS = re.compile(r"\b(install|add|http\.server|apk|busybox)\b")
"""What shows that the server is new on the machine, and serves what the script makes."""
_FETCHED = re.compile(r"s3://(?P<bucket>[^/'\"\s]+)/(?P<key>[^'\"\s]*)")


@rule(
    "DR007",
    severity=Severity.HIGH,
    on="lb.target_group",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.2", "NIST CP-10"),
    lacking=True,
)
def missing_health_endpoint(graph: Graph, group: Resource) -> Iterator[str]:
    path = group["health_check.path"]
    if not isinstance(path, str) or path in {"", "/"}:
        return
    if group["target_type"] in {"lambda", "alb"} or _takes_404(group):
        return
    for machine in _machines(graph, group):
        made = _made(graph, machine, path)
        if made is None:
            msg = f"whether {machine.label} makes {path} is not told by its script"
            raise Unresolved(msg)
        if not made:
            yield f"{machine.label} starts a server and never makes {path}"


def _made(graph: Graph, machine: Resource, path: str) -> bool | None:
    """Return whether a machine's script makes a page, or leaves that to something else."""
    script = machine["user_data"]
    if isinstance(script, Unknown):
        machine.known("user_data")
    if not isinstance(script, str):
        return True
    script = shell_without_comments(script)
    if not _INSTALLS.search(script) or not _SERVES.search(script):
        return True  # a ready image has its pages
    if _BRINGS.search(_ASKS_ITSELF.sub("", script)):
        return True
    if _brought(graph, path.partition("?")[0].strip("/"), script):
        return True
    return serves(script, path)


def _machines(graph: Graph, group: Resource) -> list[Resource]:
    """Return the launch templates and the instances behind a target group."""
    templates = [launch_template_of(graph, scaling) for scaling in groups_of(graph, group)]
    links = [
        graph.link(attachment, "target_id", "ec2.instance")
        for attachment in graph.known_users(group, "lb.target_group_attachment", "target_group_arn")
    ]
    instances = [link.resource for link in links if link is not None]
    return [item for item in (*templates, *instances) if item is not None]


def _takes_404(group: Resource) -> bool:
    """Return whether a group takes a page that is not there for healthy."""
    matcher = group["health_check.matcher"]
    for part in matcher.split(",") if isinstance(matcher, str) else ():
        low, _, high = part.strip().partition("-")
        if low.isdigit() and int(low) <= 404 <= int(high or low):  # noqa: PLR2004 - HTTP's own
            return True
    return False


def _brought(graph: Graph, name: str, script: str) -> bool:
    """Return whether files that a script fetches from a bucket contain or may contain the page."""
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
