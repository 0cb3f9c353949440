"""Work that waits for more of its kind: done a while after it was first asked for, once for all that came since."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress


class Soon:
    """Calls `work`, which raises nothing, `after_s` seconds after it is asked to; never twice at the same time."""

    def __init__(self, after_s: float, work: Callable[[], Awaitable[None]]) -> None:
        self._after_s = after_s
        self._work = work
        self._closing = asyncio.Event()
        self._is_asked = False
        self._working: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """There is something to do."""
        self._is_asked = True
        if self._working is None:
            self._working = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Do at once what was asked for, and wait for it."""
        self._closing.set()
        if self._working is not None:
            await self._working

    async def _run(self) -> None:
        try:
            while self._is_asked:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), self._after_s)
                self._is_asked = False
                await self._work()
        finally:
            self._working = None
