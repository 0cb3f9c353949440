"""Bodies of requests and answers. Names are camelCase on the wire; unknown fields are refused."""
