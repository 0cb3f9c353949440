"""Use cases of operators: open a pair of tokens that no market of ours issued, and change what a pair trades by.

Tick and lot are said once: open orders, trades and copies count in them.
"""

from dataclasses import dataclass, fields
from typing import Any

from deedbook import tokens
from deedbook.infra.database import Tx
from deedbook.kernel.amounts import MalformedAmount, to_text, to_units
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.events import Actor
from deedbook.kernel.ids import PairId, TokenId, new_uuid
from deedbook.tokens import Token, TokenStatus, TokenType
from deedbook.trading import model, service, store
from deedbook.trading.errors import PairExists, PairFollowsMarket, PairNotFound, TokenNotTradable
from deedbook.trading.events import PairChanged, PairStatusChanged
from deedbook.trading.spec import PLACES, whole
from deedbook.trading.terms import COMMAND_FOR, FeeMode, Pair, PairStatus, PairTerms


@dataclass(frozen=True)
class Filters:
    """What orders must pass, as decimal text where it is an amount; `None` leaves it as it is."""

    min_quantity: str | None = None
    max_quantity: str | None = None
    min_notional: str | None = None
    max_open_orders: int | None = None
    protection_bps: int | None = None
    fee_bps: int | None = None


@dataclass(frozen=True)
class OpenPair:
    """A pair as an operator asks for it; sizes of `None` are the defaults for these tokens."""

    base: TokenId
    quote: TokenId
    tick_size: str | None
    lot_size: str | None
    fee_mode: FeeMode
    filters: Filters


async def open_pair(tx: Tx, actor: Actor, wanted: OpenPair) -> PairId:
    """Open a pair of two tokens that the vault keeps. A market's own token gets its pair from its market.

    Raises:
        TokenNotTradable: no such token, not active, or a market's own.
        PairNotWhole · Invalid: tick and lot, or a filter, do not fit the tokens.
        PairExists: there is a pair of these two.
    """
    base, quote = await _tradable(tx, wanted.base), await _tradable(tx, wanted.quote)
    if base.token_id == quote.token_id:
        raise TokenNotTradable("a token is not traded against itself")
    terms = _terms(base, quote, wanted)
    columns = _columns(wanted.filters, terms.tick_size, terms.lot_size, quote.decimals)
    pair = Pair(PairId(new_uuid()), None, base.token_id, quote.token_id, terms, PairStatus.ACTIVE)
    if not await service.found(tx, pair):
        raise PairExists(f"there is a pair {terms.symbol} already")
    _require_a_range(columns, await _stored(tx, pair.pair_id))
    await store.set_columns(tx, pair.pair_id, {"fee_mode": wanted.fee_mode.value, **columns})
    tx.emit(service.opened(pair), actor, before={}, after=_shown(await _stored(tx, pair.pair_id)))
    return pair.pair_id


async def change_pair(
    tx: Tx, actor: Actor, pair_id: PairId, filters: Filters, status: PairStatus | None
) -> None:
    """Change filters, fee or status; open orders stay as they were admitted.

    Raises:
        PairNotFound: there is none.
        PairFollowsMarket: its status is its market's.
        PairExists: it has ended for good.
        Invalid: a filter does not fit the pair.
    """
    before = await _stored(tx, pair_id)
    columns = _columns(filters, before["tick_size"], before["lot_size"], before["quote_decimals"])
    if columns:
        _require_a_range(columns, before)
        await store.set_columns(tx, pair_id, columns)
        after = await _stored(tx, pair_id)
        if _shown(after) != _shown(before):
            told = PairChanged(trading_pair_id=pair_id, symbol=before["symbol"])
            tx.emit(told, actor, before=_shown(before), after=_shown(after))
    if status is not None:
        await _set_status(tx, actor, before, status)


async def _set_status(tx: Tx, actor: Actor, pair: dict[str, Any], status: PairStatus) -> None:
    if pair["market_id"] is not None:
        raise PairFollowsMarket("pause, resume or archive its market")
    if pair["status"] == status.value:
        return
    if pair["status"] == PairStatus.CLOSED.value:
        raise PairExists("it has ended for good")
    pair_id = pair["pair_id"]
    await store.set_columns(tx, pair_id, {"status": status.value})
    await store.add_pair_command(tx, pair_id, COMMAND_FOR[status])
    told = PairStatusChanged(trading_pair_id=pair_id, symbol=pair["symbol"], status=status.value)
    tx.emit(told, actor, before={"status": pair["status"]}, after={"status": status.value})


async def _stored(tx: Tx, pair_id: PairId) -> dict[str, Any]:
    found = await store.locked(tx, pair_id)
    if found is None:
        raise PairNotFound
    return found


def _shown(pair: dict[str, Any]) -> dict[str, Any]:
    """What an auditor compares."""
    return {
        "feeBps": pair["fee_bps"],
        "feeMode": pair["fee_mode"],
        "minQuantityLots": pair["min_quantity_lots"],
        "maxQuantityLots": pair["max_quantity_lots"],
        "minNotional": to_text(int(pair["min_notional"]), pair["quote_decimals"]),
        "maxOpenOrders": pair["max_open_orders"],
        "protectionBps": pair["protection_bps"],
    }


async def _tradable(tx: Tx, token_id: TokenId) -> Token:
    token = await tokens.of_id(tx, token_id)
    if token is None or token.status is not TokenStatus.ACTIVE:
        raise TokenNotTradable("the vault keeps no such token")
    if token.token_type is TokenType.RWA:
        raise TokenNotTradable("a market's own token is traded on its market's pair")
    return token


def _terms(base: Token, quote: Token, wanted: OpenPair) -> PairTerms:
    default = (
        model.default_terms(base, quote) if wanted.tick_size is None or wanted.lot_size is None else None
    )
    terms = PairTerms(
        symbol=f"{base.symbol}-{quote.symbol}",
        tick_size=_shortest(wanted.tick_size, "tickSize") or (default.tick_size if default else ""),
        lot_size=_shortest(wanted.lot_size, "lotSize") or (default.lot_size if default else ""),
        fee_bps=model.DEFAULT_FEE_BPS if wanted.filters.fee_bps is None else wanted.filters.fee_bps,
    )
    model.require_whole(terms, base, quote)
    return terms


def _shortest(text: str | None, field: str) -> str:
    if text is None:
        return ""
    try:
        return to_text(to_units(text, PLACES), PLACES)
    except MalformedAmount as error:
        raise _bad(field, str(error)) from None


def _columns(filters: Filters, tick_size: str, lot_size: str, quote_decimals: int) -> dict[str, Any]:
    """The columns that these filters change, in whole numbers."""
    columns: dict[str, Any] = {}
    for field in fields(filters):
        value = getattr(filters, field.name)
        if value is None:
            continue
        if field.name in ("min_quantity", "max_quantity"):
            columns[f"{field.name}_lots"] = _lots(value, lot_size, field.name)
        elif field.name == "min_notional":
            columns[field.name] = _units(value, quote_decimals)
        else:
            columns[field.name] = value
    return columns


def _require_a_range(columns: dict[str, Any], before: dict[str, Any]) -> None:
    """What is not changed stays as it was `before`."""
    bounds = before | columns
    if bounds["min_quantity_lots"] <= bounds["max_quantity_lots"]:
        return
    if "max_quantity_lots" in columns:
        raise _bad("maxQuantity", "less than minQuantity")
    raise _bad("minQuantity", "more than maxQuantity")


def _lots(text: str, lot_size: str, name: str) -> int:
    field = "minQuantity" if name == "min_quantity" else "maxQuantity"
    lots = whole(text, to_units(lot_size, PLACES))
    if not lots:
        raise _bad(field, f"a multiple of {lot_size}")
    if lots > 10**15:
        raise _bad(field, "out of range")
    return lots


def _units(text: str, decimals: int) -> int:
    try:
        return to_units(text, decimals)
    except MalformedAmount as error:
        raise _bad("minNotional", str(error)) from None


def _bad(field: str, detail: str) -> Invalid:
    return Invalid(f"{field}: {detail}", errors=(FieldError(f"/{field}", "filter", detail),))
