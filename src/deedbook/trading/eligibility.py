"""May they trade this at all? Asked when an order comes in, from an answer at most a second old; execution asks
again, in the transaction that moves the tokens.

Only where a token's rules look at amounts (lock-ups, caps) is the full judgement made for each order.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from deedbook import compliance
from deedbook.compliance import Operation, Reason, Standing, TokenRules
from deedbook.infra.database import Database
from deedbook.infra.sharing import Shared
from deedbook.kernel.ids import TokenId, UserId

KNOWN_S = 1.0
MAX_KNOWN = 50_000
MAX_AT_ONCE = 500
APART_S = 0.005
GATHER_S = 0.1
"""So long those gather who are asked about anew while their answer counts."""
Who = tuple[TokenId, UserId]


@dataclass(frozen=True)
class _Known:
    standing: Standing
    rules: TokenRules
    until: float


class Eligibility:
    """One per process that takes orders in."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._known: OrderedDict[Who, _Known] = OrderedDict()
        self._asking: Shared[Who, _Known] = Shared(self._ask, MAX_AT_ONCE, APART_S)
        self._due: set[Who] = set()
        self._renewing: asyncio.Task[None] | None = None

    async def judge(
        self, token_id: TokenId, user_id: UserId, amount: int, *, buy: bool, now: datetime
    ) -> Reason:
        """The first reason against it, or `Reason.NONE`."""
        known = await self._know((token_id, user_id), now)
        reason = known.standing.reason
        if reason is Reason.SENDER_FROZEN and buy:
            return Reason.RECEIVER_FROZEN
        if reason is not Reason.NONE or not (known.rules.counts if buy else known.rules.lock_up_days):
            return reason
        sender, receiver = (None, user_id) if buy else (user_id, None)
        async with self._db.transaction() as tx:
            return await compliance.judge(tx, Operation.TRADE, token_id, sender, receiver, amount)

    async def room(self, token_id: TokenId, user_id: UserId, now: datetime) -> int | None:
        """How much more of the token they may have, in base units; `None` where it has no cap."""
        if (await self._know((token_id, user_id), now)).rules.max_ownership is None:
            return None
        async with self._db.transaction() as tx:
            return await compliance.room(tx, token_id, user_id)

    async def _know(self, who: Who, now: datetime) -> _Known:
        known, clock = self._known.get(who), self._clock()
        if known is not None and clock < known.until:
            standing = known.standing
            if standing.reason is not Reason.NONE or standing.holds_at(now):
                if clock >= known.until - KNOWN_S / 2:
                    self._due.add(who)
                    if self._renewing is None:
                        self._renewing = asyncio.create_task(self._renew())
                return known
        found = await self._asking.ask(who)
        self._keep(who, found)
        return found

    async def _renew(self) -> None:
        """Who keeps trading is asked about before the answer is too old: no order waits for it."""
        try:
            await asyncio.sleep(GATHER_S)
            due, self._due = list(self._due), set()
            for who, found in zip(due, await self._asking.ask_all(due), strict=True):
                if not isinstance(found, Exception):  # Whoever comes next asks, and hears it.
                    self._keep(who, found)
        finally:
            self._renewing = None

    def _keep(self, who: Who, found: _Known) -> None:
        self._known[who] = found
        self._known.move_to_end(who)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    async def _ask(self, asked: Sequence[Who]) -> list[_Known | Exception]:
        tokens: dict[TokenId, set[UserId]] = {}
        for token_id, user_id in asked:
            tokens.setdefault(token_id, set()).add(user_id)
        found: dict[Who, _Known] = {}
        # As of before the question: an answer must never count as newer than it is.
        until = self._clock() + KNOWN_S
        async with self._db.reading() as reads:
            for token_id, users in tokens.items():
                standings, rules = await compliance.standings(reads, token_id, sorted(users))
                for user_id, standing in standings.items():
                    found[token_id, user_id] = _Known(standing, rules, until)
        return [found[who] for who in asked]
