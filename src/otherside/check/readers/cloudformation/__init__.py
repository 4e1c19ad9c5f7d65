"""Reads CloudFormation and CDK templates."""
