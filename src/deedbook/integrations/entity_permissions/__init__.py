"""The Entity Permissions Core: asking it, telling it, and believing what it sends."""
