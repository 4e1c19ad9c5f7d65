"""Well-known modules of Terraform's registry: for each, in HCL, what its inputs become.

A module that `terraform init` has not fetched cannot be read. Most Terraform is made of a few such
modules, so the ones here are described as far as rules ask: variables with their defaults, the
resources made of them, and the outputs that others refer to. What the real module makes besides is
left out, and a version that is not described is not guessed.
"""

import re
from pathlib import Path

_HERE = Path(__file__).parent
_SOURCE = re.compile(r"(?:registry\.terraform\.io/)?terraform-aws-modules/([a-z0-9-]+)/aws")
MAJORS: dict[str, range] = {
    "alb": range(9, 11),
    "autoscaling": range(7, 10),
    "dynamodb-table": range(3, 6),
    "lambda": range(5, 9),
    "rds-aurora": range(8, 11),
    "s3-bucket": range(3, 6),
    "vpc": range(4, 7),
}
"""The major versions that each description holds for: inputs and their defaults were compared with
the last release of each."""


def described(source: str, version: object) -> Path | None:
    """Return the description of a module's source at a version, if there is one.

    Without a version Terraform takes the newest; a constraint counts by the major that it begins
    with.
    """
    named = _SOURCE.fullmatch(source)
    majors = MAJORS.get(named[1]) if named else None
    if named is None or majors is None:
        return None
    if version is not None:
        found = re.match(r"[\s~>=v]*(\d+)", version) if isinstance(version, str) else None
        if found is None or int(found[1]) not in majors:
            return None
    return _HERE / named[1]


def is_description(directory: Path) -> bool:
    """Return whether a directory is one of ours."""
    return directory.parent == _HERE
