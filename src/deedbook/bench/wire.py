"""HTTP/1.1 over a few kept connections, as little of it as a load generator needs: a client library would cost more
than the server it measures."""

import asyncio
from types import TracebackType
from typing import cast

CONNECTIONS_MAX = 512


class _Connection(asyncio.Protocol):
    """One request at a time, and the future of its answer."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by its methods only

    def send(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if found and len(body) == _length(head) and self._answer is not None:
            self._received = b""
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("the server closed the connection"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Wire:
    """Connections to one server. A request waits for a free one."""

    def __init__(self, host: str, port: int, connections: int) -> None:
        assert 0 < connections <= CONNECTIONS_MAX
        self._host, self._port, self._count = host, port, connections
        self._free: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
        self._all: list[_Connection] = []

    async def __aenter__(self) -> "Wire":
        for _ in range(self._count):
            await self._connect()
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
        answer = await connection.send(request)
        self._free.put_nowait(connection)
        return answer

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        self._all.append(connection)
        self._free.put_nowait(connection)


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length:") + 15
    end = lowered.find(b"\r", start)
    return int(lowered[start : end if end >= 0 else None])
