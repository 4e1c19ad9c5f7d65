"""Deploying by Pulumi's own engine, and what a change means for a recovery before it is made."""
