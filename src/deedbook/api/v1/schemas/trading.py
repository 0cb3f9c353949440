"""Bodies about orders. A signed order has the fields of what was signed, as they were shown, and the signature."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from deedbook.api.v1.schemas.common import (
    Answer,
    Body,
    Moment,
    PositiveAmount,
    _amount,
    _positive,
)
from deedbook.api.v1.schemas.custody import Nonce, Seconds, SignatureText
from deedbook.api.v1.schemas.tokens import AddressText
from deedbook.identity.terms import Address
from deedbook.kernel.amounts import MAX_TEXT_LENGTH, POSITIVE_AMOUNT_PATTERN
from deedbook.trading.admission import CLIENT_ID_PATTERN, STOP_PATTERN, OrderText
from deedbook.trading.engine import SelfTrade
from deedbook.trading.entry import Asked
from deedbook.trading.preview import OrderPreview
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import OrderType, Side, TimeInForce

MAX_BATCH = 100
PAIR_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9-]{0,79}$"
SIDES = {side.value: side for side in Side}
TYPES = {kind.value: kind for kind in OrderType}
TIMES = {tif.value: tif for tif in TimeInForce}
MODES = {mode.name: mode for mode in SelfTrade}


def _price(value: Any) -> str:
    """A price, or nothing: absent, null and the empty text are the same, and are signed as the empty text."""
    return "" if value is None or value == "" else _positive(_amount(value))


def _nothing(value: Any) -> Any:
    return "" if value is None else value


PairName = Annotated[
    str,
    Field(
        strict=True,
        pattern=PAIR_PATTERN,
        description="Symbol or id; signed as symbol",
        examples=["LUXAPT-USDC"],
    ),
]
Price = Annotated[
    str,
    BeforeValidator(_price),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": POSITIVE_AMOUNT_PATTERN, "maxLength": MAX_TEXT_LENGTH},
                {"type": "integer", "minimum": 1, "maximum": 10**20 - 1},
                {"const": ""},
                {"type": "null"},
            ],
            "description": "The worst price; empty for market orders that take any within the protection band",
            "examples": ["50.00"],
        }
    ),
]


def _optional(pattern: str, description: str) -> Any:
    return WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "null"}], "description": description}
    )


StopPrice = Annotated[
    str,
    BeforeValidator(_nothing),
    Field(strict=True, pattern=STOP_PATTERN),
    _optional(
        STOP_PATTERN, "Trigger of a stop order: a price, or `trail:<ticks>` or `trail:<basis points>bps`"
    ),
]
ClientOrderId = Annotated[
    str,
    BeforeValidator(_nothing),
    Field(strict=True, pattern=CLIENT_ID_PATTERN),
    _optional(CLIENT_ID_PATTERN, "The sender's own name for the order, unique for ever"),
]


class PlaceOrder(Body):
    """A signed `Order`. `userAddress` is the struct's `trader`; what is left out is signed as its default."""

    user_address: AddressText
    trading_pair_id: PairName
    side: Annotated[Literal["BUY", "SELL"], Field(examples=["BUY"])]
    order_type: Annotated[Literal["LIMIT", "MARKET", "STOP_LIMIT", "STOP_MARKET"], Field(examples=["LIMIT"])]
    time_in_force: Literal["GTC", "IOC", "FOK", "GTD"] = "GTC"
    post_only: Annotated[bool, Field(strict=True)] = False
    self_trade: Literal["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"] = "EXPIRE_TAKER"
    quantity: Annotated[PositiveAmount, Field(examples=["10"])]
    price: Price = ""
    stop_price: StopPrice = ""
    max_fee_bps: (
        Annotated[int, Field(strict=True, ge=0, le=10_000, description="The pair's fee where absent")] | None
    ) = None
    client_order_id: ClientOrderId = ""
    nonce: Nonce
    expiry: Seconds
    signature: SignatureText

    def asked(self) -> Asked:
        return Asked(
            trader=Address(self.user_address),
            pair=self.trading_pair_id,
            side=SIDES[self.side],
            order_type=TYPES[self.order_type],
            time_in_force=TIMES[self.time_in_force],
            post_only=self.post_only,
            self_trade=MODES[self.self_trade],
            quantity=self.quantity,
            price=self.price,
            stop_price=self.stop_price,
            max_fee_bps=self.max_fee_bps,
            client_order_id=self.client_order_id,
            nonce=self.nonce,
            expiry=self.expiry,
            signature=self.signature,
        )


class PlaceOrders(Body):
    """Up to 100 signed orders. Each has a fate of its own."""

    orders: Annotated[list[PlaceOrder], Field(min_length=1, max_length=MAX_BATCH)]


class SomeOrders(Body):
    """The same before the orders are read: each is answered for itself."""

    orders: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH)]


class OrderAnswer(Answer):
    """An order. `worstPrice` is the price beyond which it never trades, for market orders too; `hash` is the digest
    that was signed, null once it is kept no longer. `fee` is in the token that the order receives, unless the pair
    takes its fees in the quote token."""

    id: UUID
    trading_pair_id: UUID
    pair: str
    user_id: UUID
    user_address: str
    side: str
    order_type: str
    time_in_force: str
    post_only: bool
    self_trade: str
    quantity: str
    price: str | None
    worst_price: str
    stop_price: str | None
    max_fee_bps: int
    client_order_id: str | None
    nonce: str
    expiry: int
    status: str
    reason: str | None
    triggered: bool
    filled_quantity: str
    remaining_quantity: str
    average_fill_price: str | None
    fee: str
    hash: str | None
    created_at: Moment
    updated_at: Moment


class PlacedAnswer(Answer):
    """What became of one order of a batch: its answer, or its problem."""

    status: int
    order: OrderAnswer | None = None
    problem: dict[str, Any] | None = None


class BatchAnswer(Answer):
    """What became of each order, in their order."""

    data: list[PlacedAnswer]


class PreviewOrder(Body):
    """An order that nobody needs to have signed: what it would set aside, and what would be said to it."""

    trading_pair_id: PairName
    side: Annotated[Literal["BUY", "SELL"], Field(examples=["BUY"])]
    order_type: Annotated[Literal["LIMIT", "MARKET", "STOP_LIMIT", "STOP_MARKET"], Field(examples=["LIMIT"])]
    time_in_force: Literal["GTC", "IOC", "FOK", "GTD"] = "GTC"
    post_only: Annotated[bool, Field(strict=True)] = False
    quantity: Annotated[PositiveAmount, Field(examples=["10"])]
    price: Price = ""
    stop_price: StopPrice = ""
    max_fee_bps: Annotated[int, Field(strict=True, ge=0, le=10_000)] | None = None

    def text(self, trader: Address, spec: PairSpec, expiry: int) -> OrderText:
        return OrderText(
            trader=trader,
            pair=spec.symbol,
            side=SIDES[self.side],
            order_type=TYPES[self.order_type],
            time_in_force=TIMES[self.time_in_force],
            post_only=self.post_only,
            self_trade=SelfTrade.EXPIRE_TAKER,
            quantity=self.quantity,
            price=self.price,
            stop_price=self.stop_price,
            max_fee_bps=spec.fee_bps if self.max_fee_bps is None else self.max_fee_bps,
            client_order_id="",
            nonce="",
            expiry=expiry,
        )


class PreviewOrderAnswer(Answer):
    """What an order would meet now. `reason` is compliance's number, 0 where it has nothing against it."""

    allowed: bool
    reason: int
    trading_pair_id: UUID
    pair: str
    worst_price: str
    hold_token_id: UUID
    hold: str
    available: str
    enough_available: bool
    fee_token_id: UUID
    fee_at_most: str

    @classmethod
    def of(cls, preview: OrderPreview) -> "PreviewOrderAnswer":
        spec, terms = preview.spec, preview.terms
        text = spec.quote_text if preview.buy else spec.base_text
        return cls(
            allowed=preview.allowed,
            reason=preview.reason.value,
            trading_pair_id=spec.pair_id,
            pair=spec.symbol,
            worst_price=spec.price_text(terms.price_ticks),
            hold_token_id=terms.hold_token_id,
            hold=text(terms.hold_units),
            available=text(preview.available),
            enough_available=preview.available >= terms.hold_units,
            fee_token_id=spec.fee_token_id(buy=preview.buy),
            fee_at_most=spec.fee_text(preview.fee_at_most, buy=preview.buy),
        )


class ReduceOrder(Body):
    """How much is to remain, at most."""

    remaining_quantity: Annotated[PositiveAmount, Field(examples=["2.5"])]


class CancelAll(Body):
    """All my orders, or those on one pair."""

    trading_pair_id: PairName | None = None


class CancelAllAnswer(Answer):
    """How many living orders were asked to end."""

    cancelled: int


class CancelAllAfter(Body):
    """In how many seconds all my orders end, unless this is said again before; 0 takes it back."""

    seconds: Annotated[int, Field(strict=True, ge=0, le=3600, examples=[60])]


class CancelAllAfterAnswer(Answer):
    """When all my orders end; null when they do not."""

    cancel_at: Moment | None


class PublicTrade(Answer):
    """A trade as everybody may see it. `seq` counts the pair's trades without a gap."""

    id: UUID
    seq: int
    price: str
    quantity: str
    taker_side: str
    executed_at: Moment


class MyTrade(PublicTrade):
    """A trade as one of its parties sees it. `value` is price times quantity."""

    trading_pair_id: UUID
    pair: str
    order_id: UUID
    side: str
    role: str
    value: str
    fee: str
    fee_token_id: UUID
    settlement_status: str
    tx_hash: str | None


class DepthAnswer(Answer):
    """The aggregated book: `[price, quantity]`, best first. `seq` is the pair's event that it stands after, `checksum`
    the CRC-32 of its best ten levels, both as on the WebSocket."""

    trading_pair_id: UUID
    pair: str
    seq: int
    bids: list[list[str]]
    asks: list[list[str]]
    checksum: int
