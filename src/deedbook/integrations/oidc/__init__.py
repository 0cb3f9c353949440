"""OpenID Connect issuers: where they are found, and the keys under which their tokens stand."""
