"""The few AWS calls that an instance makes without an SDK: signed here, without retries.

The AWS CLI would work, too, but takes a second of CPU time per call, and the lease is renewed every
five seconds. Signatures follow Signature Version 4:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import calendar
import email.utils
import hashlib
import hmac
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 1.5
SERVER_ERROR = 500
METADATA = "http://169.254.169.254"
REFRESH_S = 300.0  # credentials are fetched again this long before they expire


class ServiceRefusedError(OSError):
    """Raised when the service refuses a call, and so was reached."""


class Credentials:
    """The instance's credentials, from the environment or the metadata service."""

    def __init__(self, environment=os.environ):
        self._environment, self._held, self._until_s = environment, None, 0.0

    def get(self):
        """Return (key, secret, token); raise OSError if there are none."""
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


def instance_id(environment=os.environ):
    """Return the instance's ID; raise OSError if there is no metadata service."""
    base = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", METADATA).rstrip("/")
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = _fetch(f"{base}/latest/api/token", method="PUT", headers=ttl)
    asked = {"X-aws-ec2-metadata-token": token}
    return _fetch(f"{base}/latest/meta-data/instance-id", headers=asked).strip()


def _fetch(url, method="GET", headers=None, body=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return answer.read().decode()


def dynamodb(operation, region, arguments, credentials, environment=os.environ):
    """Make one DynamoDB call in one Region; return its response.

    A refusal raises ServiceRefusedError: the service was reached. No response, or a server error,
    raises another OSError. The message names the type of the error and nothing else.
    """
    body = json.dumps(arguments).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
    }
    url = _endpoint("dynamodb", region, environment) + "/"
    answer = _call(operation, "POST", url, headers, body, region, "dynamodb", credentials)
    return answer[0]


def s3_object(bucket, key, region, credentials, environment=os.environ):
    """Return (a JSON object's content, the server's time); raise errors as in `dynamodb`."""
    given = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    host = f"https://{bucket}.s3.{region}.amazonaws.com"
    url = f"{given.rstrip('/')}/{bucket}/{key}" if given else f"{host}/{key}"
    digest = hashlib.sha256(b"").hexdigest()
    headers = {"X-Amz-Content-Sha256": digest}
    return _call("GetObject", "GET", url, headers, b"", region, "s3", credentials)


def _endpoint(service, region, environment):
    named = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
    given = named or environment.get("AWS_ENDPOINT_URL")
    return (given or f"https://{service}.{region}.amazonaws.com").rstrip("/")


def _call(operation, method, url, headers, body, region, service, credentials):
    """Make one signed call; return (the response's JSON, the server's time)."""
    signed = sign(url, headers, body, region, service, credentials.get(), method=method)
    request = urllib.request.Request(url, data=body or None, method=method, headers=signed)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            told = email.utils.parsedate_to_datetime(answer.headers.get("Date") or "")
            return json.loads(answer.read().decode()), told.timestamp()
    except urllib.error.HTTPError as error:
        kind = ServiceRefusedError if error.code < SERVER_ERROR else OSError
        raise kind(f"{operation}: HTTP {error.code}") from None
    except (ValueError, TypeError):
        raise OSError(f"{operation}: the answer cannot be read") from None
    except http.client.HTTPException as error:
        raise OSError(f"{operation}: {type(error).__name__}") from None


def sign(url, headers, body, region, service, keys, at=None, method="POST"):
    """Return a request's headers, including its signature."""
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
    request = "\n".join([method, parts.path or "/", "", listed, names, digest])
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
