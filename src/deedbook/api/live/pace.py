"""Telling at once, but not too often."""

import asyncio
from collections.abc import Callable


class Pace:
    """Calls when asked, and not again before a pause is over; whatever was asked meanwhile is one call then."""

    def __init__(self, pause_s: float, call: Callable[[], None]) -> None:
        self._pause_s = pause_s
        self._call = call
        self._pausing: asyncio.TimerHandle | None = None
        self._asked = False

    def soon(self) -> None:
        if self._pausing is not None:
            self._asked = True
            return
        self._pausing = asyncio.get_running_loop().call_later(self._pause_s, self._over)
        self._call()

    def stop(self) -> None:
        if self._pausing is not None:
            self._pausing.cancel()

    def _over(self) -> None:
        self._pausing = None
        if self._asked:
            self._asked = False
            self.soon()
