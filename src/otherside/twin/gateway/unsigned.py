"""What a caller without a signature is told, in the form that it speaks.

Without a signature nothing says which service is meant, so the request's own form does: a form with
an `Action` is answered in XML, a target in JSON, a dated path as that service has it, and the rest
as S3 answers.
"""

import json
import re
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from otherside.twin.gateway.protocol import RequestRefusedError
from otherside.twin.gateway.sigv4 import SignedRequest

FEDERATED = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
"""Operations that AWS takes without a signature: the identity provider's signature is in them."""
_DATED = re.compile(r"/20\d\d-\d\d-\d\d/")
_ROUTE53 = "/2013-04-01/"
_CUT = 1 << 16
"""An action stands at the beginning of a form."""


def refusal_of(request: SignedRequest) -> RequestRefusedError:
    """Return why a request without a signature is refused."""
    action = _action(request)
    if action in FEDERATED:
        message = (
            f"{action}: the twin has no identity providers, so it cannot trust their signatures"
        )
        return RequestRefusedError("TwinNotImplemented", message, 501)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        message = "the twin takes no uploads by forms, whose signature is a field of theirs"
        return RequestRefusedError("TwinNotImplemented", message, 501)
    if _speaks(request) == "s3":
        return RequestRefusedError("AccessDenied", "Access Denied", 403)
    message = "Request is missing Authentication Token"
    return RequestRefusedError("MissingAuthenticationToken", message, 403)


def refused(request: SignedRequest, error: RequestRefusedError) -> tuple[dict[str, str], bytes]:
    """Return a refusal's headers and body as the caller reads them."""
    code, message = escape(error.code), escape(error.message)
    if _speaks(request) == "json":
        text = json.dumps({"__type": error.code, "message": error.message})
        return {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}, text.encode()
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    if _speaks(request) == "s3":
        text = f"<Error>{inner}</Error>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return {"Content-Type": "text/xml"}, f"{head}{text}".encode()


def _speaks(request: SignedRequest) -> str:
    """Return `json`, `query` or `s3`."""
    if "x-amz-target" in request.headers:
        return "json"
    if _action(request) is not None or request.path.startswith(_ROUTE53):
        return "query"
    kind = request.headers.get("content-type", "")
    return "json" if "json" in kind or _DATED.match(request.path) else "s3"


def _action(request: SignedRequest) -> str | None:
    texts = [request.query]
    if "form" in request.headers.get("content-type", ""):
        texts.append(request.body[:_CUT].decode("utf-8", errors="replace"))
    found = [name for text in texts for name in parse_qs(text).get("Action", ())]
    return found[0] if found else None
