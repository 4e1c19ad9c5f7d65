"""A program that somebody interrupts."""

import subprocess
import sys

PROGRAM = """
import asyncio
import pulumi
import pulumi_aws as aws

never = asyncio.get_running_loop().create_future()
aws.sns.Topic("t", name=pulumi.Output.from_input(never))
raise KeyboardInterrupt
"""
RUN = """
import sys
from pathlib import Path
from otherside.program.project import declare_directory
try:
    declare_directory(Path(sys.argv[1]))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_what_waits_for_the_rest_of_an_interrupted_program_is_not_waited_for(tmp_path):
    """Pulumi waits for every resource; of these one would wait for ever, and so did `twin up`."""
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {aws:region: us-east-1}\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("interrupted\n", 0)
