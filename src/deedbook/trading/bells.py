"""Bells: jobs of `order-matching` that wake the writer of a pair. They carry nothing that matters.

Rung right after the commit, at most one waiting for each pair; rings that come while others are being sent share
the next round trip. A pair whose bell has just rung waits with the next: a writer that has just worked looks by itself
for longer than that, and a job costs as much as many orders. A bell that is lost costs time only: writers look by
themselves, and orphaned pairs are found.
"""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from deedbook.infra.bullmq_client import Deduplication, JobQueue, NewJob
from deedbook.infra.tracing import carried_by
from deedbook.kernel.ids import new_uuid
from deedbook.trading.admission import Admitted
from deedbook.trading.terms import MATCH_ORDER

log = structlog.get_logger(__name__)

MARKET_PRIORITY = 1
OTHER_PRIORITY = 5
TIMEOUT_S = 0.5
APART_S = 0.08
"""How far the bells of a pair are apart at least, for one process."""
TOGETHER_S = 0.01
"""How long pairs that follow each other wait for company."""


class Bells:
    """One per process that takes orders in."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._waiting: dict[UUID, NewJob] = {}
        self._later: dict[UUID, NewJob] = {}
        self._rung_at: dict[UUID, float] = {}
        self._ringing: asyncio.Task[None] | None = None

    def ring(self, orders: Sequence[Admitted]) -> None:
        """There are new orders. The job of a pair is named after the first of them."""
        for order in orders:
            pair_id = order.spec.pair_id
            if pair_id not in self._waiting and pair_id not in self._later:
                priority = MARKET_PRIORITY if order.text.order_type.is_market else OTHER_PRIORITY
                self._add(_bell(f"match-{order.order_id}", order.order_id, pair_id, priority), pair_id)

    def ring_for(self, order_id: UUID, pair_id: UUID) -> None:
        """There is a command about this order. Its own bell may be kept as done: a second of that name is not rung."""
        if pair_id not in self._waiting and pair_id not in self._later:
            self._add(_bell(f"match-{order_id}-{new_uuid()}", order_id, pair_id, OTHER_PRIORITY), pair_id)

    async def close(self) -> None:
        """Finish what was begun."""
        for pair_id in list(self._later):
            self._come(pair_id)
        if self._ringing is not None:
            await self._ringing

    def _add(self, bell: NewJob, pair_id: UUID) -> None:
        early_s = self._rung_at.get(pair_id, 0.0) + APART_S - time.monotonic()
        self._later[pair_id] = bell
        if early_s > 0:
            asyncio.get_running_loop().call_later(early_s, self._come, pair_id)
        else:
            self._come(pair_id)

    def _come(self, pair_id: UUID) -> None:
        """A pair's time has come, unless it came before: when closing."""
        bell = self._later.pop(pair_id, None)
        if bell is not None:
            self._waiting[pair_id] = bell
            if self._ringing is None:
                self._ringing = asyncio.create_task(self._ring())

    async def _ring(self) -> None:
        try:
            while self._waiting:
                bells, self._waiting = self._waiting, {}
                now = time.monotonic()
                lately = {pair_id: at for pair_id, at in self._rung_at.items() if now - at < APART_S}
                self._rung_at = lately | dict.fromkeys(bells, now)
                try:
                    async with asyncio.timeout(TIMEOUT_S):
                        await self._queue.add_bulk(list(bells.values()))
                except (RedisError, OSError, TimeoutError):
                    log.warning("bells_not_rung", pairs=len(bells))
                await asyncio.sleep(TOGETHER_S)
        finally:
            self._ringing = None


def _bell(name: str, order_id: UUID, pair_id: UUID, priority: int) -> NewJob:
    return NewJob(
        MATCH_ORDER.name,
        {"orderId": str(order_id), "tradingPairId": str(pair_id)},
        job_id=name,
        priority=priority,
        attempts=MATCH_ORDER.queue.attempts or 1,
        deduplication=Deduplication(str(pair_id), keep_last_if_active=True),
        trace=carried_by(order_id),
        keep=1000,
    )
