"""A client of the feeds, as little of one as a load generator needs: hundreds of them must cost less than the server
that they measure. Some keep a whole copy of the book, and all see to it that nothing is missing."""

import asyncio
import base64
import os
import time
from collections import defaultdict
from datetime import datetime
from typing import Any, cast

import orjson

from deedbook.client.live_book import BookOutOfStep, LiveBook

CHANNELS = ("book", "trades", "ticker")
OPEN_S = 30.0
TEXT, CLOSE, PING = 1, 8, 9


class Follower(asyncio.Protocol):
    """One socket that hears the book, the trades and the ticker of one market. `lags_s` are by channel, from the moment
    of the matcher's batch to the arrival of its message."""

    def __init__(self, host: str, market: str, *, keeps_book: bool) -> None:
        self._host = host
        self.market = market
        self.book = LiveBook(market) if keeps_book else None
        self._buffer = bytearray()
        self._shaken = False
        self._seqs: dict[str, int] = {}
        self._began = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self.lags_s: dict[str, list[float]] = defaultdict(list)
        self.counting = False
        self.troubles: list[str] = []

    @classmethod
    async def open(cls, host: str, port: int, market: str, *, keeps_book: bool) -> "Follower":
        """A follower that has heard how everything stands.

        Raises:
            OSError · TimeoutError: there is no such socket.
        """
        loop = asyncio.get_running_loop()
        _, follower = await loop.create_connection(
            lambda: cls(f"{host}:{port}", market, keeps_book=keeps_book), host, port
        )
        async with asyncio.timeout(OPEN_S):
            await follower._began.wait()
        if follower.troubles:
            raise ConnectionRefusedError(follower.troubles[0])
        return follower

    def close(self) -> None:
        """Cut the connection, and count nothing any more."""
        self.counting = False
        assert self._transport is not None
        self._transport.abort()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /api/v1/ws HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        if self.counting:
            self._fail("the connection was lost")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._shaken and not self._shake():
            return
        while (frame := self._frame()) is not None:
            self._take(*frame)

    # The protocol's side

    def _shake(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not self._buffer.startswith(b"HTTP/1.1 101"):
            self._fail(bytes(self._buffer[:500]).decode(errors="replace"))
            return False
        del self._buffer[: end + 4]
        self._shaken = True
        for channel in CHANNELS:
            self._send(TEXT, orjson.dumps({"op": "subscribe", "channel": channel, "market": self.market}))
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame; ours come in one piece and unmasked."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(buffer[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + length:
            return None
        operation, payload = buffer[0] & 15, bytes(buffer[start : start + length])
        del buffer[: start + length]
        return operation, payload

    def _send(self, operation: int, payload: bytes) -> None:
        assert len(payload) < 126 and self._transport is not None
        # Masked by zeros, as clients must mask and may do so by anything.
        self._transport.write(bytes((128 | operation, 128 | len(payload), 0, 0, 0, 0)) + payload)

    def _take(self, operation: int, payload: bytes) -> None:
        if operation == TEXT:
            self._hear(orjson.loads(payload))
        elif operation == PING:
            self._send(10, payload)
        elif operation == CLOSE:
            self._fail(f"closed: {payload[2:].decode(errors='replace')}")

    # What is heard

    def _hear(self, told: dict[str, Any]) -> None:
        if told["type"] == "error":
            self._fail(str(told["problem"]["detail"]))
        channel = told.get("channel")
        if channel is None or "seq" not in told:
            return
        if told.get("prevSeq", self._seqs.get(channel)) != self._seqs.get(channel):
            self._fail(f"{channel} has a gap")
        self._seqs[channel] = told["seq"]
        if channel == "book" and self.book is not None:
            try:
                self.book.apply(told)
            except BookOutOfStep as wrong:
                self._fail(str(wrong))
        if told["type"] == "update" and self.counting:
            moment = datetime.fromisoformat(told["ts"]).timestamp()
            self.lags_s[channel].append(time.time() - moment)
        if len(self._seqs) == len(CHANNELS):
            self._began.set()

    def _fail(self, why: str) -> None:
        self.troubles.append(why)
        self._began.set()
