"""Shared by an instance's commands: sends requests to the twin through the gateway."""

import os
import socket
import sys


def ask(question):
    """Send a request to the twin and return its answer; exit with its reason if it refuses."""
    answer = socket.otherside_ask(question)
    if answer.get("error"):
        sys.exit(f"{os.path.basename(sys.argv[0])}: {answer['error']}")
    return answer
