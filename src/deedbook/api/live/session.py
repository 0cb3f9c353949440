"""One socket from its opening to its end: what the client sends is read here, one message after the other."""

import asyncio
from contextlib import suppress
from typing import Any

import orjson
import structlog
import uuid_utils
from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from deedbook.api.deps import note_address
from deedbook.api.errors import invalid_fields, problem, problem_body
from deedbook.api.key_use import require_key_from_here
from deedbook.api.live import subscribing
from deedbook.api.live.connection import Connection
from deedbook.api.live.errors import OriginRefused, TooManyConnections
from deedbook.api.live.hub import Hub
from deedbook.api.live.messages import SENT, Authenticate, Cancel, Order, Ping, Subscribe, Unsubscribe
from deedbook.api.live.socket import AsgiWire, Bucket, Counted, may_come_from
from deedbook.api.live.tickets import use_ticket
from deedbook.api.live.trade import Trader
from deedbook.api.ratelimit import Limiter
from deedbook.api.strict import parse_json
from deedbook.identity import Caller
from deedbook.identity.errors import Forbidden, Unauthenticated
from deedbook.kernel.errors import (
    FieldError,
    InternalError,
    Invalid,
    RateLimited,
    Refusal,
    Unavailable,
)
from deedbook.wiring import Resources

log = structlog.get_logger(__name__)

MESSAGES_PER_S = 20
PATIENCE = 100
"""How many messages beyond that are answered before the socket is closed."""
NOT_TEXT, TOO_MANY, CROWDED = (1003, "text_only"), (1008, "rate_limited"), (1008, "too_many_connections")
OPERATIONS: dict[str, type[BaseModel]] = {
    model.model_fields["op"].annotation.__args__[0]: model  # type: ignore[union-attr]
    for model in SENT
}


class Live:
    """The application behind the socket's address."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["request_id"] = str(uuid_utils.uuid7())
        socket = WebSocket(scope, receive, send)
        await socket.receive()
        try:
            caller = await self._let_in(socket)
        except Refusal as refusal:
            await socket.send_denial_response(problem(socket, refusal))
            return
        address = socket.state.address
        try:
            await socket.accept()
            await Session(socket, self._counted, AsgiWire(scope, send), caller).run()
        finally:
            self._counted.gone_from(address)

    async def _let_in(self, socket: WebSocket) -> Caller | None:
        """Whose ticket the address carries, if any.

        Raises:
            Unavailable · RateLimited · OriginRefused · Unauthenticated · TooManyConnections: the first that applies.
        """
        resources: Resources = socket.app.state.resources
        if socket.app.state.hub.closing:
            raise Unavailable("this server is about to close; try again")
        note_address(socket, resources)
        address = socket.state.address
        standing = await socket.app.state.limiter.count("reads", f"ip-{address}")
        if standing.wait_s:
            raise RateLimited("too many requests in a minute", retry_after_s=float(standing.wait_s))
        if not may_come_from(socket, resources.settings):
            raise OriginRefused
        caller = None
        if ticket := socket.query_params.get("ticket"):
            caller = await use_ticket(resources.db, resources.redis, ticket)
        if not self._counted.come_from(address):
            raise TooManyConnections(
                "close some of those that are open from this address, or come back later"
            )
        return caller


class Session:
    """One open socket."""

    def __init__(self, socket: WebSocket, counted: Counted, wire: AsgiWire, caller: Caller | None) -> None:
        self._socket = socket
        self._counted = counted
        self._caller = caller
        self._hub: Hub = socket.app.state.hub
        self._connection = Connection(wire)
        self._trader = Trader(socket, self._connection)
        self._bucket = Bucket(MESSAGES_PER_S)
        self._beyond = 0

    async def run(self) -> None:
        """Until either side has enough."""
        connection = self._connection
        self._hub.join(connection)
        if self._caller is not None:
            self._become(self._caller)
        writing = asyncio.create_task(connection.write())
        reading = asyncio.create_task(self._read())
        try:
            await connection.over.wait()
        finally:
            self._hub.leave(connection)
            for task in (writing, reading):
                task.cancel()
            await asyncio.gather(writing, reading, return_exceptions=True)
            await connection.finish()
            await self._trader.finish()
            if connection.caller is not None:
                self._counted.belong_no_longer(connection.caller.user_id)

    async def _read(self) -> None:
        gone = 1001, "gone"
        try:
            with suppress(OSError, RuntimeError):
                while True:
                    message = await self._socket.receive()
                    if message["type"] == "websocket.disconnect":
                        break
                    text = message.get("text")
                    if text is None:
                        gone = NOT_TEXT
                        break
                    await self._hear(text)
                    await asyncio.sleep(0)  # others, and what is to be written, come in between
        except Exception:
            log.exception("socket_failed")
            gone = 1011, "internal_error"
        self._connection.close(*gone)

    async def _hear(self, text: str) -> None:
        told: Any = None
        try:
            if not self._bucket.take():
                self._beyond += 1
                if self._beyond > PATIENCE:
                    self._connection.close(*TOO_MANY)
                raise RateLimited(f"more than {MESSAGES_PER_S} messages in a second", retry_after_s=1.0)
            told = parse_json(text.encode())
            await self._do(_read(told))
        except RateLimited as refusal:
            self._refuse(told, refusal)
        except Refusal as refusal:
            self._refuse(told, refusal)
            await self._count_refused()

    async def _count_refused(self) -> None:
        """Finding out that there is no such key or pair costs as much as over HTTP, and counts with it, by address."""
        limiter: Limiter = self._socket.app.state.limiter
        standing = await limiter.count("reads", f"ip-{self._socket.state.address}")
        if standing.wait_s:
            self._connection.close(*TOO_MANY)

    async def _do(self, asked: BaseModel) -> None:
        match asked:
            case Authenticate():
                await self._authenticate(asked)
            case Subscribe():
                await subscribing.subscribe(self._socket, self._hub, self._connection, asked)
            case Unsubscribe():
                subscribing.unsubscribe(self._connection, asked)
            case Order():
                self._trader.order(asked)
            case Cancel():
                self._trader.cancel(asked)
            case Ping():
                self._say({"type": "pong", "id": asked.id})
            case _:
                raise InternalError

    async def _authenticate(self, asked: Authenticate) -> None:
        resources: Resources = self._socket.app.state.resources
        if asked.token is not None:
            caller = await self._socket.app.state.callers.find(asked.token)
            require_key_from_here(self._socket, caller)
        elif asked.ticket is not None:
            caller = await use_ticket(resources.db, resources.redis, asked.ticket)
        else:
            raise Unauthenticated("send a token or a ticket")
        if self._become(caller):
            self._say({"type": "authenticated", "id": asked.id, "userId": str(caller.user_id)})

    def _become(self, caller: Caller) -> bool:
        """Raises Forbidden: it belongs to somebody else already."""
        before = self._connection.caller
        if before is None:
            if not self._counted.belong_to(caller.user_id):
                self._connection.close(*CROWDED)
                return False
        elif before.user_id != caller.user_id:
            raise Forbidden("this socket belongs to another user; open one of your own")
        elif caller.key is not None and before.session_id != caller.session_id:
            # What was subscribed to before would go on, whatever this key is for, and outlive who asked for it.
            raise Forbidden("this socket was opened by something else than this key; open one for it")
        self._connection.caller = caller
        return True

    def _refuse(self, told: Any, refusal: Refusal) -> None:
        number = told.get("id") if isinstance(told, dict) else None
        number = number if isinstance(number, int) and not isinstance(number, bool) else None
        self._say({"type": "error", "id": number, "problem": problem_body(self._socket, refusal)})

    def _say(self, told: dict[str, Any]) -> None:
        self._connection.send(orjson.dumps(told).decode())


def _read(told: Any) -> BaseModel:
    """Raises Invalid: it is nothing that we know."""
    operation = told.get("op") if isinstance(told, dict) else None
    model = OPERATIONS.get(operation) if isinstance(operation, str) else None
    if model is None:
        known = ", ".join(OPERATIONS)
        raise Invalid("nothing we know", errors=(FieldError("/op", "unknown_operation", f"one of {known}"),))
    try:
        return model.model_validate(told)
    except ValidationError as error:
        raise invalid_fields(error.errors(include_url=False)) from None
