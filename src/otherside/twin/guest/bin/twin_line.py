"""What the commands of an instance share: a line to the twin, through the instance's gateway."""

import os
import socket
import sys


def ask(question):
    """Ask the twin something; stop with its reason where it refuses."""
    answer = socket.otherside_ask(question)
    if answer.get("error"):
        sys.exit(f"{os.path.basename(sys.argv[0])}: {answer['error']}")
    return answer
