"""The pure decision core: observations in, one decision out."""
