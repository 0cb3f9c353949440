"""One client's socket: a bounded queue of what it is to hear, and the task that writes it.

Whoever reads too slowly is never left with a gap: books and tickers are told anew as they are by then, and where
every message counts the socket is closed, so that the client knows and resumes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from deedbook.identity import Caller
from deedbook.infra.telemetry import FEED_CLOSED, FEED_CONFLATED

QUEUE = 256
CLOSE_S = 1.0
SLOW = 1013, "slow_consumer"


class Wire(Protocol):
    """The far end of a socket."""

    async def write(self, text: str) -> None:
        """Raises OSError: it is gone."""

    async def close(self, code: int, reason: str) -> None: ...

    def abort(self) -> None:
        """End it without a word, whatever still waits in its buffers."""


class Subscription:
    """One channel of one client. `behind` means that it has missed something that will be told as a whole."""

    def __init__(self, connection: "Connection", leave: Callable[["Subscription"], None]) -> None:
        self.connection = connection
        self.behind = False
        self._leave = leave

    def fresh(self) -> Sequence[str]:
        """Everything as it is now, for channels that may be told so."""
        return ()

    def offer(self, text: str) -> None:
        """Something new, for channels that can be told anew."""
        if self.behind:
            FEED_CONFLATED.inc()
        elif not self.connection.has_room:
            FEED_CONFLATED.inc()
            self.behind = True
        else:
            self.connection.send(text)

    def end(self) -> None:
        self._leave(self)


class Connection:
    """What a socket is to be told, in order."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._waiting: deque[str] = deque()
        self._bell = asyncio.Event()
        self._room = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._last: tuple[int, str] | None = None
        self.caller: Caller | None = None
        self.subscriptions: dict[tuple[str, ...], Subscription] = {}
        self.over = asyncio.Event()

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < QUEUE

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def send(self, text: str) -> None:
        """Something that must not be lost: a client that has no room for it is closed."""
        if self._closing is not None:
            return
        if not self.has_room:
            self.close(*SLOW)
            return
        self._waiting.append(text)
        self._bell.set()

    async def send_when_free(self, text: str) -> None:
        """The same for much at once: wait for room instead."""
        while not self.has_room and self._closing is None:
            self._room.clear()
            await self._room.wait()
        self.send(text)

    def close(self, code: int, reason: str) -> None:
        """End it; what was not written yet is not written any more."""
        if self._closing is None:
            FEED_CLOSED.labels(reason).inc()
            self._closing = code, reason
            self._waiting.clear()
            self._bell.set()
            self._room.set()
            self.over.set()

    def close_when_written(self, code: int, reason: str) -> None:
        """End it once everything that waits is written."""
        self._last = code, reason
        self._bell.set()

    async def write(self) -> None:
        """Write until closed or gone."""
        with suppress(OSError):
            while self._closing is None:
                await self._write_waiting()
                if self._last is not None:
                    self.close(*self._last)
                self._catch_up()
                if not self._waiting and self._closing is None:
                    self._bell.clear()
                    await self._bell.wait()
        self.close(1006, "gone")

    async def finish(self) -> None:
        """Say why it ends to whoever still listens, and let nothing linger."""
        assert self._closing is not None
        for subscription in list(self.subscriptions.values()):
            subscription.end()
        self.subscriptions.clear()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._wire.close(*self._closing)
        except (OSError, TimeoutError, RuntimeError):
            self._wire.abort()

    async def _write_waiting(self) -> None:
        while self._waiting:
            await self._wire.write(self._waiting.popleft())
            self._room.set()

    def _catch_up(self) -> None:
        for subscription in self.subscriptions.values():
            if subscription.behind and self.has_room:
                subscription.behind = False
                for text in subscription.fresh():
                    self.send(text)
