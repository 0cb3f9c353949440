"""HTTP/1.1 over a few kept connections, as little of it as a load generator needs: a client library would cost more
than the server it measures."""

import asyncio
from types import TracebackType

CONNECTIONS_MAX = 512
WITHIN_S = 30.0


class Wire:
    """Connections to one server. A request waits for a free one."""

    def __init__(self, host: str, port: int, connections: int) -> None:
        assert 0 < connections <= CONNECTIONS_MAX
        self._host, self._port, self._count = host, port, connections
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def __aenter__(self) -> "Wire":
        for _ in range(self._count):
            self._free.put_nowait(await asyncio.open_connection(self._host, self._port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._free.empty():
            _, writer = self._free.get_nowait()
            writer.close()

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
            TimeoutError · OSError · IncompleteReadError: no whole answer in time.
        """
        reader, writer = await self._free.get()
        try:
            async with asyncio.timeout(WITHIN_S):
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = _length(head)
                body = await reader.readexactly(length) if length else b""
        except BaseException:
            writer.close()
            self._free.put_nowait(await asyncio.open_connection(self._host, self._port))
            raise
        self._free.put_nowait((reader, writer))
        return int(head[9:12]), body


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length:") + 15
    return int(lowered[start : lowered.index(b"\r", start)])
