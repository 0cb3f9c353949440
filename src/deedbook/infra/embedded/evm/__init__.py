"""A chain in memory for machines that have Python alone: py-evm behind the JSON-RPC that a node speaks.

Not for more than trying things out: it executes a few million gas a second, and forgets everything when it ends.
"""
