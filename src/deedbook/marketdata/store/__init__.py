"""SQL of this room: the only writer of its tables."""
