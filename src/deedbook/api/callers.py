"""Callers who were recognised a moment ago: so that not every order has a token verified and asks PostgreSQL who sends
it.

A session that is ended, or a role that is taken away, is felt here within `KNOWN_S`; a key that is withdrawn, within
`READ_S`. Who keeps coming is asked for again behind their back, before that: no order waits for it.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from deedbook.identity import AccessClaims, Caller
from deedbook.identity.errors import Unauthenticated
from deedbook.infra.sharing import Shared
from deedbook.kernel.errors import Refusal

KNOWN_S = 2.0
READ_S = 30.0
MAX_KNOWN = 20_000
MAX_AT_ONCE = 500
APART_S = 0.02


@dataclass(frozen=True)
class _Known:
    claims: AccessClaims
    read_until: float
    caller: Caller
    until: float


class Callers:
    """One per process. Only the hashes of tokens are kept. `read` verifies a token; `ask` says whose sessions these
    are, or that one is over, many at a time."""

    def __init__(
        self,
        read: Callable[[str], Awaitable[AccessClaims]],
        ask: Callable[[Sequence[AccessClaims]], Awaitable[Sequence[Caller | None]]],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._read = read
        self._clock = clock
        self._wall_clock = wall_clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._asking: Shared[AccessClaims, Caller | None] = Shared(ask, MAX_AT_ONCE, APART_S)
        self._renewing: dict[bytes, asyncio.Task[None]] = {}

    async def find(self, token: str) -> Caller:
        """The caller behind an access token.

        Raises:
            Unauthenticated: the token does not hold, or its session is over.
        """
        mark = hashlib.sha256(token.encode()).digest()
        known = self._known.get(mark)
        now = self._clock()
        if known is not None and now < known.until:
            if now >= known.until - KNOWN_S / 2 and mark not in self._renewing:
                self._renewing[mark] = asyncio.create_task(self._renew(mark, token))
            return known.caller
        return await self._ask(mark, token)

    async def _renew(self, mark: bytes, token: str) -> None:
        try:
            await self._ask(mark, token)
        except Refusal:
            pass  # Whoever comes next asks, and hears it.
        finally:
            del self._renewing[mark]

    async def _ask(self, mark: bytes, token: str) -> Caller:
        known, now = self._known.get(mark), self._clock()
        if known is not None and now < known.read_until:
            claims, read_until = known.claims, known.read_until
        else:
            claims = await self._read(token)
            read_until = now + min(READ_S, claims.expires_at - self._wall_clock())
        until = min(self._clock() + KNOWN_S, read_until)
        caller = await self._asking.ask(claims)
        if caller is None:
            self._known.pop(mark, None)
            raise Unauthenticated("the session is over; sign in again")
        self._known[mark] = _Known(claims, read_until, caller, until)
        self._known.move_to_end(mark)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return caller
