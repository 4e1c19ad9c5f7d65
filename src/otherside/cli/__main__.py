"""Entry point of `python -m otherside.cli`, for when `otherside` is not on the PATH."""

from otherside.cli import main

main()
