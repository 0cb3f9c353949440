"""The loop that owns a pair: take over, rebuild the book, then batch after batch: read what waits, match it in
memory, and write all that follows in one commit, while the next batch is matched already.

The shell around a pure engine. Whatever goes wrong, memory is thrown away and the book rebuilt from PostgreSQL;
nothing is ever repaired by hand.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

import structlog

from deedbook.compliance.errors import LockUp
from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint
from deedbook.infra.tracing import Attributes, tracer
from deedbook.kernel.ids import PairId, UserId
from deedbook.trading import order_store, settle_store, store, swap_store, writer_store
from deedbook.trading.book_keeper import BookKeeper, Prepared
from deedbook.trading.engine import Book, Ended
from deedbook.trading.errors import Fenced, HoldingsExceeded
from deedbook.trading.execution import Batch
from deedbook.trading.live import live_order
from deedbook.trading.order_store import StoredTrade
from deedbook.trading.parties import Parties
from deedbook.trading.pending import pending
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import Side
from deedbook.trading.writer_store import Writer

log = structlog.get_logger(__name__)

BATCH = 500
RECENT = 100
TTL_S = 3.5
"""Whoever looks for free pairs every second has those of a dead writer, rebuilt, within five."""
RENEW_S = 1.0
SMALL = 50
RUSH_PER_S = 2_000
DWELL_S, LONG_DWELL_S = 0.008, 0.02
"""After a small batch the next one may fill for so long, since a commit costs the same for one order as for fifty;
longer in a rush, since then everything is scarce. What comes when nothing has come for a while never waits."""
BUSY_FOR_S = 0.1
IDLE_S = 0.25
Observe = Callable[[str, float], None]


def _unobserved(name: str, value: float) -> None:
    return


class Copies(Protocol):
    """Where the book's copies are kept for readers. Never waited for and never trusted."""

    def changes(self, spec: PairSpec, book: Book, batch: Batch, moment: str) -> Any: ...

    def tell(self, change: Any) -> None: ...

    def behind(self, pair_id: UUID) -> bool: ...

    def catch_up(self, spec: PairSpec, book: Book, fact_seq: int) -> None: ...

    def rebuilt(
        self, spec: PairSpec, book: Book, fact_seq: int, epoch: int, recent: Sequence[StoredTrade]
    ) -> None: ...


class PairMatcher:
    """The writer of one pair, for as long as its epoch is the newest."""

    def __init__(
        self, db: Database, spec: PairSpec, writer: Writer, copies: Copies, observe: Observe = _unobserved
    ) -> None:
        self._db = db
        self._spec = spec
        self._writer = writer
        self._copies = copies
        self._observe = observe
        self._bell = asyncio.Event()
        self._renewed_at = time.monotonic()
        self._parties = Parties(db, spec.base_token_id)
        self._in_flight: set[int] = set()
        self._keeper = BookKeeper(spec, writer, self._parties)

    @property
    def book(self) -> Book:
        """As it will be when what is under way is committed."""
        return self._keeper.book

    def ring(self) -> None:
        """There is something to do."""
        self._bell.set()

    async def rebuild(self) -> None:
        """Make the book from the orders that live, and tell the copies. However long it takes, the pair stays ours:
        otherwise two processes would take a large book from each other for ever.

        Raises:
            Fenced: another is the pair's writer now.
        """
        making = asyncio.create_task(self._make_book())
        try:
            while not making.done():
                await asyncio.wait({making}, timeout=RENEW_S)
                await self._renew()
        finally:
            making.cancel()
        await making

    async def _make_book(self) -> None:
        rows = await order_store.resting(self._db, self._spec.pair_id)
        for place, row in enumerate(rows):
            self._keeper.restore(live_order(row))
            if place % BATCH == 0:
                await asyncio.sleep(0)  # Other pairs of this process go on.
        moment = await order_store.moment(self._db)
        await self._parties.know(self._keeper.living.owners(), moment)
        recent = await order_store.recent_trades(self._db, self._spec.pair_id, RECENT)
        self._copies.rebuilt(self._spec, self.book, self._keeper.fact_seq, self._writer.epoch, recent)
        log.info("book_rebuilt", pair=self._spec.symbol, orders=len(rows), epoch=self._writer.epoch)

    async def run(self, stopping: asyncio.Event) -> None:
        """Match until told to stop.

        Raises:
            Exception: whatever the commit said. This matcher is over then; another takes over and rebuilds.
        """
        committing: asyncio.Task[None] | None = None
        busy_until = began = 0.0
        try:
            while not stopping.is_set():
                self._bell.clear()
                before, began = began, time.monotonic()
                prepared = await self._next()
                if committing is not None:
                    done, committing = committing, None
                    await done
                await self._renew()
                if prepared is not None:
                    committing = asyncio.create_task(self._commit(prepared))
                    busy_until = began + BUSY_FOR_S
                    if not self._copies.behind(self._spec.pair_id):
                        if prepared.drained < SMALL:
                            rush = prepared.drained > (began - before) * RUSH_PER_S
                            dwell_s = LONG_DWELL_S if rush else DWELL_S
                            await asyncio.sleep(began + dwell_s - time.monotonic())
                        continue
                    # A pair that is never quiet would never be told again: let it be quiet for once.
                    done, committing = committing, None
                    await done
                self._copies.catch_up(self._spec, self.book, self._keeper.fact_seq)
                await self._wait(DWELL_S if time.monotonic() < busy_until else IDLE_S)
            if committing is not None:
                await committing
        finally:
            if committing is not None and not committing.done():
                committing.cancel()
                await asyncio.gather(committing, return_exceptions=True)

    async def step(self) -> bool:
        """One batch from reading to commit; `False` when nothing waited."""
        prepared = await self._next()
        if prepared is None:
            return False
        await self._commit(prepared)
        return True

    async def give_up(self) -> None:
        """Let a successor begin at once."""
        async with self._db.transaction() as tx:
            await writer_store.give_up(tx, self._spec.pair_id, self._writer.epoch)

    # One batch

    async def _next(self) -> Prepared | None:
        # A commit that ends while we read takes its numbers away, and what we read may still show them as waiting.
        told = await pending(self._db, self._spec.pair_id, BATCH, list(self._in_flight))
        await failpoint("matcher.afterClaim")
        fresh = [live_order(row) for row in told.orders]
        await self._parties.know({order.user_id for order in fresh}, told.moment)
        swaps = await swap_store.wanted(self._db, fresh)
        prepared = self._keeper.match(told.batches, fresh, told.commands, told.moment, swaps)
        self._in_flight.update(prepared.numbers)
        if not prepared.arguments:
            return None
        batch = prepared.batch
        prepared.change = self._copies.changes(self._spec, self.book, batch, batch.moment.text)
        matched = fresh if prepared.batches else []
        prepared.waited_since = min((order.created_at for order in matched), default=None)
        if tracer().on:
            prepared.traced = tuple(UUID(order.order_id) for order in matched)
        return prepared

    # Writing

    async def _commit(self, prepared: Prepared) -> None:
        await failpoint("matcher.beforeCommit")
        started = time.perf_counter()
        size = len(prepared.batch.touched) + len(prepared.batch.trades)
        try:
            await settle_store.settle(self._db, prepared.arguments, prepared.planned, size=size)
        except Exception as error:
            self._observe("failed", 1)
            if isinstance(error, (HoldingsExceeded, LockUp)):
                side = Side.SELL if isinstance(error, LockUp) else Side.BUY
                await self._bar(UserId(UUID(error.detail)), side)
            raise
        await failpoint("matcher.afterCommit")
        self._in_flight.difference_update(prepared.numbers)
        self._observe("settle_s", time.perf_counter() - started)
        self._observe("drained", prepared.drained)
        if prepared.waited_since is not None:
            self._observe("match_s", time.time() - prepared.waited_since.timestamp())
        if prepared.traced:
            took_s, ended = time.perf_counter() - started, time.time()
            told: Attributes = {"deedbook.pair": self._spec.symbol, "deedbook.drained": prepared.drained}
            tracer().step("match.commit", prepared.traced, ended - took_s, ended, told)
        self._copies.tell(prepared.change)

    async def _bar(self, user_id: UserId, side: Side) -> None:
        """The token's limits let this buyer have no more, or this seller part with no more: their orders on that side
        end, by durable commands."""
        async with self._db.transaction() as tx:
            await order_store.cancel_living(
                tx, user_id, Ended.FROZEN.name, pair_id=self._spec.pair_id, side=side.value
            )

    async def _renew(self) -> None:
        if time.monotonic() - self._renewed_at < RENEW_S:
            return
        async with self._db.transaction() as tx:
            allowed = await writer_store.renew(tx, self._spec.pair_id, self._writer.epoch, TTL_S)
        if allowed is None:
            raise Fenced("another process has taken this pair over")
        self._keeper.max_open_orders = allowed
        self._renewed_at = time.monotonic()

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), seconds)


async def take_over(
    db: Database, pair_id: PairId, holder: str, copies: Copies, observe: Observe = _unobserved
) -> PairMatcher | None:
    """Become the writer of a pair, its book rebuilt; `None` while another is, or for an unknown pair."""
    spec = await store.spec(db, pair_id)
    if spec is None:
        return None
    async with db.transaction() as tx:
        writer = await writer_store.take_over(tx, pair_id, holder, TTL_S)
    if writer is None:
        return None
    matcher = PairMatcher(db, spec, writer, copies, observe)
    await matcher.rebuild()
    return matcher
