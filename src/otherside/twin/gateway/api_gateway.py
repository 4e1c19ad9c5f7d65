"""Authenticate and authorize every AWS API call, then route it to the twin or to moto.

The gateway records every call, as CloudTrail would, and applies the active API faults. It refuses
a call that it cannot identify, verify or authorize; it never lets one through.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from moto.core.exceptions import ServiceException

from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.faults import ApiFault, ApiFaultMode, ApiFaults
from otherside.twin.gateway.iam_policy import CannotTellError
from otherside.twin.gateway.protocol import (
    ApiCall,
    Environ,
    Params,
    RequestContext,
    RequestRefusedError,
    api_error,
    identify,
    read_request,
)
from otherside.twin.gateway.sigv4 import (
    Signature,
    SignedRequest,
    body_problem,
    is_signed_with,
    read_signature,
    time_problem,
)
from otherside.twin.gateway.unsigned import refusal_of, refused
from otherside.twin.guest.scaled_clock import ScaledClock, real_wall_s
from otherside.twin.ring_log import RingLog

if TYPE_CHECKING:
    from otherside.twin.json_types import JsonObject

ApiResponse = tuple[int, Mapping[str, str], bytes]
Operation = Callable[[ApiCall, Params], Any]
"""An operation of the twin: (call, parameters) to the result, in botocore's shape."""
StartResponse = Callable[..., Any]
AUDIT_MAX = 100_000
HANG_S = 600.0


class LeaveToMotoError(Exception):
    """Raised by one of the twin's own operations to leave this call to moto."""


@dataclass(slots=True)
class ApiGateway:
    """The WSGI application in front of moto."""

    moto: Callable[[Environ, StartResponse], Iterable[bytes]]
    authorizer: Authorizer
    faults: ApiFaults
    clock: ScaledClock
    sources: Mapping[str, str]
    """The caller's Region, by the local address that it calls; other callers are `outside`."""
    operations: dict[tuple[str, str], Operation] = field(default_factory=dict)
    after: dict[tuple[str, str], Callable[[ApiCall, Params, bytes], None]] = field(
        default_factory=dict
    )
    """Hooks that run after moto has carried out an operation."""
    calls: RingLog[ApiCall] = field(default_factory=lambda: RingLog(AUDIT_MAX))
    stopping: threading.Event = field(default_factory=threading.Event)
    unreachable: Callable[[str, str], bool] = lambda _source, _region: False
    """Whether a caller gets no answer from a Region's API: (caller's Region, API's Region)."""
    _locks: dict[str, threading.RLock] = field(default_factory=dict)
    """moto is not thread-safe: each service handles one call at a time."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        signed = read_request(environ)
        source = self.sources.get(str(environ.get("SERVER_NAME")), "outside")
        asked = None
        try:
            signature = read_signature(signed)
            if signature is None:
                raise refusal_of(signed)  # noqa: TRY301 - handled below
            asked = identify(
                environ,
                signed,
                signing=signature.service,
                region=signature.region,
                source=source,
                key_id=signature.key_id,
            )
            status, headers, body = self._answer(asked, signature, start_response)
        except _CallerGoneError:
            return []
        except RequestRefusedError as error:
            status, headers, body = _refusal(asked, signed, error)
        except Exception as error:  # noqa: BLE001 - a failure is answered in the service's form, too
            failed = RequestRefusedError("InternalFailure", f"{type(error).__name__}: {error}", 500)
            status, headers, body = _refusal(asked, signed, failed)
        if asked is not None:
            self._keep(asked.call, status, body)
        start_response(f"{status} -", [(k, str(v)) for k, v in headers.items()])
        return [body]

    def _answer(
        self, asked: RequestContext, signature: Signature, start_response: StartResponse
    ) -> ApiResponse:
        call = asked.call
        call.at_s = self.clock.now_s()
        if self.unreachable(call.source, call.region):
            self._meet(ApiFault(mode=ApiFaultMode.HANG), asked)
        fault = self.faults.met_by(
            region=call.region,
            service=call.service,
            operation=call.operation,
            source=call.source,
        )
        if fault is not None:
            self._meet(fault, asked)
        self._verify(asked, signature)
        if asked.malformed is not None:
            raise asked.malformed
        _refuse_two_meanings(asked, signature)
        self._authorize(asked)
        answer = self._carry_out(asked, start_response)
        if fault is not None and fault.mode is ApiFaultMode.AFTER:
            self._keep(call, 0, b"")
            self._close(asked)
        return answer

    def _meet(self, fault: ApiFault, asked: RequestContext) -> None:
        """Apply a fault to a call.

        Raises:
            RequestRefusedError: If the fault has an answer.
            _CallerGoneError: If the fault has no answer.
        """
        match fault.mode:
            case ApiFaultMode.REFUSE:
                self._keep(asked.call, 0, b"")
                self._close(asked)
            case ApiFaultMode.HANG:
                self._keep(asked.call, 0, b"")
                self.stopping.wait(HANG_S)
                self._close(asked)
            case ApiFaultMode.UNAVAILABLE:
                raise RequestRefusedError("ServiceUnavailable", "Service is unavailable", 503)
            case ApiFaultMode.THROTTLE:
                raise RequestRefusedError("ThrottlingException", "Rate exceeded", 400)
            case ApiFaultMode.DENY:
                raise RequestRefusedError(
                    "AccessDeniedException", "The caller is not authorized", 400
                )
            case ApiFaultMode.SLOW:
                self.stopping.wait(fault.seconds)
            case ApiFaultMode.AFTER:
                return

    def _close(self, asked: RequestContext) -> None:
        connection = asked.environ.get("werkzeug.socket")
        if connection is not None:
            connection.shutdown(2)
        raise _CallerGoneError

    def _verify(self, asked: RequestContext, signature: Signature) -> None:
        """Refuse a request that is not signed, now, with the access key that it names."""
        holder = self.authorizer.holder_of(signature.key_id)
        if holder is None:
            raise _unknown_signer(asked)
        if "host" not in signature.headers or not is_signed_with(
            holder.secret, signature, asked.signed
        ):
            message = (
                "The request signature we calculated does not match the signature you provided."
            )
            raise _bad_signature(asked, message)
        if holder.token is not None and signature.token != holder.token:
            raise _unknown_signer(asked)
        if holder.expires_s is not None and self.clock.now_s() >= holder.expires_s:
            raise _expired(asked)
        late = time_problem(signature, self.clock.now_s(), real_wall_s())
        if late is not None:
            raise _out_of_time(asked, signature, late)
        changed = body_problem(signature, asked.signed)
        if changed is not None:
            code = "XAmzContentSHA256Mismatch" if "match" in changed else "InvalidRequest"
            raise RequestRefusedError(code, changed, 400)
        asked.call.principal = holder.arn

    def _authorize(self, asked: RequestContext) -> None:
        try:
            self.authorizer.authorize(asked.call, asked.signing_region)
        except CannotTellError as error:
            message = (
                f"the twin cannot tell: {error}; it refuses rather than guess. "
                f"{asked.call.principal} asked {asked.call.service}:{asked.call.operation}"
            )
            raise RequestRefusedError("TwinCannotAuthorize", message, 403) from error

    def _carry_out(self, asked: RequestContext, start_response: StartResponse) -> ApiResponse:
        call = asked.call
        ours = self.operations.get((call.service, call.operation))
        if ours is not None:
            try:
                return asked.answer(ours(call, call.params))
            except LeaveToMotoError:
                return self._moto(asked, start_response)
            except ServiceException as error:
                call.error = error.code
                status, headers, body = asked.answer(error)
                return getattr(error, "status", None) or status, headers, body
            except RequestRefusedError:
                raise
            except Exception as error:
                raise _failed(call, f": {type(error).__name__}: {error}") from error
        return self._moto(asked, start_response)

    def _moto(self, asked: RequestContext, _start_response: StartResponse) -> ApiResponse:
        response: JsonObject = {}

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            response["status"], response["headers"] = (
                int(status.split(maxsplit=1)[0]),
                dict(headers),
            )

        lock = self._locks.setdefault(asked.call.service, threading.RLock())
        try:
            with lock:
                body = b"".join(self.moto(asked.environ, start))
        except NotImplementedError as error:
            call = asked.call
            message = f"the twin does not carry out {call.service}:{call.operation}"
            raise RequestRefusedError("TwinNotImplemented", message, 501) from error
        except Exception as error:
            raise _failed(asked.call, f": {type(error).__name__}: {error}") from error
        status = int(response["status"])
        if status >= 400 and body.lstrip().lower().startswith(b"<!doctype html"):  # noqa: PLR2004 - HTTP
            raise _not_of_aws(asked.call, status)
        if status < 300:  # noqa: PLR2004 - HTTP status classes
            then = self.after.get((asked.call.service, asked.call.operation))
            if then is not None:
                then(asked.call, asked.call.params, body)
        return status, response["headers"], body

    def _keep(self, call: ApiCall, status: int, body: bytes) -> None:
        call.status = status
        if status >= 400 and not call.error:  # noqa: PLR2004 - HTTP status classes
            call.error = body[:300].decode(errors="replace")
        self.calls.append(call)


JSON_PROTOCOLS = frozenset({"json", "rest-json"})


def _unknown_signer(asked: RequestContext) -> RequestRefusedError:
    """Return the refusal of a key or a token that nobody has, with the service's own code."""
    message = "The security token included in the request is invalid."
    if asked.call.service == "ec2":
        message = "AWS was not able to validate the provided access credentials"
        return RequestRefusedError("AuthFailure", message, 401)
    if asked.call.service == "s3":
        return RequestRefusedError("InvalidAccessKeyId", message, 403)
    if asked.protocol in JSON_PROTOCOLS:
        status = 400 if asked.protocol == "json" else 403
        return RequestRefusedError("UnrecognizedClientException", message, status)
    return RequestRefusedError("InvalidClientTokenId", message, 403)


def _expired(asked: RequestContext) -> RequestRefusedError:
    """Return the refusal of a session's key after its end."""
    message = "The security token included in the request is expired"
    if asked.call.service == "ec2":
        return RequestRefusedError("RequestExpired", "Request has expired.", 400)
    if asked.protocol in JSON_PROTOCOLS:
        status = 400 if asked.protocol == "json" else 403
        return RequestRefusedError("ExpiredTokenException", message, status)
    return RequestRefusedError("ExpiredToken", message, 400 if asked.call.service == "s3" else 403)


def _bad_signature(asked: RequestContext, message: str) -> RequestRefusedError:
    if asked.call.service == "ec2":
        text = "AWS was not able to validate the provided access credentials"
        return RequestRefusedError("AuthFailure", text, 401)
    if asked.protocol in JSON_PROTOCOLS:
        status = 400 if asked.protocol == "json" else 403
        return RequestRefusedError("InvalidSignatureException", message, status)
    return RequestRefusedError("SignatureDoesNotMatch", message, 403)


def _out_of_time(asked: RequestContext, signature: Signature, message: str) -> RequestRefusedError:
    """Return the refusal of a signature that is too old or too new; S3 and EC2 have own codes."""
    if asked.call.service == "ec2":
        return RequestRefusedError("RequestExpired", "Request has expired.", 400)
    if asked.call.service != "s3":
        return _bad_signature(asked, message)
    if "Expires" in message:
        return RequestRefusedError("AuthorizationQueryParametersError", message, 400)
    if signature.presigned:
        text = "Request has expired" if "expired" in message else "Request is not valid yet"
        return RequestRefusedError("AccessDenied", text, 403)
    text = "The difference between the request time and the current time is too large."
    return RequestRefusedError("RequestTimeTooSkewed", text, 403)


def _not_of_aws(call: ApiCall, status: int) -> RequestRefusedError:
    """Return what to answer instead of the page of a web framework."""
    if status < 500:  # noqa: PLR2004 - HTTP status classes
        message = f"the twin does not carry out {call.service}:{call.operation}"
        return RequestRefusedError("TwinNotImplemented", message, 501)
    return _failed(call, "")


def _failed(call: ApiCall, why: str) -> RequestRefusedError:
    message = f"the twin failed to carry out {call.service}:{call.operation}{why}"
    return RequestRefusedError("InternalFailure", message, 500)


class _CallerGoneError(Exception):
    """The connection is closed, so no caller is left to answer."""


def _refuse_two_meanings(asked: RequestContext, signature: Signature) -> None:
    """Refuse a request that moto would read as another operation or service than was authorized."""
    environ = asked.environ
    path = str(environ.get("PATH_INFO", ""))
    if path.startswith(("/moto-api", "/latest/")) or path == "/favicon.ico":
        raise RequestRefusedError("UnknownOperationException", f"nothing is at {path}", 404)
    named = parse_qs(str(environ.get("QUERY_STRING", ""))).get("Action", [])
    if "urlencoded" in str(environ.get("CONTENT_TYPE", "")):
        named += parse_qs(asked.signed.body.decode("latin-1")).get("Action", [])
    if named not in ([], [asked.call.operation]):
        raise RequestRefusedError("InvalidAction", "the request names more than one action", 400)
    # A presigned GetCallerIdentity is how one party proves to another who it is.
    call = f"{asked.call.service}:{asked.call.operation}"
    if signature.presigned and asked.call.service != "s3" and call != "sts:GetCallerIdentity":
        message = "the twin takes presigned requests for S3 and for sts:GetCallerIdentity only"
        raise RequestRefusedError("InvalidAction", message, 400)


def _refusal(
    asked: RequestContext | None, signed: SignedRequest, error: RequestRefusedError
) -> ApiResponse:
    """Return a refusal in the service's own protocol, or in the caller's if no service is known."""
    if asked is None:
        return error.status, *refused(signed, error)
    service, code, status, message = asked.call.service, error.code, error.status, error.message
    if code == DENIED:
        code = ACCESS_DENIED.get(service, code)
        status = 400 if service in DENIED_AS_400 else status
        message = f"{EC2_SAYS_FIRST}{message}" if service == "ec2" else message
    asked.call.error = code
    _, headers, body = asked.answer(api_error(code, message))
    return status, headers, body


DENIED = "AccessDenied"
DENIED_AS_400 = frozenset({"dynamodb", "kms", "events", "logs", "ssm", "secretsmanager"})
EC2_SAYS_FIRST = "You are not authorized to perform this operation. "
ACCESS_DENIED: Mapping[str, str] = {
    "ec2": "UnauthorizedOperation",
    "sns": "AuthorizationError",
    **dict.fromkeys(
        (
            *("dynamodb", "kms", "events", "logs", "ssm", "secretsmanager", "lambda", "backup"),
            *("scheduler", "firehose", "acm", "cloudwatch"),
        ),
        "AccessDeniedException",
    ),
}
"""Each service's own code for a refusal; the other services return `AccessDenied`."""
