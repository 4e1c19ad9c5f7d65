"""`python -m otherside.cli`: the command, where it is not on the path."""

from otherside.cli import main

main()
