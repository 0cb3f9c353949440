"""Orders: signed, placed, watched, ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import Order, OrderPreview, Settlement, Trade
from deedbook.client.errors import DeedbookError
from deedbook.client.flow import Call, Flow, Session, ask, signer_of
from deedbook.client.flows.asking import get, page, segment, send
from deedbook.client.flows.people import exchange_info, me, pair
from deedbook.client.flows.waiting import until
from deedbook.client.operations import Page
from deedbook.client.orders import NewOrder, SignedOrder, order_fields, sign_order
from deedbook.client.problems import error_of
from deedbook.client.reading import read
from deedbook.client.refusals import DuplicateOrder


@dataclass(frozen=True)
class Placed:
    """What became of one order of many: it, or why it was refused."""

    order: Order | None
    error: DeedbookError | None


@dataclass(frozen=True)
class Cancelled:
    """How many orders were asked to end."""

    cancelled: int


@dataclass(frozen=True)
class Deadline:
    """When all my orders end; `None` when they do not."""

    cancel_at: datetime | None


def signed(session: Session, order: NewOrder) -> Flow[SignedOrder]:
    """Sign an order, and do not send it."""
    signer = signer_of(session)
    exchange = yield from exchange_info(session)
    of = yield from pair(session, order.pair)
    expiry = int(session.clock()) + order.expires_in_s
    return sign_order(signer, exchange, of, order, nonce=session.new_nonce(), expiry=expiry)


def place(session: Session, order: NewOrder | SignedOrder) -> Flow[Order]:
    """Sign and place an order. It is durable when this answers, and matched right after."""
    sent = order if isinstance(order, SignedOrder) else (yield from signed(session, order))
    return (yield from _take(session, "/trading/orders", sent))


def replace(session: Session, order_id: UUID | str, order: NewOrder | SignedOrder) -> Flow[Order]:
    """Place an order and end an older one on the same pair: both, or neither."""
    sent = order if isinstance(order, SignedOrder) else (yield from signed(session, order))
    return (yield from _take(session, f"/trading/orders/{segment(order_id)}/replace", sent))


def _take(session: Session, path: str, sent: SignedOrder) -> Flow[Order]:
    """The key makes it safe to send again what may have been taken: the first answer comes back."""
    told = yield from ask(session, Call("POST", path, body=dict(sent.body), key=f"order-{sent.hash}"))
    return read(Order, told)


def place_many(session: Session, orders: Iterable[NewOrder | SignedOrder]) -> Flow[tuple[Placed, ...]]:
    """Place many orders, each with a fate of its own. They are sent again only where each has a `client_order_id`;
    what was taken the first time is then found by it."""
    sent: list[SignedOrder] = []
    for order in orders:
        as_signed = order if isinstance(order, SignedOrder) else (yield from signed(session, order))
        sent.append(as_signed)
    named = all(order.client_order_id for order in sent)
    body = {"orders": [dict(order.body) for order in sent]}
    told = yield from ask(session, Call("POST", "/trading/orders/batch", body=body, repeatable=named))
    placed: list[Placed] = []
    for order, answer in zip(sent, told["data"], strict=True):
        placed.append((yield from _placed(session, order, answer)))
    return tuple(placed)


def _placed(session: Session, sent: SignedOrder, answer: dict[str, Any]) -> Flow[Placed]:
    if answer.get("order"):
        return Placed(read(Order, answer["order"]), None)
    error = error_of(answer["status"], answer["problem"])
    if isinstance(error, DuplicateOrder) and sent.client_order_id:
        known = yield from order_by_client_id(session, sent.client_order_id)
        if known.hash in (sent.hash, None):
            return Placed(known, None)
    return Placed(None, error)


def preview(session: Session, order: NewOrder) -> Flow[OrderPreview]:
    """What an order would set aside, cost and be told now. Nothing is signed."""
    fields = order_fields(order, (yield from pair(session, order.pair)))
    body = {name: value for name, value in fields.items() if value != ""}
    for name in ("selfTrade", "clientOrderId"):
        body.pop(name, None)
    told = yield from ask(session, Call("POST", "/trading/orders/preview", body=body))
    return read(OrderPreview, told)


def cancel(session: Session, order_id: UUID | str) -> Flow[Order]:
    """Cancel an order. What is filled until the book obeys stays filled."""
    return read(Order, (yield from ask(session, Call("DELETE", f"/trading/orders/{segment(order_id)}"))))


def reduce(session: Session, order_id: UUID | str, remaining: Amount) -> Flow[Order]:
    """Let less of an order remain. It keeps its place."""
    body = {"remainingQuantity": amount_text(remaining)}
    return (yield from send(session, Order, f"/trading/orders/{segment(order_id)}/reduce", body))


def cancel_all(session: Session, pair: str | None = None) -> Flow[int]:
    """Cancel all my orders, or those on one pair; how many that were."""
    body = {} if pair is None else {"tradingPairId": pair}
    done = yield from send(session, Cancelled, "/trading/orders/cancel-all", body)
    return done.cancelled


def cancel_all_after(session: Session, seconds: int) -> Flow[datetime | None]:
    """Have all my orders cancelled unless this is said again in time; 0 takes it back."""
    told = yield from send(session, Deadline, "/trading/cancel-all-after", {"seconds": seconds})
    return told.cancel_at


def order(session: Session, order_id: UUID | str) -> Flow[Order]:
    """An order of mine."""
    return (yield from get(session, Order, f"/trading/orders/{segment(order_id)}"))


def order_by_client_id(session: Session, client_order_id: str) -> Flow[Order]:
    """An order of mine, by the name that I gave it."""
    return (yield from get(session, Order, f"/trading/orders/by-client-id/{segment(client_order_id)}"))


def orders(
    session: Session, cursor: str | None, *, pair: str | None = None, status: str | None = None
) -> Flow[Page[Order]]:
    """My orders, the newest first."""
    user_id = (yield from me(session)).user_id
    path = f"/trading/users/{user_id}/orders"
    return (yield from page(session, Order, path, cursor, trading_pair_id=pair, status=status))


def trades(session: Session, cursor: str | None, *, pair: str | None = None) -> Flow[Page[Trade]]:
    """My trades, the newest first."""
    user_id = (yield from me(session)).user_id
    path = f"/trading/users/{user_id}/trades"
    return (yield from page(session, Trade, path, cursor, trading_pair_id=pair))


def settlements(session: Session, cursor: str | None, *, status: str | None = None) -> Flow[Page[Settlement]]:
    """My trades' way to the chain."""
    user_id = (yield from me(session)).user_id
    path = f"/trading/users/{user_id}/settlements"
    return (yield from page(session, Settlement, path, cursor, status=status))


def settlement(session: Session, trade_id: UUID | str) -> Flow[Settlement]:
    """How far a trade is on its way to the chain."""
    return (yield from get(session, Settlement, f"/trading/trades/{segment(trade_id)}/settlement"))


def wait_for_order(
    session: Session, order_id: UUID | str, statuses: Sequence[str] = (), within_s: float = 30
) -> Flow[Order]:
    """Ask for an order until nothing of it can trade any more, or until it is in one of these states.

    Raises:
        StillWaiting: it is not, in time.
    """

    def is_there(known: Order) -> bool:
        return known.status in statuses or known.is_over

    return (
        yield from until(session, lambda: order(session, order_id), is_there, f"order {order_id}", within_s)
    )
