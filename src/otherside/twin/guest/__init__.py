"""Code that runs inside the twin's instances and functions: clock, network and commands.

`site` goes onto the Python path of every guest; `bin` goes onto the PATH of instances. Nothing here
imports anything but the standard library until a guest asks for it.
"""

from pathlib import Path

HERE = Path(__file__).parent
SITE = HERE / "site"
BIN = HERE / "bin"
