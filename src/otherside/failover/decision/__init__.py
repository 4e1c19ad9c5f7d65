"""The pure decision: observations in, one decision out."""
