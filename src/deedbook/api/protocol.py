"""HTTP of one connection as we speak it: hot requests go on the express way, an answer leaves in one write, and who
sends without end, nothing, or takes nothing is let go."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from deedbook.api.hot import Express
from deedbook.api.middleware import FULL, as_lines, named_headers

MAX_UNREAD_BYTES = 65_536
"""What may come of a request before a head, or a piece of a body, is whole."""
MAX_WAITING = 64
"""How many requests of a connection wait for the answers to those before them: each takes a hundred times its bytes."""
IDLE_S = 30
"""How long a client may say nothing, be it at first or in the middle of a head, take nothing of what is sent to it, or
need for a head."""


class OneWrite:
    """A transport on which the head of an answer waits for its body, at most until the loop comes round: two writes are
    two system calls, and under Nagle's eyes two packets."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            asyncio.get_running_loop().call_soon(self._flush)
            return
        self._transport.write(data)

    def write_whole(self, answer: bytes) -> None:
        """An answer with its head."""
        self._flush()
        self._transport.write(answer)

    def close(self) -> None:
        """Also where the client takes nothing more: the transport alone would wait for it for ever."""
        self._flush()
        self._transport.close()
        if self._transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(IDLE_S, self._transport.abort)

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)


class Exchange:
    """A request on the express way, to the protocol what one of its own cycles is."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")
    message_event = asyncio.Event()  # The body is there: nobody waits for more of it.
    more_body = False

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.disconnected = self.response_complete = False


class Patience:
    """A deadline that moves with every request: one timer looks for it, since setting a timer anew each time costs more
    than the looking. Deadlines lie `IDLE_S` ahead when they are set, so that it always looks in time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, over: Callable[[], None]) -> None:
        self._loop = loop
        self._over = over
        self._until = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def wait_until(self, moment: float) -> None:
        self._until = moment
        if self._timer is None:
            self._look()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if self._until <= now:
            self._over()
        else:
            self._timer = self._loop.call_at(min(self._until, now + IDLE_S), self._look)


class Forgotten(list[tuple[bytes, bytes]]):
    """Where trailers go: they are no headers (RFC 9110, section 6.5.1), and have no end."""

    def append(self, field: tuple[bytes, bytes]) -> None:
        pass


FORGOTTEN = Forgotten()


class Http(HttpToolsProtocol):
    """Requests for the express way that come in one piece go there at once. What comes in several, or right after
    another that is not answered yet, goes the way of all others. Who sends without end, nothing, or takes nothing is
    let go."""

    def __init__(self, config: uvicorn.Config, *more: Any, **named: Any) -> None:
        super().__init__(config, *more, **named)
        self._express: Express | None = getattr(getattr(config.app, "state", None), "express", None)
        self._held = False
        self._body = bytearray()  # many small chunks would each copy a `bytes` anew
        self._unread = 0
        self._awaited_after = object()
        self._awaited_until = 0.0
        self._patience = Patience(self.loop, self.timeout_keep_alive_handler)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(OneWrite(transport))  # type: ignore[arg-type]
        self._patience.wait_until(self.loop.time() + IDLE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.end()
        super().connection_lost(exc)

    def _unset_keepalive_if_required(self) -> None:
        self._patience.wait_until(math.inf)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """The server's own answer when we are full has neither the shape of a refusal nor says when to come again."""
        if app is service_unavailable:
            cycle.scope["app"], app = self.config.app, FULL
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._patience.wait_until(self.loop.time() + IDLE_S)

    def handle_websocket_upgrade(self) -> None:
        self._patience.end()  # A WebSocket has its own, and nobody would tell this when it is over.
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._held and not self.transport.is_closing():
            self._held, body = False, bytes(self._body)
            super().on_headers_complete()
            super().on_body(body)
        if self._unread > MAX_UNREAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of this request is too large.")
        elif self.cycle is None or self.cycle.response_complete:
            self._await_the_rest()

    def _await_the_rest(self) -> None:
        """Nothing of ours is on its way to the client: it has begun something, and has to go on with it. The time for
        that runs from its first piece."""
        if self not in self.connections or self.transport.is_closing():
            return  # It is a WebSocket now, or over.
        if self._awaited_after is not self.cycle:
            self._awaited_after, self._awaited_until = self.cycle, self.loop.time() + IDLE_S
        self._patience.wait_until(self._awaited_until)

    def send_400_response(self, msg: str) -> None:
        """Never in the place of an answer that is on its way: whoever waits for it would take this for it."""
        if self.cycle is None or self.cycle.response_complete or (self.cycle.more_body and not self.pipeline):
            super().send_400_response(msg)
        elif self.cycle.more_body:
            self.transport.close()
        else:
            self.cycle.keep_alive = False
            self.flow.pause_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_its_reading(self.transport.get_write_buffer_size())

    def _watch_its_reading(self, left: int) -> None:
        self.loop.call_later(IDLE_S, self._drop_who_takes_nothing, left)

    def _drop_who_takes_nothing(self, left: int) -> None:
        if self.flow.write_paused:
            now_left = self.transport.get_write_buffer_size()
            if now_left < left:
                self._watch_its_reading(now_left)
            else:
                self.transport.abort()

    def on_headers_complete(self) -> None:
        self._unread = 0
        if len(self.pipeline) >= MAX_WAITING:
            raise ValueError("too many at once")  # the parser stops there, and hears no more
        self._held, self._body = self._is_express(), bytearray()
        if not self._held:
            super().on_headers_complete()
        if self._held or not self.parser.should_upgrade():
            self.headers = FORGOTTEN

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        if self._held:
            self._body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        if not self._held:
            super().on_message_complete()
            return
        self._held = False
        exchange = Exchange(self.parser.should_keep_alive())
        self.cycle = exchange  # type: ignore[assignment]
        task = self.loop.create_task(self._answer(exchange, self.scope, self._named, bytes(self._body)))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _is_express(self) -> bool:
        """Whether this request may go there. Whatever is unusual about it is for the others."""
        if self._express is None or self.expect_100_continue or self.parser.should_upgrade():
            return False
        if (self.cycle is not None and not self.cycle.response_complete) or self._is_full():
            return False
        method, (path, _, query) = self.parser.get_method(), self.url.partition(b"?")
        found = self._express.find(method, path)
        self._named = named_headers(self.headers)
        if found is None or self.parser.get_http_version() != "1.1" or b"origin" in self._named:
            return False
        route, said = found
        scope: Any = self.scope
        scope |= {
            "method": method.decode(),
            "path": path.decode(),
            "raw_path": path,
            "query_string": query,
            "route": route,
            "path_params": said,
        }
        return True

    def _is_full(self) -> bool:
        limit = self.limit_concurrency
        return limit is not None and max(len(self.connections), len(self.tasks)) >= limit

    async def _answer(
        self, exchange: Exchange, scope: Any, named: Mapping[bytes, bytes], body: bytes
    ) -> None:
        assert self._express is not None
        answer, head = await self._express.answer(scope, named, body)
        if self.flow.write_paused and not exchange.disconnected:
            await self.flow.drain()
        if exchange.disconnected or self.transport.is_closing():
            return
        end = b"\r\n" if exchange.keep_alive else b"connection: close\r\n\r\n"
        lines = as_lines((*self.server_state.default_headers, *answer.headers))
        whole = b"".join((STATUS_LINE[answer.status], lines, head, end, answer.body))
        self.transport.write_whole(whole)  # type: ignore[attr-defined]
        exchange.response_complete = True
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()
