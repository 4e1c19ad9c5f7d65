"""Identify AWS requests and serialize answers: every protocol, from botocore's own models.

moto provides the routers, parsers and serializers; this module parses nothing itself.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    Request,
    determine_request_protocol,
)
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from otherside.twin.gateway.faults import GLOBAL
from otherside.twin.gateway.sigv4 import SignedRequest
from otherside.twin.json_types import JsonObject

Environ = JsonObject
Params = Mapping[str, Any]
"""Parameters of an operation, as botocore's model of it names them."""
SIGNED_AS: Mapping[str, str] = {
    "IoTSecuredTunneling": "iotsecuretunneling",
    "aidevops": "devops-agent",
    "aoss": "opensearchserverless",
    "aps": "amp",
    "aws-marketplace": "meteringmarketplace",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "email": "ses",
    "eventbridge": "events",
    "iotdata": "iot-data",
    "kinesisanalytics": "kinesisanalyticsv2",
    "lex": "lexv2-models",
    "mobiletargeting": "pinpoint",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "sso": "sso-admin",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "timestream": "timestream-write",
}
"""Services of moto whose signing name differs from their model's name, by botocore's models."""
GLOBAL_SERVICES = frozenset({"iam", "route53", "cloudfront", "organizations"})
"""Control planes with a single location, whichever Region signs the call."""


class RequestRefusedError(Exception):
    """A request that is refused, with AWS's error code or one of the twin's own."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(slots=True, kw_only=True)
class ApiCall:
    """One AWS API call, as CloudTrail would record it."""

    service: str
    """The service's model name: `rds`, `elbv2`, `cloudwatch`."""
    operation: str
    region: str
    """The Region that is called, or `global`."""
    source: str
    """The caller's Region, or `outside`."""
    key_id: str
    address: str = ""
    """The address that the request came from."""
    agent: str = ""
    """What the client calls itself."""
    principal: str = ""
    params: Params = field(default_factory=dict)
    at_s: float = 0.0
    status: int = 0
    error: str = ""


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """A request, with everything needed to answer it."""

    call: ApiCall
    signed: SignedRequest
    signing_region: str
    environ: Environ
    model: OperationModel
    protocol: str
    """The protocol of the answer."""
    malformed: RequestRefusedError | None = None
    """Why its parameters could not be read: told to whom the signature proves, and nobody else."""

    def answer(self, result: object) -> tuple[int, dict[str, str], bytes]:
        """Return an answer or an error, serialized as the service itself would."""
        kind = get_serializer_class(str(self.model.service_model.service_name), self.protocol)
        made = kind(operation_model=self.model).serialize(result)
        body = made["body"]
        content = body.encode() if isinstance(body, str) else bytes(body)
        return self._status(result, made["status_code"]), dict(made["headers"]), content

    def _status(self, result: object, otherwise: int) -> int:
        """Return the status that the answer itself carries, if its model has a member for it."""
        members = self.model.output_shape.members if self.model.output_shape else {}
        for name, shape in members.items():
            if shape.serialization.get("location") == "statusCode" and isinstance(result, dict):
                return int(result.get(name, otherwise))
        return otherwise


def read_request(environ: Environ) -> SignedRequest:
    """Return a request as it was sent, and leave its body readable again."""
    length = environ.get("CONTENT_LENGTH")
    chunked = environ.get("wsgi.input_terminated")
    body = b""
    if length:
        body = environ["wsgi.input"].read(int(length))
    elif chunked:
        body = environ["wsgi.input"].read()
        environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    written = environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY) or {}
    headers = {
        str(written.get(key, key[5:].replace("_", "-"))).lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers[key.replace("_", "-").lower()] = environ[key]
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or quote(environ["PATH_INFO"])
    return SignedRequest(
        method=environ["REQUEST_METHOD"],
        path=raw.partition("?")[0],
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=body,
    )


def identify(
    environ: Environ, signed: SignedRequest, *, signing: str, region: str, source: str, key_id: str
) -> RequestContext:
    """Identify the service and the operation that a request calls.

    Raises:
        RequestRefusedError: If the service or the operation is unknown, or the twin does not
            implement its protocol.
    """
    service = _service(signing, signed)
    try:
        model = get_service_model(service)
    except Exception as error:
        code, message = "UnknownService", f"the twin knows no service that signs as {signing}"
        raise RequestRefusedError(code, message, 501) from error
    if "cbor" in signed.headers.get("content-type", ""):
        message = "the twin does not speak CBOR; ask your SDK for JSON or query"
        raise RequestRefusedError("UnsupportedProtocol", message, 501)
    request = Request(environ)
    try:
        operation, found = get_service_router(service).match(request)
        protocol = determine_request_protocol(model, request.content_type)
        parsed, malformed = _parsed(request, signed, operation, protocol, found)
    except (HTTPException, NotImplementedError) as error:
        message = f"{service} has no operation at {signed.method} {signed.path}"
        raise RequestRefusedError("UnknownOperationException", message, 404) from error
    finally:
        environ["wsgi.input"] = io.BytesIO(signed.body)
    call = ApiCall(
        service=service,
        operation=str(operation.name),
        region=GLOBAL if service in GLOBAL_SERVICES else region,
        source=source,
        key_id=key_id,
        address=str(environ.get("REMOTE_ADDR", "")),
        agent=signed.headers.get("user-agent", ""),
        params=parsed,
    )
    return RequestContext(
        call=call,
        signed=signed,
        signing_region=region,
        environ=environ,
        model=operation,
        protocol=protocol,
        malformed=malformed,
    )


def _parsed(
    request: Request,
    signed: SignedRequest,
    operation: OperationModel,
    protocol: str,
    found: dict[str, Any],
) -> tuple[Params, RequestRefusedError | None]:
    """Return a call's parameters, or why they cannot be read; a parser fails in many ways."""
    try:
        parsed = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": signed.body,
                "url_path": request.path,
                "url_params": found,
            }
        )
    except (HTTPException, NotImplementedError):
        raise
    except Exception as error:  # noqa: BLE001 - as above
        code, message = MALFORMED.get(protocol, MALFORMED["query"])
        return {}, RequestRefusedError(code, message or type(error).__name__, 400)
    return parsed or {}, None


MALFORMED: Mapping[str, tuple[str, str]] = {
    "rest-xml": (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    "json": ("SerializationException", "The request could not be read"),
    "rest-json": ("SerializationException", "The request could not be read"),
    "query": ("MalformedQueryString", "The query string contains a syntax error"),
}
"""What AWS says of a body that it cannot read, by protocol."""


def _service(signing: str, signed: SignedRequest) -> str:
    if signing == "dynamodb" and signed.headers.get("x-amz-target", "").startswith(
        "DynamoDBStreams"
    ):
        return "dynamodbstreams"
    if signing == "elasticloadbalancing" and b"Version=2012-06-01" in signed.body:
        return "elb"
    return SIGNED_AS.get(signing, signing)


class ApiError(ServiceException):
    """An error that a service returns in its own protocol."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        """Set AWS's code, the message, and a status if the service's model defines none."""
        super().__init__(code, message)
        self.status = status


def api_error(code: str, message: str, status: int | None = None) -> ApiError:
    """Return an error for a service to serialize in its own protocol."""
    return ApiError(code, message, status)
