"""Benches: how fast the running platform is, and what a unit of its work costs. Numbers, never a pass or fail."""
