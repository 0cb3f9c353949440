"""Copies of the books in Redis, for readers: never waited for, never trusted, made anew whenever they are missing.

`orderbook:{pair}:bids|asks` are sorted sets: the score is the price in ticks (negative for bids), the member the
order's JSON, beginning with its padded place in time, so that a plain range gives price-time priority.
`market:{pair}:depth` is the aggregated book (10 s), `trades:recent:{pair}` the last hundred trades, and
`user:open-orders:{user}` is dropped when that user's orders change (and written by `open_orders`).
`orderbook:{pair}:writer` tells by its epoch whose copies these are: when it is gone, so are they; when it is a later
one, an earlier writer changes nothing.

The channel `market:{pair}:feed` hears what each batch has changed: the totals of the levels it has touched, in
ticks and lots, its trades, and the pair's sequence before and after it, which shows whether anything is missing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

from deedbook.kernel.clock import to_wire
from deedbook.trading.engine import Book, Order
from deedbook.trading.execution import Batch, TradeRow
from deedbook.trading.live import LiveOrder
from deedbook.trading.open_orders import open_orders_key
from deedbook.trading.order_store import StoredTrade
from deedbook.trading.spec import PairSpec

log = structlog.get_logger(__name__)

DEPTH_LEVELS = 100
DEPTH_TTL_S = 10
DEPTH_EVERY_S = 0.05
RECENT = 100
MAX_WAITING = 500
CHUNK = 1000
READY_S = 60
"""So long stays what a writer that died has laid ready."""
RETRY_S = 0.5
LOOK_S = 5.0
"""How often a quiet pair makes sure that its copies are still there."""
Members = dict[str, int]


def book_key(pair_id: UUID, *, buy: bool) -> str:
    return f"orderbook:{pair_id}:{'bids' if buy else 'asks'}"


def ready_key(change: "Change", *, buy: bool) -> str:
    """Where a whole book is laid ready, piece by piece, before it takes the other's place at once."""
    return f"{book_key(change.pair_id, buy=buy)}:{change.epoch}"


def depth_key(pair_id: UUID) -> str:
    return f"market:{pair_id}:depth"


def recent_key(pair_id: UUID) -> str:
    return f"trades:recent:{pair_id}"


def writer_key(pair_id: UUID) -> str:
    return f"orderbook:{pair_id}:writer"


def feed_channel(pair_id: UUID) -> str:
    return f"market:{pair_id}:feed"


@dataclass
class Change:
    """What one batch does to the copies of a pair."""

    pair_id: UUID
    epoch: int
    gone: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    came: tuple[Members, Members] = field(default_factory=lambda: ({}, {}))
    trades: list[bytes] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    depth: bytes | None = None
    news: bytes | None = None
    whole: bool = False


class BookCopies:
    """Writes the copies of all pairs that this process matches, one after the other."""

    def __init__(
        self, redis: Redis, changed: Callable[[Sequence[str]], None] = lambda user_ids: None
    ) -> None:
        """`changed` hears whose orders have changed, once their lists were dropped, or could not be."""
        self._redis = redis
        self._changed = changed
        self._waiting: asyncio.Queue[Change] = asyncio.Queue(MAX_WAITING)
        self._lost: set[UUID] = set()
        self._epochs: dict[UUID, int] = {}
        self._recent: dict[UUID, deque[bytes]] = {}
        self._told_at: dict[UUID, float] = {}
        self._depth_at: dict[UUID, float] = {}
        self._stale_depth: set[UUID] = set()

    def changes(self, spec: PairSpec, book: Book, batch: Batch, moment: str) -> Change:
        """What a batch that was just matched does to them: taken down now, since the book goes on."""
        change = Change(spec.pair_id, self._epochs[spec.pair_id])
        touched: tuple[set[int], set[int]] = (set(), set())
        for order in batch.touched:
            side = 0 if order.buy else 1
            if order.member:
                change.gone[side].append(order.member)
                touched[side].add(order.limit)
            order.member = _member(spec, order) if order.level is not None else ""
            if order.member:
                change.came[side][order.member] = _score(order)
                touched[side].add(order.limit)
        change.users = list({order.user_id for order in batch.touched})
        trades = [trade_text(spec, trade, moment) for trade in batch.trades]
        change.trades = trades[-RECENT:]
        if batch.facts:
            change.news = _news(
                book, batch.fact_seq - len(batch.facts), batch.fact_seq, moment, touched, trades
            )
        if time.monotonic() - self._depth_at.get(spec.pair_id, 0.0) >= DEPTH_EVERY_S:
            change.depth = self._depth(spec, book, batch.fact_seq)
        else:
            self._stale_depth.add(spec.pair_id)
        return change

    def tell(self, change: Change) -> None:
        """What was prepared is durable now."""
        if not change.whole:
            self._recent[change.pair_id].extend(change.trades)
            if change.pair_id in self._lost:
                self._changed(change.users)
                return
        self._told_at[change.pair_id] = time.monotonic()
        try:
            self._waiting.put_nowait(change)
        except asyncio.QueueFull:
            self._lost.add(change.pair_id)
            self._changed(change.users)

    def behind(self, pair_id: UUID) -> bool:
        """Whether something was lost, so that the pair must be told as a whole."""
        return pair_id in self._lost

    def catch_up(self, spec: PairSpec, book: Book, fact_seq: int) -> None:
        """Nothing is under way: tell the depth that was left out, or everything that was lost, and now and then look
        whether something was."""
        epoch = self._epochs[spec.pair_id]
        if spec.pair_id in self._lost:
            self._tell_all(spec, book, fact_seq)
        elif spec.pair_id in self._stale_depth:
            self.tell(Change(spec.pair_id, epoch, depth=self._depth(spec, book, fact_seq)))
        elif time.monotonic() - self._told_at[spec.pair_id] > LOOK_S:
            self.tell(Change(spec.pair_id, epoch))

    def rebuilt(
        self, spec: PairSpec, book: Book, fact_seq: int, epoch: int, recent: Sequence[StoredTrade]
    ) -> None:
        """A new writer, its book and the trades before, the oldest first: in the place of whatever is there."""
        self._epochs[spec.pair_id] = epoch
        self._recent[spec.pair_id] = deque(
            (trade_text(spec, trade, to_wire(trade.executed_at)) for trade in recent), RECENT
        )
        self._tell_all(spec, book, fact_seq)

    def _tell_all(self, spec: PairSpec, book: Book, fact_seq: int) -> None:
        change = Change(spec.pair_id, self._epochs[spec.pair_id], whole=True)
        for side, buy in enumerate((True, False)):
            for order in book.resting(buy=buy):
                assert isinstance(order, LiveOrder)
                order.member = _member(spec, order)
                change.came[side][order.member] = _score(order)
        change.trades = list(self._recent[spec.pair_id])
        change.depth = self._depth(spec, book, fact_seq)
        # Nothing has changed by this; whoever follows learns what they have missed.
        change.news = _news(book, fact_seq, fact_seq, to_wire(datetime.now(UTC)), ((), ()), ())
        self._lost.discard(spec.pair_id)
        self.tell(change)

    async def run(self, stopping: asyncio.Event) -> None:
        """Write what is told until stopped. While Redis is away nothing waits for it: what is missed is made anew."""
        while not stopping.is_set():
            try:
                change = await asyncio.wait_for(self._waiting.get(), RETRY_S)
            except TimeoutError:
                continue
            try:
                await self._write(change)
            except WatchError:
                self._lost.add(change.pair_id)
            except (RedisError, OSError, TimeoutError):
                if change.pair_id not in self._lost:
                    log.warning("book_copies_lost", pair=str(change.pair_id))
                self._lost.add(change.pair_id)
                await asyncio.sleep(RETRY_S)
            finally:
                self._changed(change.users)

    async def _write(self, change: Change) -> None:
        mark = writer_key(change.pair_id)
        if change.whole:
            await self._lay_ready(change)
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.watch(mark)
            written = int(await pipe.get(mark) or 0)
            if change.whole and written > change.epoch:
                return  # Another writes this pair by now.
            if not change.whole and written != change.epoch:
                # Flushed, evicted, or another's: what we would change is not there.
                self._lost.add(change.pair_id)
                return
            pipe.multi()  # type: ignore[no-untyped-call]
            _say(pipe, change)
            if change.whole:
                pipe.set(mark, change.epoch)
            await pipe.execute()

    async def _lay_ready(self, change: Change) -> None:
        """All orders of a large book in one round trip would take longer than is waited for an answer, every time."""
        for side, buy in enumerate((True, False)):
            key, came = ready_key(change, buy=buy), list(change.came[side].items())
            await self._redis.delete(key)
            for start in range(0, len(came), CHUNK):
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.zadd(key, dict(came[start : start + CHUNK]))
                    pipe.expire(key, READY_S)
                    await pipe.execute()

    def _depth(self, spec: PairSpec, book: Book, fact_seq: int) -> bytes:
        self._depth_at[spec.pair_id] = time.monotonic()
        self._stale_depth.discard(spec.pair_id)
        return orjson.dumps(depth_of(spec, book, fact_seq))


def _say(pipe: Any, change: Change) -> None:
    for side, buy in enumerate((True, False)):
        key = book_key(change.pair_id, buy=buy)
        if change.gone[side]:
            pipe.zrem(key, *change.gone[side])
        if change.came[side] and change.whole:
            pipe.rename(ready_key(change, buy=buy), key)
            pipe.persist(key)
        elif change.came[side]:
            pipe.zadd(key, change.came[side])
        elif change.whole:
            pipe.delete(key)
    if change.whole:
        pipe.delete(recent_key(change.pair_id))
    if change.trades:
        pipe.lpush(recent_key(change.pair_id), *change.trades)
        pipe.ltrim(recent_key(change.pair_id), 0, RECENT - 1)
    if change.depth is not None:
        pipe.set(depth_key(change.pair_id), change.depth, ex=DEPTH_TTL_S)
    if change.news is not None:
        pipe.publish(feed_channel(change.pair_id), change.news)
    if change.users:
        pipe.delete(*map(open_orders_key, change.users))


def _news(
    book: Book,
    before: int,
    seq: int,
    moment: str,
    touched: Sequence[Iterable[int]],
    trades: Sequence[bytes],
) -> bytes:
    bids, asks = (
        [[price, book.total(price, buy=buy)] for price in prices]
        for buy, prices in zip((True, False), touched, strict=True)
    )
    told = {"prev": before, "seq": seq, "at": moment, "bids": bids, "asks": asks}
    return orjson.dumps({**told, "trades": [orjson.Fragment(trade) for trade in trades]})


def depth_of(spec: PairSpec, book: Book, fact_seq: int) -> dict[str, object]:
    """The aggregated book as everybody may see it."""

    def side(*, buy: bool) -> list[list[str]]:
        levels = book.depth(buy=buy, limit=DEPTH_LEVELS)
        return [[spec.price_text(price), spec.size_text(total)] for price, total in levels]

    return {
        "tradingPairId": str(spec.pair_id),
        "pair": spec.symbol,
        "seq": fact_seq,
        "bids": side(buy=True),
        "asks": side(buy=False),
    }


def _score(order: Order) -> int:
    return -order.limit if order.buy else order.limit


def _member(spec: PairSpec, order: LiveOrder) -> str:
    return (
        f'{{"matchSeq":"{order.priority or 0:022d}","orderId":"{order.order_id}",'
        f'"price":"{spec.price_text(order.limit)}","remainingQuantity":"{spec.size_text(order.left)}"}}'
    )


def trade_text(spec: PairSpec, trade: TradeRow | StoredTrade, moment: str) -> bytes:
    """A trade as everybody may see it."""
    return (
        f'{{"tradeId":"{trade.trade_id}","seq":{trade.number},"price":"{spec.price_text(trade.price)}",'
        f'"quantity":"{spec.size_text(trade.size)}","takerSide":"{trade.taker_side}","executedAt":"{moment}"}}'
    ).encode()
