"""Callers who were recognised a moment ago: so that not every order asks PostgreSQL who sends it.

A session that is ended, or a role that is taken away, is felt here within `KNOWN_S`.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from deedbook.identity import Caller

KNOWN_S = 2.0
MAX_KNOWN = 20_000


class Callers:
    """One per process. Only the hashes of tokens are kept."""

    def __init__(
        self, recognise: Callable[[str], Awaitable[Caller]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._recognise = recognise
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Caller]] = {}

    async def find(self, token: str) -> Caller:
        """The caller behind an access token.

        Raises:
            Unauthenticated: the token does not hold, or its session is over.
        """
        mark = hashlib.sha256(token.encode()).digest()
        known = self._known.get(mark)
        if known is not None and self._clock() < known[1]:
            return known[0]
        asking = self._asking.get(mark)
        if asking is None:
            asking = self._asking[mark] = asyncio.create_task(self._ask(mark, token))
            asking.add_done_callback(lambda _: self._asking.pop(mark, None))
        # Several may wait for one answer: who gives up waiting must not take it from the others.
        return await asyncio.shield(asking)

    async def _ask(self, mark: bytes, token: str) -> Caller:
        self._known.pop(mark, None)
        until = self._clock() + KNOWN_S
        caller = await self._recognise(token)
        self._known[mark] = caller, until
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return caller
