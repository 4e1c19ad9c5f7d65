"""Multi-region disaster recovery for AWS that never forgets the other side."""

__version__ = "0.1.0"
