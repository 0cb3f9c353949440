"""API keys in use: from where, for what, how often, and up to how much in a day.

The user's own rate limit stands before a key's: many keys never add up to more than one user may do.
"""

import asyncio
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection

from deedbook import identity
from deedbook.api.ratelimit import Limiter, Standing, client_address
from deedbook.api.soon import Soon
from deedbook.identity import Caller, KeyTerms, Scope, Use
from deedbook.identity.errors import Forbidden, KeyAddressRefused, KeyScopeMissing
from deedbook.infra.database import Database
from deedbook.kernel.errors import Refusal, Unavailable
from deedbook.trading.entry import Asked, Judged, OrderEntry, Repeat, Turnstile
from deedbook.trading.fates import fate_of
from deedbook.trading.intake import Taken
from deedbook.trading.spec import PLACES
from deedbook.trading.terms import OrderId, Side

log = structlog.get_logger(__name__)

NOTED_EVERY_S = 10.0
MAX_NOTED = 20_000


class KeyUses:
    """When keys were last used, told to PostgreSQL once in a while: no request waits for it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._noted: dict[UUID, Use] = {}
        self._telling = Soon(NOTED_EVERY_S, self.tell)

    def note(self, key_id: UUID, address: str) -> None:
        if key_id in self._noted or len(self._noted) < MAX_NOTED:
            self._noted[key_id] = Use(key_id, datetime.now(UTC), address)
        self._telling.ask()

    async def tell(self) -> None:
        """Write down what is noted. What cannot be written now is noted again only when it happens again."""
        uses, self._noted = list(self._noted.values()), {}
        if uses:
            try:
                await identity.note_uses(self._db, uses)
            except Unavailable:
                log.warning("key_uses_not_noted", keys=len(uses))

    async def close(self) -> None:
        """Finish what was begun."""
        await self._telling.close()


def require_key_may(connection: HTTPConnection, caller: Caller, scope: Scope | None) -> None:
    """For callers who show an API key: whether it is used from where it may, for what it was made for.

    Raises:
        KeyAddressRefused · Forbidden · KeyScopeMissing: the first that applies.
    """
    if caller.key is not None:
        require_key_from_here(connection, caller)
        require_scope(caller, scope)


def require_key_from_here(connection: HTTPConnection, caller: Caller) -> None:
    """Note that a key is used, and whose log the request belongs to.

    Raises:
        KeyAddressRefused: from where it may not.
    """
    key = caller.key
    if key is None:
        return
    connection.state.key_id = str(caller.session_id)
    address = client_address(connection, connection.app.state.resources.settings.TRUSTED_PROXIES)
    if key.networks and not _is_in(address, key):
        raise KeyAddressRefused("its owner has named the addresses from which it is used")
    uses: KeyUses = connection.app.state.key_uses
    uses.note(caller.session_id, address)


def require_scope(caller: Caller, scope: Scope | None) -> None:
    """Raises KeyScopeMissing · Forbidden: the caller shows a key that is not for this."""
    if caller.key is None:
        return
    if scope is None:
        raise Forbidden("an API key cannot do this: sign in")
    if scope not in caller.key.scopes:
        raise KeyScopeMissing(f"this takes a key with the scope {scope.value}")


def require_no_cap(caller: Caller) -> None:
    """For ways in on which nobody counts what is sent.

    Raises:
        Forbidden: the caller's key has a cap.
    """
    if caller.key is not None and caller.key.daily_notional is not None:
        raise Forbidden("a key with a daily cap places plain orders only")


async def key_standing(limiter: Limiter, caller: Caller) -> Standing | None:
    """Count one order against the key's own limit, if it has one."""
    if caller.key is None or caller.key.orders_per_minute is None:
        return None
    return await limiter.count_up_to("orders", f"key-{caller.session_id}", caller.key.orders_per_minute)


async def place_as(
    entry: OrderEntry,
    asked: Asked,
    caller: Caller,
    turnstile: Turnstile,
    repeat: Repeat | None = None,
    replaces: OrderId | None = None,
) -> Taken:
    """Place an order; under a key with a daily cap it is counted before, and given back where it was refused.

    Raises:
        KeyCapReached: it would go beyond.
        Refusal: what `entry.place` says. What is not known to be refused counts.
    """
    if caller.key is None or caller.key.daily_notional is None:
        return await entry.place(asked, caller, turnstile, repeat, replaces)
    try:
        judged = await entry.judge(asked)
        worth = await _worth(entry, judged)
        charged = await identity.keys.charge(
            entry.db, caller.session_id, caller.key.daily_notional, judged.spec.quote_token_id, worth
        )
    except Refusal:
        first = await entry.answered_before(caller, repeat) if repeat is not None else None
        if first is None:
            raise
        return first
    try:
        taken = await entry.place(asked, caller, turnstile, repeat, replaces)
    except Unavailable:
        raise
    except Refusal:
        await identity.keys.give_back(entry.db, charged)
        raise
    if taken.replayed:
        await identity.keys.give_back(entry.db, charged)
    return taken


async def place_all_as(
    entry: OrderEntry, orders: Sequence[Asked], caller: Caller, turnstile: Turnstile
) -> list[Taken | Refusal]:
    """The same for some orders at once, each with a fate of its own. Under a cap each of them is counted by itself."""
    if caller.key is None or caller.key.daily_notional is None:
        return await entry.place_all(orders, caller, turnstile)
    return await asyncio.gather(*(fate_of(place_as(entry, one, caller, turnstile)) for one in orders))


async def _worth(entry: OrderEntry, judged: Judged) -> int:
    """What an order may move at most, in 10^-18 of the quote token: for a buyer its worst price; a seller's may be far
    under the market, so that the best bid counts where it is higher."""
    text, spec, terms = judged.text, judged.spec, judged.terms
    ticks = terms.price_ticks
    if text.side is Side.SELL:
        quotes = await entry.pairs.quotes(spec.pair_id)
        ticks = max(ticks, terms.stop_ticks, quotes.best_bid, quotes.last)
    scale: int = 10 ** (PLACES - spec.quote_decimals)
    return spec.notional(ticks, terms.quantity_lots) * scale


def _is_in(address: str, key: KeyTerms) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in key.networks)
