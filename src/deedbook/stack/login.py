"""A role at the command line, for trying things out: a wallet kept in the home, granted, signed in."""

import hashlib

import httpx2

from deedbook.identity import Role
from deedbook.infra.embedded import Home
from deedbook.infra.settings import Settings, SettingsError
from deedbook.stack.grant import grant
from deedbook.stack.wallet import Wallet, sign_in

DEFAULT_ENTITY = "Harbour Homes"


def demo_wallet(settings: Settings, role_text: str) -> Wallet:
    """The wallet of this role in this home, the same each time.

    Raises:
        SettingsError: in production, or no such role.
    """
    if settings.production:
        raise SettingsError("demo wallets are for development; use a wallet of your own")
    try:
        role = Role(role_text.lower())
    except ValueError:
        raise SettingsError(f"the roles are {', '.join(entry.value for entry in Role)}") from None
    home = Home.locate()
    home.open()
    return Wallet.from_key(hashlib.sha256(home.secret(f"demo-wallet-{role.value}").encode()).digest())


async def login(settings: Settings, role_text: str, entity: str) -> str:
    """An access token for the demo wallet of this role.

    Raises:
        SettingsError: in production, no such role, or no API answers.
    """
    wallet = demo_wallet(settings, role_text)
    await grant(settings, wallet.address, role_text, entity or DEFAULT_ENTITY, "")
    base_url = f"http://127.0.0.1:{settings.PORT}/api/v1"
    try:
        async with httpx2.AsyncClient(base_url=base_url, timeout=10, trust_env=False) as http:
            return str((await sign_in(http, wallet))["accessToken"])
    except httpx2.HTTPError as error:
        raise SettingsError(
            f"the API at {base_url} does not answer ({type(error).__name__}): run `make up`"
        ) from None
