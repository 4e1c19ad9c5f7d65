"""Does the state of a deployment survive the primary? Without it nobody deploys in a disaster.

Backends: https://www.pulumi.com/docs/iac/concepts/state-and-backends/ ;
secrets providers: https://www.pulumi.com/docs/iac/concepts/secrets/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRisk:
    """Why the state, or the key of its secrets, may be gone when it is needed."""

    what: str
    """`backend` or `secrets key`."""
    text: str
    fix: str


def state_risks(backend: str, secrets_provider: str, primary: str) -> list[StateRisk]:
    """Return what of a deployment's state would be lost with the primary's Region.

    `backend` is the URL that `pulumi whoami` tells, `secrets_provider` the one in the stack's
    file, empty for the backend's own. Where a Region is not named, that is a risk, too: nobody
    can tell.
    """
    return [*_of_backend(backend, primary), *_of_secrets(secrets_provider, primary)]


def _of_backend(url: str, primary: str) -> Iterator[StateRisk]:
    parts = urlsplit(url)
    if parts.scheme == "file":
        yield StateRisk(
            what="backend",
            text=f"the state is in {url}, on this machine alone",
            fix="`pulumi login` to a backend outside the primary's Region",
        )
    if parts.scheme == "s3":
        region = (parse_qs(parts.query).get("region") or [""])[0]
        yield from _in_region("backend", f"the bucket {parts.netloc}", region, primary, "?region=")


def _of_secrets(provider: str, primary: str) -> Iterator[StateRisk]:
    parts = urlsplit(provider)
    if parts.scheme != "awskms":
        return
    named = re.search(r"arn:aws[\w-]*:kms:([a-z0-9-]+):", provider)
    region = named[1] if named else (parse_qs(parts.query).get("region") or [""])[0]
    yield from _in_region("secrets key", "the key of its secrets", region, primary, "?region=")


def _in_region(what: str, who: str, region: str, primary: str, how: str) -> Iterator[StateRisk]:
    if not region:
        yield StateRisk(
            what=what,
            text=f"the Region of {who} is not named, so it may be the primary's",
            fix=f"name it in the URL, by {how}, and let it be another than {primary}",
        )
    elif region == primary:
        yield StateRisk(
            what=what,
            text=f"{who} is in {region}, the primary's Region",
            fix="move it to the standby's Region, or out of both",
        )
