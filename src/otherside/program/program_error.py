"""The error of a Pulumi program that cannot be declared here."""


class ProgramError(Exception):
    """Raised when a program cannot be declared; the message says where and why."""
