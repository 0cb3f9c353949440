"""The matcher process: owns pairs, as many as are its share, and matches each in a loop of its own.

A bell of `order-matching` reaches whichever process takes the job; the one that owns the pair hears of it through a
channel. Pairs without a living owner are found by looking, every second.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.infra import lease, memory
from deedbook.infra.bullmq import Delivery
from deedbook.infra.database import Database
from deedbook.infra.tracing import tracer
from deedbook.kernel.errors import Refusal
from deedbook.kernel.ids import PairId, parse_uuid
from deedbook.trading import matching
from deedbook.trading.matching import BookCopies, OpenOrderCopies, PairMatcher
from deedbook.workers.loops import repeat, wait

log = structlog.get_logger(__name__)

BELLS_CHANNEL = "matching:bells"
LOOK_S = 1.0
PRESENCE_S = 3.0
"""Gone before its pairs are free: as long as the dead are counted, nobody takes more than a share beside theirs."""
AGAIN_S = 0.2
MAX_CLAIMED_AT_ONCE = 50


class MatcherPool:
    """The pairs that this process matches."""

    def __init__(
        self,
        db: Database,
        redis: Redis,
        holder: str,
        observe: Callable[[str, float], None] = lambda name, value: None,
    ) -> None:
        self._db = db
        self._redis = redis
        self._holder = holder
        self._observe = observe
        self._open_orders = OpenOrderCopies(db, redis)
        self._copies = BookCopies(redis, self._open_orders.changed)
        self._matchers: dict[PairId, PairMatcher] = {}
        self._tasks: dict[PairId, asyncio.Task[None]] = {}
        self._stops: dict[PairId, asyncio.Event] = {}
        self._claims: dict[PairId, asyncio.Task[bool]] = {}
        self._grown = False
        self._leaving = False

    @property
    def pairs(self) -> int:
        """How many pairs this process matches now."""
        return len(self._tasks)

    async def run(self, stopping: asyncio.Event) -> None:
        """Match until stopped, then give all pairs up, so that successors begin at once."""
        copying = asyncio.create_task(self._copies.run(stopping))
        listing = asyncio.create_task(self._open_orders.run(stopping))
        hearing = asyncio.create_task(self._hear(stopping))
        await repeat("matcher-pairs", stopping, self._look, busy_s=LOOK_S, idle_s=LOOK_S)
        self._leaving = True
        await asyncio.gather(*self._claims.values(), return_exceptions=True)
        for stop in self._stops.values():
            stop.set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        with suppress(Refusal):
            await matching.leave(self._db, self._holder)
        await asyncio.gather(copying, listing, hearing, return_exceptions=True)

    async def answer(self, bell: Delivery) -> None:
        """A bell: wake the pair's matcher here or elsewhere, or become it."""
        began = time.time()
        await self._answer(bell)
        order_id = parse_uuid(str(bell.data.get("orderId", ""))) if tracer().on else None
        if order_id is not None:
            tracer().step("bell", [order_id], began, time.time(), {"messaging.destination": "order-matching"})

    async def _answer(self, bell: Delivery) -> None:
        pair_id = parse_uuid(str(bell.data.get("tradingPairId", "")))
        if pair_id is None or self.ring(pair_id):
            return
        # Bells come until the process has left: what it took over now nobody would hand on.
        if self._leaving or not await asyncio.shield(self._claim(PairId(pair_id))):
            await self._redis.publish(BELLS_CHANNEL, str(pair_id))

    def ring(self, pair_id: UUID) -> bool:
        """Wake the pair's matcher; `False` when it is not here."""
        matcher = self._matchers.get(PairId(pair_id))
        if matcher is None:
            return False
        matcher.ring()
        return True

    async def _look(self) -> bool:
        """Say that we live, claim what is ours to claim, hand over what others have room for, and end the orders of
        those who fell silent. Nothing here waits for a book to be rebuilt."""
        share, free = await matching.share(self._db, self._holder, PRESENCE_S, MAX_CLAIMED_AT_ONCE)
        for pair_id in free[: max(share - self.pairs - len(self._claims), 0)]:
            self._claim(pair_id)
        for pair_id in list(self._stops)[share:]:
            self._stops[pair_id].set()
        await matching.cancel_overdue(self._db)
        if self._grown:
            self._grown = False
            memory.settle()
        return False

    def _claim(self, pair_id: PairId) -> "asyncio.Task[bool]":
        """Become the pair's matcher; one that is being claimed already is not claimed twice."""
        claim = self._claims.get(pair_id)
        if claim is None:
            claim = self._claims[pair_id] = asyncio.create_task(self._take_over(pair_id))
            claim.add_done_callback(lambda ended: self._claimed(pair_id, ended))
        return claim

    def _claimed(self, pair_id: PairId, claim: "asyncio.Task[bool]") -> None:
        del self._claims[pair_id]
        error = None if claim.cancelled() else claim.exception()
        if isinstance(error, Refusal):
            log.warning("matcher_claims_later", pair=str(pair_id), why=error.code)
        elif error is not None:
            log.error("matcher_claims_later", pair=str(pair_id), exc_info=error)

    async def _take_over(self, pair_id: PairId) -> bool:
        if pair_id in self._tasks:
            return self.ring(pair_id)
        matcher = await matching.take_over(self._db, pair_id, self._holder, self._copies, self._observe)
        if matcher is None:
            return False
        self._grown = True
        stop = self._stops[pair_id] = asyncio.Event()
        self._matchers[pair_id] = matcher
        self._tasks[pair_id] = asyncio.create_task(self._match(pair_id, matcher, stop))
        return True

    async def _match(self, pair_id: PairId, matcher: PairMatcher, stop: asyncio.Event) -> None:
        """Match until told to stop; after trouble, take over anew with a book from PostgreSQL."""
        try:
            while True:
                began = time.monotonic()
                try:
                    await matcher.run(stop)
                    await matcher.give_up()
                    return
                except Refusal as refusal:
                    log.warning("matcher_starts_over", pair=str(pair_id), why=refusal.code)
                except Exception:
                    log.exception("matcher_starts_over", pair=str(pair_id))
                if time.monotonic() - began < AGAIN_S:
                    await wait(stop, AGAIN_S)  # It fails over and over: leave some time to the other pairs.
                if not await self._once_more(pair_id, stop):
                    return
                matcher = self._matchers[pair_id]
        finally:
            for kept in (self._matchers, self._tasks, self._stops):
                kept.pop(pair_id, None)

    async def _once_more(self, pair_id: PairId, stop: asyncio.Event) -> bool:
        while not stop.is_set():
            try:
                again = await matching.take_over(self._db, pair_id, self._holder, self._copies, self._observe)
            except Refusal as refusal:
                log.warning("matcher_waits", pair=str(pair_id), why=refusal.code)
            else:
                if again is not None:
                    self._matchers[pair_id] = again
                return again is not None
            await wait(stop, AGAIN_S)
        return False

    async def _hear(self, stopping: asyncio.Event) -> None:
        """Bells that other processes answered for us."""
        while not stopping.is_set():
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(BELLS_CHANNEL)
                    while not stopping.is_set():
                        message = await channel.get_message(timeout=1.0)
                        pair_id = parse_uuid(str(message["data"])) if message else None
                        if pair_id is not None:
                            self.ring(pair_id)
            except (RedisError, OSError, TimeoutError):
                await wait(stopping, AGAIN_S)


def holder_name() -> str:
    return f"matcher-{lease.holder_name()}"
