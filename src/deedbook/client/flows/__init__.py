"""What a client does, as flows, one module for each part of the API."""
