"""Orders and cancels over the socket: the same entry as over HTTP, the same checks, the same answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from starlette.requests import HTTPConnection

from deedbook.api.deps import require_account
from deedbook.api.errors import problem_body, status_of
from deedbook.api.hot import require_few_requests
from deedbook.api.key_use import place_as, require_scope
from deedbook.api.live.connection import Connection
from deedbook.api.live.messages import Cancel, Order
from deedbook.api.turnstile import Entrance
from deedbook.identity import Caller, Scope
from deedbook.identity.errors import Unauthenticated
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.errors import InternalError, RateLimited, Refusal
from deedbook.trading.entry import OrderEntry

log = structlog.get_logger(__name__)

IN_FLIGHT = 20


class Trader:
    """What one socket sends in. Several orders may be under way at once; `id` says which answer is whose."""

    def __init__(self, socket: HTTPConnection, connection: Connection) -> None:
        self._socket = socket
        self._connection = connection
        self._under_way: set[asyncio.Task[None]] = set()

    def order(self, told: Order) -> None:
        """Raises Unauthenticated · RateLimited."""

        async def place(caller: Caller) -> bytes:
            state = self._socket.app.state
            entrance = Entrance(state.turnstile, caller)
            return (await place_as(state.entry, told.order.asked(), caller, entrance)).answer

        self._begin("order", "orders", told.id, 201, place)

    def cancel(self, told: Cancel) -> None:
        """Raises Unauthenticated · RateLimited."""

        async def cancel(caller: Caller) -> bytes:
            passed = await self._socket.app.state.turnstile.enter("cancels", caller)
            passed.standing.require_room()
            entry: OrderEntry = self._socket.app.state.entry
            return orjson.dumps(await entry.cancels.cancel(caller.user_id, told.order_id))

        self._begin("cancel", "cancels", told.id, 202, cancel)

    async def finish(self) -> None:
        """What was begun is done, whether or not anybody hears the answer."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _begin(
        self, kind: str, bucket: str, number: int, status: int, work: Callable[[Caller], Awaitable[bytes]]
    ) -> None:
        caller = self._connection.caller
        if caller is None:
            raise Unauthenticated("say who you are first: send auth")
        if len(self._under_way) >= IN_FLIGHT:
            raise RateLimited(f"more than {IN_FLIGHT} orders and cancels under way", retry_after_s=0.1)
        require_scope(caller, Scope.TRADE)
        require_account(caller)
        require_few_requests(self._socket.app.state.limiter, bucket, caller)
        task = asyncio.create_task(self._answer(kind, number, status, work(caller)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _answer(self, kind: str, number: int, status: int, work: Awaitable[bytes]) -> None:
        told: dict[str, Any] = {"type": kind, "id": number, "status": status, "order": None, "problem": None}
        try:
            told["order"] = orjson.Fragment(await work)
            await failpoint("api.beforeReply")
        except Refusal as refusal:
            told |= self._problem(refusal)
        except Exception as error:
            log.error("socket_order_failed", exc_info=error)
            told |= self._problem(
                InternalError("this is our fault, and it has been logged; look before you repeat it")
            )
        self._connection.send(orjson.dumps(told).decode())

    def _problem(self, refusal: Refusal) -> dict[str, Any]:
        return {"status": status_of(type(refusal)), "problem": problem_body(self._socket, refusal)}
