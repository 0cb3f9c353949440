"""The keys of the people who try it out: one for each role, the same each time in this home. Light, since each command
of theirs begins with it."""

import hashlib

from deedbook.infra.embedded import Home
from deedbook.infra.settings import SettingsError

ROLES = ("investor", "issuer", "compliance", "admin", "operator")
PEOPLE = {"investor": "investor", "second-investor": "investor", "issuer": "issuer"} | {
    role: role for role in ("compliance", "operator", "admin")
}
"""Whom the console offers, each with their role."""
ENTITY = "Harbour Homes"
"""For which the issuer among them acts."""


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
    return key_of(home, role)


def key_of(home: Home, person: str) -> bytes:
    """The key of one of `PEOPLE` in this home."""
    return hashlib.sha256(home.secret(f"demo-wallet-{person}").encode()).digest()


def keys_as_text(home: Home) -> str:
    """All of them, as `DEEDBOOK_DEMO_WALLETS` has them."""
    return ",".join(f"{person}=0x{key_of(home, person).hex()}" for person in PEOPLE)
