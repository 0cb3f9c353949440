"""Orders as they are wished for, and as they are signed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import Exchange, Pair
from deedbook.client.signers import Signer
from deedbook.client.typed_data import digest

Side = Literal["BUY", "SELL"]
OrderType = Literal["LIMIT", "MARKET", "STOP_LIMIT", "STOP_MARKET"]
TimeInForce = Literal["GTC", "IOC", "FOK", "GTD"]
SelfTrade = Literal["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]
EXPIRES_IN_S = 86_400


@dataclass(frozen=True)
class NewOrder:
    """An order as it is wished for. With a price it is a limit order, without one a market order that takes any price
    inside the pair's protection band; with a stop price it waits until that is touched.

    `client_order_id` is your own name for it, unique for ever. `max_fee_bps` is the pair's fee unless it is said.
    """

    pair: str
    side: Side
    quantity: Amount
    price: Amount | None = None
    order_type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    self_trade: SelfTrade = "EXPIRE_TAKER"
    stop_price: str | None = None
    max_fee_bps: int | None = None
    client_order_id: str = ""
    expires_in_s: int = EXPIRES_IN_S

    def __post_init__(self) -> None:
        if self.side not in ("BUY", "SELL"):
            raise ValueError(f"a side is BUY or SELL, not {self.side!r}")

    @property
    def kind(self) -> OrderType:
        """Its type, from what is there of it."""
        if self.order_type is not None:
            return self.order_type
        if self.stop_price is not None:
            return "STOP_MARKET" if self.price is None else "STOP_LIMIT"
        return "MARKET" if self.price is None else "LIMIT"

    @property
    def lasting(self) -> TimeInForce:
        """How long it stays; what has no price to wait at trades at once."""
        return self.time_in_force or ("IOC" if self.kind == "MARKET" else "GTC")


@dataclass(frozen=True)
class SignedOrder:
    """An order that may be sent, once or again: the platform takes it once. `hash` is what was signed."""

    body: Mapping[str, Any]
    hash: str

    @property
    def client_order_id(self) -> str:
        return str(self.body.get("clientOrderId", ""))


def order_fields(order: NewOrder, pair: Pair) -> dict[str, Any]:
    """What an order is, in the words that are signed; what is not said has its default.

    Raises:
        TypeError · ValueError: an amount is none.
    """
    return {
        "tradingPairId": pair.symbol,
        "side": order.side,
        "orderType": order.kind,
        "timeInForce": order.lasting,
        "postOnly": order.post_only,
        "selfTrade": order.self_trade,
        "quantity": amount_text(order.quantity),
        "price": "" if order.price is None else amount_text(order.price),
        "stopPrice": order.stop_price or "",
        "maxFeeBps": pair.fee_bps if order.max_fee_bps is None else order.max_fee_bps,
        "clientOrderId": order.client_order_id,
    }


def sign_order(
    signer: Signer, exchange: Exchange, pair: Pair, order: NewOrder, *, nonce: str, expiry: int
) -> SignedOrder:
    """Sign an order. `nonce` is used once by an account, for ever; `expiry` is in Unix seconds.

    Raises:
        TypeError · ValueError: an amount is none, or the platform signs other fields than these.
    """
    trader = signer.address.lower()
    fields = {**order_fields(order, pair), "nonce": nonce, "expiry": expiry}
    hashed = digest(
        exchange.eip712_domain, "Order", exchange.eip712_types["Order"], {**fields, "trader": trader}
    )
    sent = {name: value for name, value in fields.items() if value != ""}
    body = {"userAddress": trader, **sent, "signature": "0x" + signer.sign_digest(hashed).hex()}
    return SignedOrder(body, "0x" + hashed.hex())
