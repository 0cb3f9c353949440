"""Deedbook for programs: what a client needs to follow and to trade. It knows nothing of the server's insides."""
