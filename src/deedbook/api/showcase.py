"""What everybody may read of a pair, from its copies in Redis: one round trip for all who ask while another is under
way, which also counts them. What is the same as a moment ago is not put together again.

Copies are only fast: who finds none here asks the route, which asks PostgreSQL.
"""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from enum import Enum
from typing import Any, NamedTuple, cast

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.api.marks import mark_of
from deedbook.api.ratelimit import (
    REDIS_TIMEOUT_S,
    RETRY_REDIS_AFTER_S,
    WINDOW_S,
    Limiter,
    Standing,
    keys_of,
    standing,
)
from deedbook.api.v1 import market_texts
from deedbook.infra.sharing import Shared
from deedbook.infra.telemetry import MARKET_DATA_READS
from deedbook.kernel.ids import PairId
from deedbook.marketdata import Interval, copies
from deedbook.trading import trade_views
from deedbook.trading.book_copies import depth_key, recent_key, writer_key

log = structlog.get_logger(__name__)

BUCKET = "reads"
MAX_AT_ONCE = 200
MAX_REMEMBERED = 1_000
Copy = str | list[str]

# First who asks: window, window before; then what is shown: its key, and one without which it is not whole. As in
# `ratelimit`, two fixed windows weighted by time.
_SCRIPT = """
local now, window, askers = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local faded, answers = 1 - (now % window) / window, {}
for i = 1, askers do
  local key, limit = KEYS[i * 2 - 1], tonumber(ARGV[3 + i])
  local before = tonumber(redis.call('GET', KEYS[i * 2]) or '0')
  local count, allowed = tonumber(redis.call('GET', key) or '0'), 0
  if before * faded + count + 1 <= limit then
    count, allowed = redis.call('INCR', key), 1
    if count == 1 then redis.call('EXPIRE', key, window * 2) end
  end
  answers[i] = {allowed, before, count}
end
for i = 1, #KEYS / 2 - askers do
  local key, mark, most = KEYS[askers * 2 + i * 2 - 1], KEYS[askers * 2 + i * 2], tonumber(ARGV[3 + askers + i])
  if mark ~= '' and redis.call('EXISTS', mark) == 0 then answers[askers + i] = ''
  elseif most > 0 then answers[askers + i] = redis.call('LRANGE', key, 0, most - 1)
  else answers[askers + i] = redis.call('GET', key) or '' end
end
return answers
"""


class Kind(Enum):
    """What is shown."""

    BOOK = "orderbook"
    TRADES = "trades"
    CANDLES = "candles"
    STATS = "stats"
    PRICE = "price"
    ALL_STATS = "all stats"


class Reading(NamedTuple):
    """What somebody wants to see: so many of a kind. Of all pairs there is one thing only to see."""

    kind: Kind
    pair_id: PairId | None
    limit: int = 0
    interval: Interval = Interval.ONE_MINUTE

    def places(self) -> tuple[str, str]:
        """The key of the copy, and that of what must be there too."""
        if self.pair_id is None:
            return copies.ALL_STATS_KEY, ""
        match self.kind:
            case Kind.TRADES:
                return recent_key(self.pair_id), writer_key(self.pair_id)
            case Kind.CANDLES:
                return copies.candles_key(self.pair_id, self.interval), ""
            case Kind.BOOK:
                return depth_key(self.pair_id), ""
            case Kind.PRICE:
                return copies.price_key(self.pair_id), ""
            case _:
                return copies.stats_key(self.pair_id), ""

    def most(self) -> int:
        """How many entries of a list are read; none of what is no list."""
        return {Kind.TRADES: self.limit, Kind.CANDLES: self.limit + 1}.get(self.kind, 0)


class Asked(NamedTuple):
    """Who wants to see what."""

    address: str
    reading: Reading


class Told(NamedTuple):
    """An answer, and the mark by which it is known again."""

    body: bytes
    mark: str


class Seen(NamedTuple):
    """How who asks stands now, and the answer; `None` where there is no copy."""

    standing: Standing
    told: Told | None


class Showcase:
    """One per process that answers."""

    def __init__(self, redis: Redis, limiter: Limiter) -> None:
        self._limiter = limiter
        self._script = redis.register_script(_SCRIPT)
        self._told: dict[Reading, tuple[Copy, Told | None]] = {}
        self._away_until = 0.0
        self._asking: Shared[Asked, Seen] = Shared(self._ask, MAX_AT_ONCE)

    async def look(self, address: str, reading: Reading) -> Seen:
        """Count one reader, and see what they want to."""
        seen = await self._asking.ask(Asked(address, reading))
        if seen.told is not None:
            MARKET_DATA_READS.labels("copy").inc()
        return seen

    async def close(self) -> None:
        """Finish what was begun."""
        await self._asking.close()

    async def _ask(self, asked: Sequence[Asked]) -> list[Seen | Exception]:
        now, limit = time.time(), self._limiter.limit_of(BUCKET)
        readings = list(dict.fromkeys(one.reading for one in asked))
        answers = await self._ask_redis(asked, readings, now, limit)
        if answers is None:
            return [Seen(self._limiter.count_here(BUCKET, f"ip-{one.address}", limit), None) for one in asked]
        copied = zip(readings, answers[len(asked) :], strict=True)
        told = {reading: self._answer(reading, copy) for reading, copy in copied}
        return [
            Seen(standing(BUCKET, limit, now % WINDOW_S, *counted), told[one.reading])
            for one, counted in zip(asked, answers, strict=False)
        ]

    async def _ask_redis(
        self, asked: Sequence[Asked], readings: Sequence[Reading], now: float, limit: int
    ) -> list[Any] | None:
        if time.monotonic() < self._away_until:
            return None
        keys = [key for one in asked for key in keys_of(BUCKET, f"ip-{one.address}", now)]
        keys += [key for reading in readings for key in reading.places()]
        figures = [
            now,
            WINDOW_S,
            len(asked),
            *[limit] * len(asked),
            *(reading.most() for reading in readings),
        ]
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                return await cast("Awaitable[list[Any]]", self._script(keys=keys, args=figures))
        except (RedisError, OSError, TimeoutError):
            log.warning("showcase_counts_alone", seconds=RETRY_REDIS_AFTER_S)
            self._away_until = time.monotonic() + RETRY_REDIS_AFTER_S
            return None

    def _answer(self, reading: Reading, copy: Copy) -> Told | None:
        before = self._told.get(reading)
        if before is not None and before[0] == copy:
            return before[1]
        body = _told(reading, copy) if copy else None
        told = Told(body, mark_of(body)) if body is not None else None
        if len(self._told) >= MAX_REMEMBERED:
            self._told.clear()
        self._told[reading] = copy, told
        return told


def _told(reading: Reading, copy: Copy) -> bytes | None:
    match reading.kind:
        case Kind.BOOK:
            assert isinstance(copy, str), "a book is no list"
            return orjson.dumps(trade_views.best(orjson.loads(copy), reading.limit))
        case Kind.TRADES:
            found = trade_views.of_copy(copy, reading.limit)
            return market_texts.tape(found[0], trade_views.older_than(found[1])).encode() if found else None
        case Kind.CANDLES:
            return market_texts.candles(reading.interval, copy, reading.limit).encode()
        case _:
            assert isinstance(copy, str), "statistics are no list"
            return copy.encode()
