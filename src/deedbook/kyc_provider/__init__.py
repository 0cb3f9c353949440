"""The embedded KYC provider: one small HTTP service with rules that anybody can follow.

It plays the outside world where no real provider is configured, and imports nothing else of this package. It
looks at no real list and no real paper: it is for development, tests and demonstrations. `rules` says what it
decides by.
"""

from deedbook.kyc_provider.app import ProviderConfig, create_app, make_server, serve

__all__ = ["ProviderConfig", "create_app", "make_server", "serve"]
