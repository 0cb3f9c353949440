"""Real servers, started and killed."""
