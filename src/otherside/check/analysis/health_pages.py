"""Whether a machine serves the page that a health check asks for."""

import re

from otherside.check.analysis.boot_pages import serves
from otherside.check.analysis.code_text import shell_without_comments
from otherside.check.analysis.load_balancing import groups_of, launch_template_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Code, Unknown, Unresolved

_SERVES = re.compile(r"\b(httpd|nginx|apache2?|lighttpd|caddy|http\.server|webfs)\b")
_BRINGS = re.compile(
    r"git clone|docker|podman|pip3? install|npm |codedeploy|cfn-init|unzip |tar |ansible"
    r"|\.rpm|\.deb|curl |wget "
    r"|proxy_pass|\bmount\b|try_files|rewrite |location /[ {]|php-fpm|tomcat|gunicorn|uwsgi"
)
"""Commands that may install the page; the script does not show whether they do."""
_ASKS_ITSELF = re.compile(r"(?:curl|wget)\b[^\n|;&]*\b(?:localhost|127\.0\.0\.1)\b[^\n|;&]*")
_INSTALLS = re.compile(r"\b(install|add|http\.server|apk|busybox)\b")
"""What shows that the server is new on the machine, and serves what the script makes."""
_FETCHED = re.compile(r"s3://(?P<bucket>[^/'\"\s]+)/(?P<key>[^'\"\s]*)")
_POWERSHELL = re.compile(r"\s*<(?:powershell|script)>", re.IGNORECASE)
_IIS = re.compile(r"(?:Install|Add)-WindowsFeature\b[^\n]*\bWeb-(?:Web)?Server\b", re.IGNORECASE)
_BRINGS_TO_IIS = re.compile(
    r"Invoke-WebRequest|\biwr\b|WebClient|Start-BitsTransfer|S3Object|aws s3|Expand-Archive"
    r"|msdeploy|choco|git |msiexec|\.msi|New-Web|Set-ItemProperty|appcmd|web\.config"
    r"|Import-Module|dotnet|docker",
    re.IGNORECASE,
)
"""Commands that may bring an application, or tell IIS where to look."""


def machines_behind(graph: Graph, group: Resource) -> list[Resource]:
    """Return the launch templates and the instances behind a target group."""
    templates = [launch_template_of(graph, scaling) for scaling in groups_of(graph, group)]
    links = [
        graph.link(attachment, "target_id", "ec2.instance")
        for attachment in graph.known_users(group, "lb.target_group_attachment", "target_group_arn")
    ]
    instances = [link.resource for link in links if link is not None]
    return [item for item in (*templates, *instances) if item is not None]


def lacks_page(graph: Graph, machine: Resource, path: str) -> bool:
    """Return whether a machine starts a server and never makes a page.

    Raises:
        Unresolved: If its script does not tell.
    """
    made = _made(graph, machine, path)
    if made is None:
        msg = f"whether {machine.label} makes {path} is not told by its script"
        raise Unresolved(msg)
    return not made


def _made(graph: Graph, machine: Resource, path: str) -> bool | None:
    """Return whether a machine's script makes a page, or leaves that to something else."""
    user_data = machine["user_data"]
    if isinstance(user_data, Unknown):
        machine.known("user_data")
    if not isinstance(user_data, str):
        return True
    if _POWERSHELL.match(user_data):
        return _made_for_iis(user_data, path)
    script = shell_without_comments(user_data)
    if not _INSTALLS.search(script) or not _SERVES.search(script):
        return True  # a ready image has its pages
    if _BRINGS.search(_ASKS_ITSELF.sub("", script)):
        return True
    if _brought(graph, path.partition("?")[0].strip("/"), script):
        return True
    return serves(script, path)


def _made_for_iis(script: str, path: str) -> bool:
    """Return whether a script of Windows makes a page, or leaves that to something else.

    A script that names the page outside of a comment is taken to make it.
    """
    spoken = re.sub(r"<#.*?#>|(?m:^\s*#.*$)", "", script, flags=re.DOTALL)
    name = path.partition("?")[0].strip("/").rpartition("/")[2]
    return (
        not _IIS.search(spoken)
        or bool(_BRINGS_TO_IIS.search(spoken))
        or name.lower() in spoken.lower()
    )


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
