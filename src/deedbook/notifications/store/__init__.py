"""SQL of this room, one module for each thing."""
