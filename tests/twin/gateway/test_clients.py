"""The twin as others see it: AWS's own command line, and an SDK of another language."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from twin.conftest import ACCOUNT, EAST

pytestmark = pytest.mark.slow

SCRIPT = """
const { SQSClient, CreateQueueCommand } = require("@aws-sdk/client-sqs");
const client = new SQSClient({ endpoint: process.env.AWS_ENDPOINT_URL, region: "us-east-2" });
client.send(new CreateQueueCommand({ QueueName: "from-javascript" }))
  .then((made) => console.log(made.QueueUrl))
  .catch((error) => { console.error(error.name, error.message); process.exit(1); });
"""


def environment(bare):
    """Return what a client of any kind is told."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ENDPOINT_URL": bare.known["endpoint"],
        "AWS_DEFAULT_REGION": EAST,
        "AWS_ACCESS_KEY_ID": bare.known["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": bare.known["secret_access_key"],
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_PAGER": "",
    }


def aws(bare, *words):
    """Run the AWS CLI; return (its exit code, what it printed, what it complained of)."""
    done = subprocess.run(
        [sys.executable, "-m", "awscli", *words, "--output", "json"],
        env=environment(bare),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_aws_cli_makes_and_describes(bare):
    """Query, JSON, REST and S3: one call of each protocol."""
    code, out, err = aws(bare, "sts", "get-caller-identity")
    assert (code, err) == (0, "")
    assert json.loads(out)["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/provisioner"
    assert aws(bare, "dynamodb", "list-tables")[0] == 0
    assert aws(bare, "lambda", "list-functions")[0] == 0
    assert (
        aws(bare, "s3api", "create-bucket", "--bucket", "by-hand", "--region", "us-east-1")[0] == 0
    )
    assert "by-hand" in aws(bare, "s3api", "list-buckets")[1]
    assert aws(bare, "ec2", "create-vpc", "--cidr-block", "10.77.0.0/16")[0] == 0
    code, _, err = aws(
        bare,
        "rds",
        "failover-global-cluster",
        "--global-cluster-identifier",
        "none",
        "--target-db-cluster-identifier",
        "none",
        "--allow-data-loss",
    )
    assert code != 0
    assert "GlobalClusterNotFoundFault" in err


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm on this machine")
def test_a_javascript_client_makes_a_queue(bare, tmp_path):
    """AWS's SDK for JavaScript, signed by its own signer."""
    made = subprocess.run(
        [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--fetch-retries=0",
            "--prefix",
            tmp_path,
            "@aws-sdk/client-sqs@3",
        ],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"npm cannot reach a registry: {made.stderr[-200:]}")
    script = tmp_path / "queue.js"
    script.write_text(SCRIPT)
    done = subprocess.run(
        ["node", script],
        env=environment(bare),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("/from-javascript")
    assert "from-javascript" in str(bare.aws("sqs").list_queues())
