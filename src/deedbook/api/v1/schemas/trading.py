"""Bodies about orders. A signed order has the fields of what was signed, as they were shown, and the signature."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from deedbook.api.v1.schemas.common import Answer, Body, Moment, PositiveAmount, _amount, _positive
from deedbook.api.v1.schemas.custody import Nonce, Seconds, SignatureText
from deedbook.api.v1.schemas.tokens import AddressText
from deedbook.identity.terms import Address
from deedbook.kernel.amounts import MAX_TEXT_LENGTH, POSITIVE_AMOUNT_PATTERN
from deedbook.trading.admission import CLIENT_ID_PATTERN, STOP_PATTERN
from deedbook.trading.engine import SelfTrade
from deedbook.trading.entry import Asked
from deedbook.trading.terms import OrderType, Side, TimeInForce

MAX_BATCH = 100
PAIR_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9-]{0,79}$"
_SIDES = {side.value: side for side in Side}
_TYPES = {kind.value: kind for kind in OrderType}
_TIMES = {tif.value: tif for tif in TimeInForce}
_MODES = {mode.name: mode for mode in SelfTrade}


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
            side=_SIDES[self.side],
            order_type=_TYPES[self.order_type],
            time_in_force=_TIMES[self.time_in_force],
            post_only=self.post_only,
            self_trade=_MODES[self.self_trade],
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
