"""What says how to install the parts that the base install leaves out."""

from pathlib import Path

import pytest

from otherside.extras import hint, missing, needs

SOURCE = Path(__file__).parents[1] / "src" / "otherside"
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_only_one_place_in_the_code_says_how_to_install():
    """A hint that names what works today changes in one place when that changes."""
    says = {
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        if "pip install" in file.read_text(encoding="utf-8")
    }
    assert says == {"extras.py", "check/policy_pack.py"}  # the latter in its own documentation


@pytest.mark.parametrize("extra", ["operate", "infra", "policy", "twin", "drill"])
def test_a_hint_names_an_extra_that_there_is(extra):
    """And a clone, since no index has the package."""
    assert f"\n{extra} = [" in PYPROJECT.read_text(encoding="utf-8")
    assert hint(extra) == f"run `pip install '.[{extra}]'` in your clone of otherside"


@pytest.mark.parametrize(
    ("module", "distribution"),
    [("google.protobuf", "protobuf"), ("pulumi_aws", "pulumi-aws"), ("boto3", "boto3")],
)
def test_what_is_missing_is_named_as_it_is_installed(module, distribution):
    """Nobody can install `google`."""
    assert needs("preview", module, "infra").startswith(f"preview needs {distribution}: run `pip")


def test_what_is_there_is_not_missing():
    """The names are those of distributions."""
    assert missing(("json", "embedded_nothing", "pulumi_nothing")) == (
        "embedded_nothing, pulumi_nothing"
    )
