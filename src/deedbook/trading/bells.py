"""Bells: jobs of `order-matching` that wake the writer of a pair. They carry nothing that matters.

Rung right after the commit, at most one waiting for each pair; rings that come while others are being sent share
the next round trip. A bell that is lost costs time only: writers look by themselves, and orphaned pairs are found.
"""

import asyncio
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
APART_S = 0.025
"""How far rings of one process are apart at least. A writer that has just worked looks by itself for longer than this,
and a job costs as much as many orders."""


class Bells:
    """One per process that takes orders in."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._waiting: dict[UUID, NewJob] = {}
        self._ringing: asyncio.Task[None] | None = None

    def ring(self, orders: Sequence[Admitted]) -> None:
        """There are new orders. The job of a pair is named after the first of them."""
        for order in orders:
            pair_id = order.spec.pair_id
            if pair_id not in self._waiting:
                priority = MARKET_PRIORITY if order.text.order_type.is_market else OTHER_PRIORITY
                name = f"match-{order.order_id}"
                self._waiting[pair_id] = _bell(name, order.order_id, pair_id, priority)
        self._start()

    def ring_for(self, order_id: UUID, pair_id: UUID) -> None:
        """There is a command about this order. Its own bell may be kept as done: a second of that name is not rung."""
        name = f"match-{order_id}-{new_uuid()}"
        self._waiting.setdefault(pair_id, _bell(name, order_id, pair_id, OTHER_PRIORITY))
        self._start()

    async def close(self) -> None:
        """Finish what was begun."""
        if self._ringing is not None:
            await self._ringing

    def _start(self) -> None:
        if self._waiting and self._ringing is None:
            self._ringing = asyncio.create_task(self._ring())

    async def _ring(self) -> None:
        try:
            while self._waiting:
                jobs, self._waiting = list(self._waiting.values()), {}
                try:
                    async with asyncio.timeout(TIMEOUT_S):
                        await self._queue.add_bulk(jobs)
                except (RedisError, OSError, TimeoutError):
                    log.warning("bells_not_rung", pairs=len(jobs))
                await asyncio.sleep(APART_S)
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
