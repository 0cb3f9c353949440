"""API keys: made and ended by people, for programs. No key makes another."""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import ApiKey, NewApiKey
from deedbook.client.flow import Flow, Session
from deedbook.client.flows.asking import as_body, page, segment, send
from deedbook.client.operations import Page

Scope = Literal["read", "account", "trade"]


def create_api_key(
    session: Session,
    name: str,
    scopes: Collection[Scope],
    *,
    expires_in_days: int | None = None,
    allowed_addresses: Collection[str] = (),
    orders_per_minute: int | None = None,
    daily_notional: Amount | None = None,
    key: str | None = None,
) -> Flow[NewApiKey]:
    """Make a key. `api_key` of the answer is its text, told this once."""
    wanted = {
        "name": name,
        "scopes": list(scopes),
        "expires_in_days": expires_in_days,
        "allowed_addresses": list(allowed_addresses),
        "orders_per_minute": orders_per_minute,
        "daily_notional": None if daily_notional is None else amount_text(daily_notional),
    }
    return (yield from send(session, NewApiKey, "/me/api-keys", as_body(wanted), key=key))


def api_keys(session: Session, cursor: str | None) -> Flow[Page[ApiKey]]:
    """My keys, the newest first, those that are over too."""
    return (yield from page(session, ApiKey, "/me/api-keys", cursor))


def revoke_api_key(session: Session, key_id: UUID | str) -> Flow[ApiKey]:
    """End a key. Whoever holds it is let in no longer."""
    return (yield from send(session, ApiKey, f"/me/api-keys/{segment(key_id)}", {}, method="DELETE"))
