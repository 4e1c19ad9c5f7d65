"""Three calls of AWS for an instance that has no SDK: signed by hand, over HTTPS, without retries.

The AWS CLI would do as well, and takes a second of the processor each time; the lease is renewed
every five. Signatures follow Signature Version 4:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import calendar
import hashlib
import hmac
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 1.5  # twice this and a renewal's pause are less than what a peer's word is good for
METADATA = "http://169.254.169.254"
REFRESH_S = 300.0  # credentials are fetched again this long before they expire


class Credentials:
    """The instance's own, from the environment or the metadata service."""

    def __init__(self, environment=os.environ):
        """Remember where to look."""
        self._environment, self._held, self._until_s = environment, None, 0.0

    def get(self):
        """Return (key, secret, token); raise OSError where there are none."""
        known = self._environment
        if known.get("AWS_ACCESS_KEY_ID"):
            return (
                known["AWS_ACCESS_KEY_ID"],
                known["AWS_SECRET_ACCESS_KEY"],
                known.get("AWS_SESSION_TOKEN"),
            )
        if self._held is None or time.time() > self._until_s:
            self._fetch()
        return self._held

    def _fetch(self):
        base = self._environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", METADATA).rstrip("/")
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
        token = _fetch(f"{base}/latest/api/token", method="PUT", headers=ttl)
        asked = {"X-aws-ec2-metadata-token": token}
        path = f"{base}/latest/meta-data/iam/security-credentials/"
        role = _fetch(path, headers=asked).strip()
        found = json.loads(_fetch(path + role, headers=asked))
        self._held = (found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
        expires = calendar.timegm(time.strptime(found["Expiration"], "%Y-%m-%dT%H:%M:%SZ"))
        self._until_s = expires - REFRESH_S


def _fetch(url, method="GET", headers=None, body=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return answer.read().decode()


def dynamodb(operation, region, arguments, credentials, environment=os.environ):
    """Make one call of DynamoDB in one Region; return its answer.

    Whatever goes wrong is an OSError that names the kind of trouble and nothing else.
    """
    endpoint = environment.get("AWS_ENDPOINT_URL_DYNAMODB") or environment.get("AWS_ENDPOINT_URL")
    url = (endpoint or f"https://dynamodb.{region}.amazonaws.com").rstrip("/") + "/"
    body = json.dumps(arguments).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
    }
    signed = sign(url, headers, body, region, "dynamodb", credentials.get())
    try:
        return json.loads(_fetch(url, method="POST", headers=signed, body=body))
    except urllib.error.HTTPError as error:
        raise OSError(f"{operation}: HTTP {error.code}") from None
    except ValueError:
        raise OSError(f"{operation}: the answer is no JSON") from None
    except http.client.HTTPException as error:
        raise OSError(f"{operation}: {type(error).__name__}") from None


def sign(url, headers, body, region, service, keys, at=None):
    """Return the headers of a POST with its signature among them."""
    key, secret, token = keys
    at = time.gmtime() if at is None else at
    moment, day = time.strftime("%Y%m%dT%H%M%SZ", at), time.strftime("%Y%m%d", at)
    parts = urllib.parse.urlsplit(url)
    all_headers = {**headers, "Host": parts.netloc, "X-Amz-Date": moment}
    if token:
        all_headers["X-Amz-Security-Token"] = token
    lower = {name.lower(): " ".join(value.split()) for name, value in all_headers.items()}
    names = ";".join(sorted(lower))
    listed = "".join(f"{name}:{lower[name]}\n" for name in sorted(lower))
    digest = hashlib.sha256(body).hexdigest()
    request = "\n".join(["POST", parts.path or "/", "", listed, names, digest])
    scope = f"{day}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"
    step = f"AWS4{secret}".encode()
    for word in (day, region, service, "aws4_request"):
        step = hmac.new(step, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(step, text.encode(), hashlib.sha256).hexdigest()
    all_headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return all_headers
