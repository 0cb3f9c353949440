"""A KYC provider over HTTP."""
