"""Which paths an API of API Gateway answers."""

import re
from collections.abc import Iterator, Mapping

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import require_known

_APIS = ("apigatewayv2.api", "apigateway.rest_api")
_ASKED = frozenset({"GET", "ANY"})
"""Methods that answer a health check, which asks by GET."""
_DEPTH_MAX = 30


def asked_apis(graph: Graph, check: Resource) -> list[Resource]:
    """Return the APIs that a health check names by their own endpoint."""
    return [link.resource for link in graph.links(check, check["fqdn"], *_APIS)]


def serves_path(graph: Graph, api: Resource, path: str) -> bool:
    """Return whether an API has a route for a path, with its stage or without.

    An API of which no route was read may have them elsewhere.

    Raises:
        Unresolved: If a route is known only at deployment.
    """
    routes = list(_routes(graph, api))
    if routes == ["/"]:  # none but the root was read
        return True
    whole = path.partition("?")[0].rstrip("/")
    stage, slash, rest = whole.lstrip("/").partition("/")
    asked = [slash + rest] if _has_stage(graph, api, stage) else []
    asked += [whole] if _has_stage(graph, api, "$default") else []
    return not routes or any(_template(route).fullmatch(each) for route in routes for each in asked)


def _has_stage(graph: Graph, api: Resource, name: str) -> bool:
    """Return whether an API may have a stage: of which none was read has any, and `$default` apart.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
    """
    if api.kind == "apigateway.rest_api":
        return name != "$default"
    stages = _of_api(graph, api, "apigatewayv2.stage", "api_id")
    if api["target"] is not None or not stages:
        return True
    return any(not isinstance(stage["name"], str) or stage["name"] == name for stage in stages)


def _routes(graph: Graph, api: Resource) -> Iterator[str]:
    """Yield the paths of an API's routes, as API Gateway writes them: `/orders/{id}`."""
    body = api["body"]
    yield from _of_document(body if isinstance(body, Mapping) else api.known("body"))
    if api.kind == "apigateway.rest_api":
        yield "/"  # the root is always there, and needs no more than a method
        methods = _of_api(graph, api, "apigateway.method", "rest_api_id")
        for item in _of_api(graph, api, "apigateway.resource", "rest_api_id"):
            if _answers(graph, item, methods):
                yield _path(graph, item)
        return
    if api["target"] is not None:
        yield "/{proxy+}"  # a quick create: everything goes to one target
    for item in _of_api(graph, api, "apigatewayv2.route", "api_id"):
        method, _, path = str(item.known("route_key")).partition(" ")
        if method == "$default":
            yield "/{proxy+}"
        elif method in _ASKED:
            yield path


def _of_api(graph: Graph, api: Resource, kind: str, path: str) -> list[Resource]:
    """Return the resources of an API, if each one says whose it is."""
    graph.require_told(kind, path, api.kind)
    return graph.known_users(api, kind, path)


def _answers(graph: Graph, item: Resource, methods: list[Resource]) -> bool:
    """Return whether a resource of a REST API may answer GET; without methods it is not told."""
    own = graph.users(item, "apigateway.method", "resource_id") if methods else []
    asked = {method["http_method"] for method in own if isinstance(method["http_method"], str)}
    return len(asked) < len(own) or not own or bool(asked & _ASKED)


def _of_document(body: object) -> Iterator[str]:
    """Yield the paths of an OpenAPI document."""
    paths = body.get("paths") if isinstance(body, Mapping) else None
    based = isinstance(body, Mapping) and bool({"basePath", "servers"} & set(body))
    for path in paths if isinstance(paths, Mapping) else ():
        yield "/{proxy+}" if path == "/$default" else str(path)
        if based:  # what becomes of a base path is a parameter's to say
            yield f"/{{base+}}{path}"


def _path(graph: Graph, item: Resource) -> str:
    """Return the path of a resource of a REST API, from the root on."""
    parts: list[str] = []
    at: Resource | None = item
    while at is not None and len(parts) < _DEPTH_MAX:
        parts.insert(0, str(require_known(at["path_part"])))
        link = graph.link(at, "parent_id", "apigateway.resource")
        if link is None and graph.link(at, "parent_id", "apigateway.rest_api") is None:
            at.known("parent_id")  # written out, it is the root's: nothing else has it
        at = link.resource if link is not None else None
    return "/" + "/".join(parts)


def _template(route: str) -> re.Pattern[str]:
    """Return what a route's path matches; `{proxy+}` takes all that follows, and needs some."""
    pieces = re.split(r"(\{[^{}]*\})", route.rstrip("/"))
    return re.compile(
        "".join(
            (".+" if piece.endswith("+}") else "[^/]+")
            if piece.startswith("{")
            else re.escape(piece)
            for piece in pieces
        )
    )
