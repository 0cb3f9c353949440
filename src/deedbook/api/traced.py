"""Requests that place orders, in the traces of those orders. It stands in the way only where tracing is on."""

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deedbook.infra.tracing import tracer
from deedbook.kernel.ids import parse_uuid
from deedbook.trading.admission import Admitted

Accepted = Callable[[Sequence[Admitted]], None]
PLACING = "/trading/orders"


class Traced:
    """Around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or PLACING not in scope["path"]:
            await self._app(scope, receive, send)
            return
        began, body = time.time(), bytearray()

        async def send_and_keep(message: Message) -> None:
            body.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, send_and_keep)
        placed = _orders_in(bytes(body))
        if placed:
            route = getattr(scope.get("route"), "path", PLACING)
            tracer().step("http.request", placed, began, time.time(), {"http.route": str(route)})


def noting(accepted: Accepted) -> Accepted:
    """The same, and the trace of each order begun."""

    def note(orders: Sequence[Admitted]) -> None:
        kept = time.time()
        for order in orders:
            text, began = order.text, order.created_at.timestamp()
            told = {"deedbook.pair": text.pair, "deedbook.side": text.side.value}
            tracer().order(order.order_id, began, kept, told)
        first = min((order.created_at.timestamp() for order in orders), default=kept)
        tracer().step("intake.commit", [order.order_id for order in orders], first, kept, {})
        accepted(orders)

    return note


def _orders_in(body: bytes) -> list[UUID]:
    """The ids of the orders that this answer says were placed."""
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    if not isinstance(told, dict):
        return []
    shown = [item.get("order") for item in told["data"]] if isinstance(told.get("data"), list) else [told]
    named = [str(order.get("id", "")) for order in shown if isinstance(order, dict) and "hash" in order]
    return [order_id for name in named if (order_id := parse_uuid(name)) is not None]
