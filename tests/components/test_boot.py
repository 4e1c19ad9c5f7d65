"""What an instance does when it boots: its logs leave it, and nothing waits for that."""

import configparser
import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from otherside.components.boot import SHIPPED, application_files, boot_script, release_digest

TERMS = {
    "APPLICATION": "orders",
    "REGION": "us-east-2",
    "BUCKET": "b",
    "KEY": "k",
    "LOG_GROUP": "/orders/app",
    "HEALTH_PATH": "/health.html",
}
SCRIPT = boot_script(None, TERMS, {"DATABASE_HOST": "db"})
DOCUMENTS = dict(
    re.findall(r"^cat >(\S+) <<'\w+'\n(.*?)^[A-Z]+$", SCRIPT, re.MULTILINE | re.DOTALL)
)
UNITS = {name: text for name, text in DOCUMENTS.items() if name.endswith(".service")}


def unit(name):
    """Return a service's settings; of a name that is given twice, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(UNITS[f"/etc/systemd/system/{name}.service"])
    return parser["Service"]


def test_bash_accepts_it():
    """Without running any of it."""
    done = subprocess.run(
        ["/bin/bash", "-n"], input=SCRIPT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_three_logs_leave_the_instance_each_by_its_own_name():
    """Of a pattern the agent follows the newest file alone, so there is none."""
    agent = json.loads(DOCUMENTS["/opt/otherside/agent.json"])
    listed = agent["logs"]["logs_collected"]["files"]["collect_list"]
    assert {item["log_stream_name"] for item in listed} == {
        f"{{instance_id}}/{name}" for name in ("boot", "app", "lease-agent")
    }
    assert {item["log_group_name"] for item in listed} == {"/orders/app"}
    assert not [item for item in listed if "*" in item["file_path"]]


@pytest.mark.parametrize("name", ["app", "lease-agent"])
def test_a_service_writes_the_log_that_is_followed(name):
    """Both of its streams."""
    agent = json.loads(DOCUMENTS["/opt/otherside/agent.json"])
    followed = {
        item["log_stream_name"].partition("/")[2]: item["file_path"]
        for item in agent["logs"]["logs_collected"]["files"]["collect_list"]
    }
    service = unit(f"otherside-{name}")
    assert service["StandardOutput"] == service["StandardError"] == f"append:{followed[name]}"


def test_the_log_agent_is_installed_last_and_nothing_waits_for_it():
    """When the script ends, however it ends; a package that cannot be had keeps no instance out."""
    enabled = [line for line in SCRIPT.splitlines() if "enable" in line and "logs.service" in line]
    assert len(enabled) == 1
    assert enabled[0].startswith("trap ")
    assert enabled[0].endswith("|| true' EXIT")
    assert "--no-block" in enabled[0]
    installs = [name for name, text in DOCUMENTS.items() if "amazon-cloudwatch-agent\n" in text]
    assert installs == ["/opt/otherside/ship-logs.sh"]


def test_a_lease_agent_that_hangs_is_restarted():
    """By systemd's watchdog, however it hangs."""
    service = unit("otherside-lease-agent")
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) <= 60
    assert service["WatchdogSignal"] == "SIGKILL"
    assert service["Restart"] == "always"


@pytest.mark.parametrize(
    ("source", "gets"),
    [
        ("from service import Service, serve\n", True),
        ("import lease\n", True),
        ("from flask import Flask\n", False),
        ("import services\n", False),
        ("import os, service\n", True),
        ("def f():\n    from lease import guard_of\n", True),
        ('"""Moves goods\nfrom service to stock.\n"""\n', False),
        ("from .service import x\n", False),
        ("this is no Python", False),
    ],
)
def test_an_application_gets_what_it_builds_on_and_no_agent_that_it_does_not_ask(
    tmp_path, source, gets
):
    """With an agent beside it, an application without a lease would seem to be fenced."""
    (tmp_path / "app.py").write_text(source)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "app.pyc").write_text("")
    found = application_files(tmp_path)
    assert set(found) == ({"app.py", *SHIPPED} if gets else {"app.py"})
    assert found["app.py"] == tmp_path / "app.py"


def test_a_file_of_the_application_takes_the_place_of_ours(tmp_path):
    """And the release is another one whenever any file is."""
    (tmp_path / "app.py").write_text("import lease\n")
    before = release_digest(application_files(tmp_path))
    (tmp_path / "service.py").write_text("")
    assert application_files(tmp_path)["service.py"] == tmp_path / "service.py"
    assert release_digest(application_files(tmp_path)) != before


@pytest.mark.parametrize("name", ["service.py", "service/__init__.py"])
def test_a_module_of_the_applications_own_is_no_wish_for_ours(tmp_path, name):
    """Nor is a file that is no UTF-8 a reason to fail."""
    (tmp_path / "app.py").write_text("from service import OrderService\n")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    (tmp_path / "latin.py").write_bytes(b"# \xe4\n")
    assert set(application_files(tmp_path)) == {"app.py", name, "latin.py"}


def test_a_project_of_an_earlier_version_stays_as_it_is(tmp_path):
    """It has everything, so nothing is added, and no instance is replaced for it."""
    agent = Path(str(files("otherside") / "agent"))
    for name in ("aws.py", "heartbeat.py", "lease.py"):
        (tmp_path / name).write_bytes((agent / name).read_bytes())
    (tmp_path / "lease_agent.py").write_text(
        "from app import TROUBLE\nimport aws, heartbeat, lease\n"
    )
    (tmp_path / "app.py").write_text("from lease import guard_of\n")
    before = set(application_files(tmp_path))
    assert before == {"app.py", "aws.py", "heartbeat.py", "lease.py", "lease_agent.py"}
    (tmp_path / "app.py").write_text("from service import Service\n")
    with pytest.raises(
        ValueError, match=r"delete aws\.py, heartbeat\.py, lease\.py, lease_agent\.py"
    ):
        application_files(tmp_path)


def test_what_is_shipped_is_all_that_it_imports():
    """A file that is missing on an instance would be found in a disaster."""
    agent = Path(str(files("otherside") / "agent"))
    ours = {file.stem for file in agent.glob("*.py")}
    for name in SHIPPED:
        imported = set(
            re.findall(r"^(?:from|import) (\w+)", (agent / name).read_text(), re.MULTILINE)
        )
        assert {f"{module}.py" for module in imported & ours} <= set(SHIPPED), name
