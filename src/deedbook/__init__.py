"""Deedbook: real-world assets issued, approved, tokenized and traded."""

__version__ = "0.1.0"
