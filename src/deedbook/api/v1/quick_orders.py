"""Orders read fast: the plain ones, which nearly all are. Whatever is out of the ordinary is left to `PlaceOrder`,
whose word on it is final; this only ever says the same, sooner, or nothing.
"""

import re
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from deedbook.api.v1.schemas.trading import MAX_BATCH, MODES, PAIR_PATTERN, SIDES, TIMES, TYPES
from deedbook.identity import parse_address
from deedbook.identity.actions import MAX_SIGNATURE_BYTES, NONCE_PATTERN
from deedbook.identity.terms import Address
from deedbook.kernel.amounts import is_amount
from deedbook.trading.admission import CLIENT_ID_PATTERN
from deedbook.trading.entry import Asked

MAX_EXPIRY = 10**16
_PAIR, _NONCE = re.compile(PAIR_PATTERN[1:-1]), re.compile(NONCE_PATTERN[1:-1])
_CLIENT_ID = re.compile(CLIENT_ID_PATTERN[1:-1])
_REQUIRED_MARKS = 2 * 8 + 2 * 7
"""Quotation marks of what every order has: eight names, and seven values that are texts."""


class _Wire(msgspec.Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    user_address: str
    trading_pair_id: str
    side: Literal["BUY", "SELL"]
    order_type: Literal["LIMIT", "MARKET", "STOP_LIMIT", "STOP_MARKET"]
    quantity: str
    nonce: str
    expiry: int
    signature: str
    time_in_force: Literal["GTC", "IOC", "FOK", "GTD"] | UnsetType = UNSET
    self_trade: Literal["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"] | UnsetType = UNSET
    post_only: bool | UnsetType = UNSET
    price: str | UnsetType = UNSET
    stop_price: str | UnsetType = UNSET
    client_order_id: str | UnsetType = UNSET
    max_fee_bps: int | UnsetType = UNSET


class _WireBatch(msgspec.Struct, forbid_unknown_fields=True):
    orders: list[_Wire]


_ONE, _MANY = msgspec.json.Decoder(_Wire), msgspec.json.Decoder(_WireBatch)


def read_order(body: bytes) -> Asked | None:
    """The order of this body, or `None` where it takes a closer look."""
    if b"\\" in body:
        return None
    try:
        wire = _ONE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return _asked(wire) if body.count(b'"') == _marks(wire) else None


def read_orders(body: bytes) -> list[Asked] | None:
    """The orders of this batch, or `None` where one of them takes a closer look."""
    if b"\\" in body:
        return None
    try:
        wires = _MANY.decode(body).orders
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if not 1 <= len(wires) <= MAX_BATCH or body.count(b'"') != 2 + sum(map(_marks, wires)):
        return None
    asked = [_asked(wire) for wire in wires]
    return None if None in asked else [one for one in asked if one is not None]


def _marks(wire: _Wire) -> int:
    """How many quotation marks an order has where no name stands twice; the decoder would take the last."""
    texts = (wire.time_in_force, wire.self_trade, wire.price, wire.stop_price, wire.client_order_id)
    others = (wire.post_only, wire.max_fee_bps)
    return _REQUIRED_MARKS + 4 * (5 - texts.count(UNSET)) + 2 * (2 - others.count(UNSET))


def _asked(wire: _Wire) -> Asked | None:
    price, client_id = wire.price or "", wire.client_order_id or ""
    trader = _address(wire.user_address)
    if (
        trader is None
        or wire.stop_price
        or not 0 < wire.expiry < MAX_EXPIRY
        or not _is_positive(wire.quantity)
        or (price and not _is_positive(price))
        or not _PAIR.fullmatch(wire.trading_pair_id)
        or not _NONCE.fullmatch(wire.nonce)
        or not _CLIENT_ID.fullmatch(client_id)
        or len(wire.signature) > 2 + 2 * MAX_SIGNATURE_BYTES
        or (wire.max_fee_bps is not UNSET and not 0 <= wire.max_fee_bps <= 10_000)
    ):
        return None
    return Asked(
        trader,
        wire.trading_pair_id,
        SIDES[wire.side],
        TYPES[wire.order_type],
        TIMES[wire.time_in_force or "GTC"],
        wire.post_only is True,
        MODES[wire.self_trade or "EXPIRE_TAKER"],
        wire.quantity,
        price,
        "",
        None if wire.max_fee_bps is UNSET else wire.max_fee_bps,
        client_id,
        wire.nonce,
        wire.expiry,
        wire.signature,
    )


def _is_positive(text: str) -> bool:
    return is_amount(text) and text.strip("0.") != ""


@lru_cache(maxsize=16_384)
def _address(text: str) -> Address | None:
    return parse_address(text)
