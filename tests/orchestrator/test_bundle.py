"""What ships to Lambda: complete, small, and light."""

import json
import subprocess
import sys

import boto3
import pytest

from otherside.core import names
from otherside.infra.bundle import bundle_files

HANDLERS = [names.DECIDER_HANDLER, names.ACTUATOR_HANDLER, names.ROTATION_HANDLER]
RUNTIME_HAS = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"}


@pytest.fixture
def unpacked(tmp_path):
    """Put the bundle's files where Lambda would, and nothing else of ours."""
    for inside, source in bundle_files().items():
        target = tmp_path / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return tmp_path


LOAD = """
import importlib, json, sys
before = set(sys.modules)
module, _, function = sys.argv[1].rpartition(".")
found = callable(getattr(importlib.import_module(module), function))
tops = {name.split(".")[0] for name in set(sys.modules) - before}
files = {name: getattr(sys.modules.get(name), "__file__", None) or "" for name in tops}
outside = [name for name, file in files.items() if "site-packages" in file]
print(json.dumps({"found": found, "outside": outside, "rooms": sorted(
    name for name in sys.modules if name.startswith("otherside."))}))
"""


@pytest.mark.parametrize("handler", HANDLERS)
def test_each_handler_loads_in_a_fresh_process_from_the_bundle_alone(unpacked, handler):
    """It is there, and it needs nothing that Lambda's Python runtime does not carry."""
    site = boto3.__file__.rsplit("/boto3/", 1)[0]
    code = f"import sys; sys.path[:0] = [{str(unpacked)!r}]; sys.path.append({site!r})\n{LOAD}"
    command = [sys.executable, "-I", "-S", "-c", code, handler]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    loaded = json.loads(done.stdout)
    assert loaded["found"]
    assert set(loaded["outside"]) <= RUNTIME_HAS
    rooms = {name.split(".")[1] for name in loaded["rooms"]}
    assert rooms == {"core", "orchestrator"}


def test_the_bundle_is_small():
    """A page of code loads fast; a megabyte does not."""
    assert sum(source.stat().st_size for source in bundle_files().values()) < 200_000


def test_a_missing_setting_is_named():
    """A function that was wired wrongly says what it lacks, all of it."""
    with pytest.raises(names.MissingSettingError) as caught:
        names.RotationSettings.from_environment({"OTHERSIDE_HOME_REGION": "us-east-2"})
    assert "OTHERSIDE_GLOBAL_CLUSTER" in str(caught.value)
    assert "OTHERSIDE_HOME_REGION" not in str(caught.value)


def test_settings_survive_the_journey():
    """What the stack writes is what the function reads."""
    settings = names.RotationSettings(global_cluster="orders-prod", home_region="us-east-2")
    assert settings == names.RotationSettings.from_environment(settings.to_environment())
