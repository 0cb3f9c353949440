"""A role at the command line, for trying things out: a wallet kept in the home, granted, signed in."""

from collections.abc import Callable

import httpx2

from deedbook.infra.settings import Settings, SettingsError
from deedbook.stack.demo_keys import ENTITY, demo_key
from deedbook.stack.grant import grant
from deedbook.stack.wallet import Wallet, sign_in


def demo_wallet(settings: Settings, role_text: str) -> Wallet:
    """The wallet of this role in this home, the same each time.

    Raises:
        SettingsError: in production, or no such role.
    """
    return Wallet.from_key(demo_key(role_text, production=settings.production))


async def login(settings: Settings, role_text: str, entity: str, progress: Callable[[str], None]) -> str:
    """An access token for the demo wallet of this role. What one waits for is told to `progress`.

    Raises:
        SettingsError: in production, no such role, or no API answers.
    """
    wallet = demo_wallet(settings, role_text)
    await grant(settings, wallet.address, role_text, entity or ENTITY, "")

    def waits(wait_s: float) -> None:
        progress(f"Too many have signed in from here within a minute; waiting {wait_s:.0f} s")

    base_url = f"http://127.0.0.1:{settings.PORT}/api/v1"
    try:
        async with httpx2.AsyncClient(base_url=base_url, timeout=10, trust_env=False) as http:
            return str((await sign_in(http, wallet, waits))["accessToken"])
    except httpx2.HTTPStatusError as error:
        raise SettingsError(f"signing in was answered with {error.response.text[:300]}") from None
    except httpx2.HTTPError as error:
        raise SettingsError(
            f"the API at {base_url} does not answer ({type(error).__name__}): run `make up`"
        ) from None
