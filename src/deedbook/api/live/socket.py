"""The socket itself: who may open one, and how many; what is written, and how it ends."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope, Send

from deedbook.infra.settings import Settings

PER_ACCOUNT = 10
IN_ALL = 1500
"""Of one process: what it can hold beyond that is left to requests."""
ABORT = "deedbook.abort"
"""The extension by which our server gives the application the means to end a socket whose client does not read."""


class AsgiWire:
    """A client, as the server gives it to us."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._abort: Callable[[], None] = (
            scope.get("extensions", {}).get(ABORT, {}).get("abort", lambda: None)
        )

    async def write(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def abort(self) -> None:
        self._abort()


def may_come_from(socket: HTTPConnection, settings: Settings) -> bool:
    """Whether a page of this origin may speak for its user. Programs send no origin; browsers always do."""
    origin = socket.headers.get("origin")
    if origin is None:
        return True
    if origin in settings.CORS_ORIGINS:
        return True
    return origin == "{0.scheme}://{0.netloc}".format(urlsplit(settings.public_url))


class Counted:
    """How many sockets each address and each account has open in this process."""

    def __init__(self, per_address: int) -> None:
        self._per_address = per_address
        self._addresses: Counter[str] = Counter()
        self._accounts: Counter[Any] = Counter()

    def come_from(self, address: str) -> bool:
        return self._addresses.total() < IN_ALL and self._add(self._addresses, address, self._per_address)

    def gone_from(self, address: str) -> None:
        self._take(self._addresses, address)

    def belong_to(self, account: Any) -> bool:
        return self._add(self._accounts, account, PER_ACCOUNT)

    def belong_no_longer(self, account: Any) -> None:
        self._take(self._accounts, account)

    @staticmethod
    def _add(counts: Counter[Any], key: Any, most: int) -> bool:
        if counts[key] >= most:
            return False
        counts[key] += 1
        return True

    @staticmethod
    def _take(counts: Counter[Any], key: Any) -> None:
        counts[key] -= 1
        if counts[key] <= 0:
            del counts[key]


class Bucket:
    """Messages that a client may send: so many a second, and for a moment a second's worth at once."""

    def __init__(self, per_s: int, clock: Callable[[], float] | None = None) -> None:
        self._per_s = per_s
        self._clock = clock or asyncio.get_running_loop().time
        self._left = float(per_s)
        self._at = self._clock()

    def take(self) -> bool:
        now = self._clock()
        self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
