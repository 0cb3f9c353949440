"""HTTP/1.1 over a few kept connections, as little of it as a load generator needs: a client library would cost more
than the server it measures."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, cast

CONNECTIONS_MAX = 512
LEAD_S = 0.05
"""From the plan of a volley to its first request, so that none is late from the start."""
TICK_S = 0.005
"""Requests whose moments lie so close together leave together: to be woken for each took the load generator more of the
two processors than its work. Who leaves late has the delay in their latency."""


class Answer(NamedTuple):
    """`latency_s` counts from the moment for which the request was planned."""

    status: int
    body: bytes
    latency_s: float


class _Connection(asyncio.Protocol):
    """One request at a time, and who is told of its answer."""

    def __init__(self) -> None:
        self._received = b""
        self._told: Callable[[int, bytes], None] | None = None
        self._lost: Callable[[Exception], None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by its methods only

    def send(
        self, request: bytes, told: Callable[[int, bytes], None], lost: Callable[[Exception], None]
    ) -> None:
        assert self._transport is not None
        self._told, self._lost = told, lost
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        head, found, body = received.partition(b"\r\n\r\n")
        told = self._told
        if found and told is not None and len(body) == _length(head):
            self._received, self._told, self._lost = b"", None, None
            told(int(head[9:12]), body)
        else:
            self._received = received

    def connection_lost(self, error: Exception | None) -> None:
        if self._lost is not None:
            self._lost(error or ConnectionResetError("the server closed the connection"))

    @property
    def closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Wire:
    """Connections to one server. A request waits for a free one."""

    def __init__(self, host: str, port: int, connections: int) -> None:
        assert 0 < connections <= CONNECTIONS_MAX
        self._host, self._port, self._count = host, port, connections
        # In turn, so that none is left idle for so long that the server closes it.
        self._free: asyncio.Queue[_Connection] = asyncio.Queue()
        self._all: list[_Connection] = []

    async def __aenter__(self) -> "Wire":
        for _ in range(self._count):
            self._free.put_nowait(await self._connect())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._all:
            connection.close()

    def request(self, method: str, path: str, token: str, body: bytes) -> bytes:
        """The bytes of a request, made before the clock starts."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """The status and body of the answer.

        Raises:
            OSError: the connection was lost.
        """
        connection = await self._free.get()
        if connection.closed:  # the server has closed it, since it was idle for long
            self._all.remove(connection)
            connection = await self._connect()
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        connection.send(request, lambda status, body: future.set_result((status, body)), future.set_exception)
        answer = await future
        self._free.put_nowait(connection)
        return answer

    async def volley(self, requests: Sequence[bytes], per_s: float | None) -> list[Answer]:
        """Send them all, at this rate or as fast as they are taken, and wait for the answers, in the order of the
        requests. Nobody else may use the wire meanwhile.

        Raises:
            OSError: a connection was lost.
        """
        assert self._free.qsize() == len(self._all)
        return await _Volley(self._all, requests, per_s).run()

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        self._all.append(connection)
        return connection


class _Volley:
    """Requests that leave at planned moments, each over the connection that is free first, without a task for any of
    them."""

    def __init__(
        self, connections: list[_Connection], requests: Sequence[bytes], per_s: float | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._requests = requests
        self._free = deque(connections)
        self._pause_s = 1 / per_s if per_s else 0.0
        self._started = time.perf_counter() + LEAD_S
        self._next = 0
        self._missing = len(requests)
        self._answers: list[Answer | None] = [None] * len(requests)
        self._waking: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> list[Answer]:
        assert self._requests
        self._wake_for_next()
        await self._over
        return [answer for answer in self._answers if answer is not None]

    def _wake_for_next(self) -> None:
        """Come back when the next is due, unless somebody will already."""
        if self._waking is None and self._next < len(self._requests):
            early_s = self._planned(self._next) - time.perf_counter()
            self._waking = self._loop.call_later(max(TICK_S, early_s), self._send_due)

    def _send_due(self) -> None:
        """All whose moment has come, as far as connections are free: those that are not go on by themselves."""
        self._waking = None
        now = time.perf_counter()
        while self._free and self._is_due(now):
            self._send(self._free.popleft())
        if self._free:
            self._wake_for_next()

    def _send(self, connection: _Connection) -> None:
        number = self._next
        self._next += 1

        def told(status: int, body: bytes) -> None:
            now = time.perf_counter()
            self._answers[number] = Answer(status, body, now - self._planned(number))
            self._missing -= 1
            if self._is_due(now):
                self._send(connection)
                return
            self._free.append(connection)
            self._wake_for_next()
            if not self._missing and not self._over.done():
                self._over.set_result(None)

        connection.send(self._requests[number], told, self._fail)

    def _is_due(self, now: float) -> bool:
        return self._next < len(self._requests) and self._planned(self._next) <= now

    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    def _planned(self, number: int) -> float:
        return self._started + number * self._pause_s


def _length(head: bytes) -> int:
    start = head.index(b"content-length:") + 15
    end = head.find(b"\r", start)
    return int(head[start : end if end >= 0 else None])
