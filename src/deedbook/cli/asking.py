"""What commands for people share: who asks, and what to do where the answer is no."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deedbook.cli.profiles import Profile, ProfileError, chosen, signer_of
from deedbook.cli.sessions import kept_session

if TYPE_CHECKING:
    from deedbook.client import AsyncClient, Client
    from deedbook.client.errors import DeedbookError

As = Annotated[
    str,
    typer.Option("--as", metavar="ROLE", help="A demo wallet of the stack that runs here, such as investor."),
]
ProfileName = Annotated[str, typer.Option("--profile", help="A profile of yours: `deedbook profile list`.")]
Url = Annotated[str, typer.Option("--url", help="Where the platform is.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DEFAULT_PORT = "3000"

HINTS = {
    "unreachable": "Is it running? `make up` starts it; --url or a profile names another.",
    "unauthenticated": "Say who you are: --as investor, or a profile with a key (`deedbook profile add`).",
    "forbidden": "This takes another role: `deedbook login ROLE` gives it to a demo wallet, `deedbook grant` to yours.",
    "issuer_entity_missing": 'Say for whom you issue: `deedbook login issuer --entity "Its Name"`.',
    "insufficient_funds": "`deedbook balance` shows what is available; what is locked is held for open orders.",
    "pair_not_found": "`deedbook book list` shows the pairs. One opens when its market is active.",
    "market_not_found": "`deedbook market list` shows the markets.",
    "token_not_found": "A token is there when its market is active: `deedbook market list`.",
    "swap_not_found": "`deedbook swap list` shows your swaps.",
    "no_price_yet": "`deedbook book show PAIR` shows who is on the other side.",
    "api_key_not_found": "`deedbook key list` shows your keys.",
    "key_scope_missing": "`deedbook key list` shows what a key is for; another is made with `deedbook key create`.",
    "order_not_found": "`deedbook order list` shows your orders.",
    "kyc_required": "Compliance decides first: `deedbook compliance set --help`.",
    "not_whitelisted": "Compliance decides first: `deedbook compliance set --help`.",
    "user_not_found": "`deedbook whoami` shows a user's id.",
}


def hint(error: "DeedbookError") -> str:
    """What to do next, for a person."""
    return HINTS.get(error.code, "")


def profile_of(name: str, role: str, url: str) -> Profile:
    """The profile that is meant, completed by the stack that runs here."""
    from dataclasses import replace

    profile = chosen(name, role, url)
    if profile.url and not profile.role:
        return profile
    from deedbook.stack.environment import adopt_running_stack

    adopt_running_stack()
    here = f"http://127.0.0.1:{os.environ.get('PORT', DEFAULT_PORT)}"
    rpc_url = profile.rpc_url or os.environ.get("SAPPHIRE_RPC_URL", "")
    return replace(profile, url=profile.url or here, rpc_url=rpc_url)


def _credentials(profile: Profile) -> dict[str, Any]:
    if profile.role:
        from deedbook.client import LocalSigner
        from deedbook.stack.demo_keys import demo_key

        production = os.environ.get("DEEDBOOK_ENV") == "production"
        return {"signer": LocalSigner.from_key(demo_key(profile.role, production=production))}
    return {"signer": signer_of(profile), "token": profile.token or None}


def is_here(url: str) -> bool:
    """Whether it is on this machine, where no proxy is asked."""
    return url.split("://", 1)[-1].split(":")[0] in ("localhost", "127.0.0.1", "[")


@contextmanager
def client_of(profile: Profile) -> Iterator["Client"]:
    """A client for this profile."""
    from deedbook.client import Client

    trusted = not is_here(profile.url)
    with (
        Client(profile.url, trust_env=trusted, **_credentials(profile)) as client,
        kept_session(client.session),
    ):
        yield client


def async_client_of(profile: Profile) -> "AsyncClient":
    """The same for what is followed live."""
    from deedbook.client import AsyncClient

    return AsyncClient(profile.url, trust_env=not is_here(profile.url), **_credentials(profile))


@contextmanager
def asking(name: str, role: str, url: str) -> Iterator["Client"]:
    """A client for whoever is meant."""
    with client_of(profile_of(name, role, url)) as client:
        yield client


@contextmanager
def client_as(role: str) -> Iterator["Client"]:
    """A client of a demo wallet of the stack that runs here, for trying things out."""
    with asking("", role, "") as client:
        yield client


def require_signer(client: "Client") -> None:
    """Raises ProfileError: there is nobody to sign."""
    if client.session.signer is None:
        raise ProfileError("this is signed: --as investor, or a profile with a key (`deedbook profile add`)")


def run_to_the_end(work: Any) -> Any:
    """Run something that is followed live; Ctrl-C ends it quietly."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        return None
