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
    r"|cloud-init |proxy_pass|ProxyPass|\bmount\b|try_files|rewrite |location /[ {]"
    r"|php-fpm|tomcat|gunicorn|uwsgi"
)
"""Commands that may install the page; the script does not show whether they do."""
_ASKS_ITSELF = re.compile(r"(?:curl|wget)\b[^\n|;&]*\b(?:localhost|127\.0\.0\.1)\b[^\n|;&]*")
_INSTALLS = re.compile(r"\b(install|add|http\.server|apk|busybox)\b")
"""What shows that the server is new on the machine, and serves what the script makes."""
_FETCHED = re.compile(r"s3://(?P<bucket>[^/'\"\s]+)/(?P<key>[^'\"\s]*)")
_POWERSHELL = re.compile(r"\s*<(?:powershell|script)>", re.IGNORECASE)
_IIS_ITSELF = "iisstart"
"""The page that comes with the role."""
_SCRIPT_MAX = 1 << 15
"""Twice what AWS takes as user data: a longer script is not followed."""
_HARMLESS = frozenset(
    {
        *(
            "set-content",
            "add-content",
            "out-file",
            "new-item",
            "mkdir",
            "md",
            "echo",
            "write-host",
        ),
        *("write-output", "start-service", "restart-service", "set-service", "stop-service"),
        *("start-sleep", "iisreset", "net", "netsh", "new-netfirewallrule", "restart-computer"),
        *("set-executionpolicy", "rename-computer", "set-timezone", "tzutil", "remove-item", "del"),
    }
)
"""Commands of Windows that bring no page but one that they name."""
_BRINGING = frozenset(
    {
        *("read-s3object", "copy-s3object", "expand-archive", "invoke-webrequest", "iwr", "curl"),
        *("start-bitstransfer", "invoke-restmethod", "irm", "msdeploy", "choco", "winget", "git"),
        *("msiexec", "aws", "docker", "tar", "robocopy", "xcopy", "copy-item", "cfn-init"),
        *("new-website", "new-webapplication", "dotnet", "install-package"),
    }
)
"""Commands that may bring an application; the script does not show what."""


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
    if len(user_data) > _SCRIPT_MAX:
        return None
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


def _made_for_iis(script: str, path: str) -> bool | None:
    """Return whether a script of Windows makes a page, or leaves that to something else.

    A script that names the page outside of a comment is taken to make it; of a command that is
    not known to be harmless nobody knows what it brings.
    """
    spoken = _without_powershell_comments(script).lower()
    name = path.partition("?")[0].strip("/").rpartition("/")[2].lower()
    if name in spoken or name.startswith(_IIS_ITSELF):
        return True
    serves_pages = False
    for line in re.split(r"[\n;|&]", spoken):
        command, *rest = line.split() or [""]
        if command in {"install-windowsfeature", "add-windowsfeature"}:
            serves_pages = serves_pages or "web-server" in rest or "web-webserver" in rest
        elif command.rpartition("\\")[2].removesuffix(".exe") in _BRINGING:
            return True
        elif not _is_harmless(command, rest):
            return None
    return not serves_pages


def _is_harmless(command: str, rest: list[str]) -> bool:
    """Return whether a command of Windows brings no page but one that it names."""
    if command == "new-item":
        return not {"symboliclink", "junction"} & set(rest)
    return not command or command in _HARMLESS or command.startswith(("<", '"', "'"))


def _without_powershell_comments(script: str) -> str:
    """Return a script without its blocks and lines of comments."""
    first, *others = script.split("<#")
    kept = [first, *(other.partition("#>")[2] for other in others)]
    lines = "".join(kept).splitlines()
    return "\n".join(line for line in lines if not line.lstrip(" \t").startswith("#"))


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
            if any(text is None for _, text in code.files):
                return True  # a program, which may answer anything
            files = [file for file, _ in code.files]
            if any(file.endswith(name) for file in files):
                return True
            if re.search(rf"[\"']/?{re.escape(name)}[\"']", code.text()):
                return True
    return not _FETCHED.search(script)
