"""What is said over the socket, in both directions: the one description, from which the published one is made."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body
from deedbook.api.v1.schemas.trading import PAIR_PATTERN, PlaceOrder

MAX_DEPTH = 100
OF_A_PAIR = ("book", "trades", "ticker", "candles")
Id = Annotated[int, Field(strict=True, ge=0, le=2**53 - 1, description="Comes back with the answer")]
Market = Annotated[str, Field(strict=True, pattern=PAIR_PATTERN, examples=["LUXAPT-USDC"])]
Level = Annotated[list[str], Field(min_length=2, max_length=2, examples=[["1000", "1.25"]])]


class Authenticate(Body):
    """Say who you are, by an access token or by a ticket of `POST /ws/ticket`."""

    op: Literal["auth"]
    id: Id | None = None
    token: Annotated[str, Field(strict=True, min_length=1, max_length=4096)] | None = None
    ticket: Annotated[str, Field(strict=True, min_length=1, max_length=200)] | None = None


class Subscribe(Body):
    """Hear a channel. `market` where it is about a pair; `depth` for the book; `fromSeq` for private channels: what
    came after it is told first."""

    op: Literal["subscribe"]
    id: Id | None = None
    channel: Literal[
        "book", "trades", "ticker", "candles", "markets", "orders", "fills", "balances", "settlements", "ops"
    ]
    market: Market | None = None
    depth: Annotated[int, Field(strict=True, ge=1, le=MAX_DEPTH)] = MAX_DEPTH
    interval: Annotated[str, Field(strict=True, pattern=r"^[0-9]{1,2}[smhdw]$")] | None = None
    from_seq: Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)] | None = None


class Unsubscribe(Body):
    """Hear a channel no longer."""

    op: Literal["unsubscribe"]
    id: Id | None = None
    channel: str
    market: Market | None = None
    depth: Annotated[int, Field(strict=True, ge=1, le=MAX_DEPTH)] = MAX_DEPTH
    interval: str | None = None


class Order(Body):
    """Place a signed order: the body of `POST /trading/orders`."""

    op: Literal["order"]
    id: Id
    order: PlaceOrder


class Cancel(Body):
    """Cancel an order: as `DELETE /trading/orders/{id}`."""

    op: Literal["cancel"]
    id: Id
    order_id: UUID


class Ping(Body):
    """Ask whether we are there."""

    op: Literal["ping"]
    id: Id | None = None


class Subscribed(Answer):
    """You hear the channel from now on; `seq` is where a private one stands."""

    type: Literal["subscribed", "unsubscribed"]
    id: int | None
    channel: str
    market: str | None = None
    seq: int | None = None


class Authenticated(Answer):
    """We know who you are, until your session ends."""

    type: Literal["authenticated"]
    id: int | None
    user_id: UUID


class Refused(Answer):
    """Something you sent was refused, with the problem that HTTP would answer."""

    type: Literal["error"]
    id: int | None
    problem: dict[str, Any]


class Heartbeat(Answer):
    """Every second, so that silence means that you are cut off."""

    type: Literal["heartbeat"]
    ts: str
    n: int


class ServerShutdown(Answer):
    """This server is about to close; come back after so long."""

    type: Literal["serverShutdown"]
    reconnect_after_ms: int


class BookMessage(Answer):
    """A snapshot is the whole of the best levels; an update has the levels that changed, `"0"` for one that is gone.
    An update follows what you hold only where its `prevSeq` is your `seq`."""

    type: Literal["snapshot", "update"]
    channel: Literal["book"]
    market: str
    prev_seq: int | None = None
    seq: int
    ts: str
    bids: list[Level]
    asks: list[Level]
    checksum: int


class TapeEntry(Answer):
    """A trade as everybody may see it."""

    id: UUID
    seq: int
    price: str
    quantity: str
    taker_side: str
    executed_at: str


class TradesMessage(Answer):
    """A snapshot has the last trades, an update those since; the oldest first. `seq` counts the pair's trades."""

    type: Literal["snapshot", "update"]
    channel: Literal["trades"]
    market: str
    prev_seq: int | None = None
    seq: int
    ts: str | None
    trades: list[TapeEntry]


class TickerMessage(Answer):
    """The best prices and the last, whole each time; `stats` are those of the last 24 hours, `reference` what a price
    source outside says, each null where nobody knows."""

    type: Literal["snapshot", "update"]
    channel: Literal["ticker"]
    market: str
    seq: int
    ts: str
    last: str | None
    best_bid: str | None
    best_bid_quantity: str | None
    best_ask: str | None
    best_ask_quantity: str | None
    stats: dict[str, Any] | None = None
    reference: dict[str, Any] | None = None


class CandlesMessage(Answer):
    """A snapshot has the last hundred candles, an update those that have changed; the oldest first, each as over
    HTTP."""

    type: Literal["snapshot", "update"]
    channel: Literal["candles"]
    market: str
    interval: str
    candles: list[dict[str, Any]]


class Pong(Answer):
    """We are there."""

    type: Literal["pong"]
    id: int | None


class MarketEvent(Answer):
    """What became of a market: the public events of its life."""

    type: Literal["event"]
    channel: Literal["markets"]
    event_id: str
    event_type: str
    ts: str
    data: dict[str, Any]


class PrivateEvent(Answer):
    """Something of yours. `seq` grows; the next subscription may begin after it."""

    type: Literal["event"]
    channel: Literal["orders", "fills", "settlements"]
    prev_seq: int
    seq: int
    ts: str
    event_id: str
    event_type: str
    data: dict[str, Any]


class BalancesMessage(Answer):
    """What you have: all of it in a snapshot, then what has changed, each as it is now."""

    type: Literal["snapshot", "update"]
    channel: Literal["balances"]
    seq: int
    ts: str
    balances: list[dict[str, Any]]


class OpsMessage(Answer):
    """How the installation works, for those who operate it, whole each time: jobs by queue, how long what the relay
    carries has waited, transactions that are not in the chain for good, the vault's watcher, ledger against vault, and
    the orders and commands that no matcher has taken up in time."""

    type: Literal["snapshot", "update"]
    channel: Literal["ops"]
    ts: str
    queues: list[dict[str, Any]]
    relay_lag_ms: dict[str, int]
    lane: dict[str, int]
    watcher: dict[str, Any] | None
    reconciliation: dict[str, Any] | None
    stuck: dict[str, Any]


class OrderReply(Answer):
    """What became of an order or a cancel: the status and body that HTTP would answer."""

    type: Literal["order", "cancel"]
    id: int
    status: int
    order: dict[str, Any] | None
    problem: dict[str, Any] | None


SENT = (Authenticate, Subscribe, Unsubscribe, Order, Cancel, Ping)
HEARD = (
    Authenticated,
    Subscribed,
    Refused,
    Heartbeat,
    ServerShutdown,
    BookMessage,
    TradesMessage,
    TickerMessage,
    CandlesMessage,
    Pong,
    MarketEvent,
    PrivateEvent,
    BalancesMessage,
    OpsMessage,
    OrderReply,
)
