"""The keys of the people who try it out: one for each role, the same each time in this home. Light, since each command
of theirs begins with it."""

import hashlib

from deedbook.infra.embedded import Home
from deedbook.infra.settings import SettingsError

ROLES = ("investor", "issuer", "compliance", "admin", "operator")


def demo_key(role_text: str, *, production: bool) -> bytes:
    """The key of this role's demo wallet.

    Raises:
        SettingsError: in production, or no such role.
    """
    if production:
        raise SettingsError("demo wallets are for development; use a wallet of your own")
    role = role_text.lower()
    if role not in ROLES:
        raise SettingsError(f"the roles are {', '.join(ROLES)}")
    home = Home.locate()
    home.open()
    return hashlib.sha256(home.secret(f"demo-wallet-{role}").encode()).digest()
