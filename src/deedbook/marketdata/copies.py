"""Copies of market data in Redis, for readers that must not load PostgreSQL. Never trusted for a decision.

`candles:{pair}:{interval}` is a list of the last candles, newest first; `candles:{pair}:revision` the edition that they
are of. Whoever changes them says from which edition to which: where Redis has another, it has missed something, and
the lists are dropped. Whoever finds none makes one from PostgreSQL, unless a newer edition has come meanwhile.
`market:{pair}:stats` and `market:{pair}:price` are JSON.
"""

from collections import defaultdict
from collections.abc import Awaitable, Sequence
from typing import Any, cast
from uuid import UUID

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.marketdata.model import Candle, Stats
from deedbook.marketdata.service import Folded
from deedbook.marketdata.terms import Interval
from deedbook.trading.spec import PairSpec

KEPT = 500
CANDLES_TTL_S = 60
REVISION_TTL_S = 3600
STATS_TTL_S = 60
PRICE_TTL_S = 60
FILLED_TTL_S = 10
"""What a reader has made may miss what a writer could not tell Redis: it lives shortly."""
ALL_STATS_KEY = "markets:stats"
ALL_STATS_TTL_S = 5
CHANGES_TOLD = 50
NONE_KNOWN = -1
AWAY = (RedisError, OSError, TimeoutError)

# An item begins with `{"openedAt":"` and 27 characters of time, which compare as text.
_CHANGE = """
    local known = tonumber(redis.call('GET', KEYS[1]) or '-2')
    if known >= tonumber(ARGV[2]) then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
    local place = 6
    for i = 2, #KEYS do
        if known ~= tonumber(ARGV[1]) then redis.call('DEL', KEYS[i]) end
        for _ = 1, tonumber(ARGV[place]) do
            place = place + 1
            local head = redis.call('LINDEX', KEYS[i], 0)
            if head then
                local there, new = string.sub(head, 14, 40), string.sub(ARGV[place], 14, 40)
                if there == new then redis.call('LSET', KEYS[i], 0, ARGV[place])
                elseif there < new then redis.call('LPUSH', KEYS[i], ARGV[place])
                else redis.call('DEL', KEYS[i]) end
            end
        end
        place = place + 1
        redis.call('LTRIM', KEYS[i], 0, ARGV[5] - 1)
        redis.call('EXPIRE', KEYS[i], ARGV[4])
    end
    return 1
"""
_FILL = """
    local known = redis.call('GET', KEYS[1])
    if known and known ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
    redis.call('DEL', KEYS[2])
    redis.call('RPUSH', KEYS[2], unpack(ARGV, 4))
    redis.call('EXPIRE', KEYS[2], ARGV[3])
    return 1
"""


def candles_key(pair_id: UUID, interval: Interval) -> str:
    return f"candles:{pair_id}:{interval.value}"


def revision_key(pair_id: UUID) -> str:
    return f"candles:{pair_id}:revision"


def stats_key(pair_id: UUID) -> str:
    return f"market:{pair_id}:stats"


def price_key(pair_id: UUID) -> str:
    return f"market:{pair_id}:price"


async def tell_candles(redis: Redis, spec: PairSpec, folded: Folded) -> None:
    """Bring the lists up to date, and tell whoever listens.

    Raises:
        RedisError · OSError: nothing was told; the lists end by themselves.
    """
    changed: dict[Interval, list[Candle]] = defaultdict(list)
    for candle in folded.changes:
        changed[candle.interval].append(candle)
    few = all(len(candles) <= CHANGES_TOLD for candles in changed.values())
    before = folded.before if few and not folded.anew else NONE_KNOWN
    told: list[str | int] = [before, folded.revision, REVISION_TTL_S, CANDLES_TTL_S, KEPT]
    for interval in Interval:
        items = [candle.told(spec) for candle in changed[interval]] if before != NONE_KNOWN else []
        told += [len(items), *items]
    keys = [revision_key(spec.pair_id), *(candles_key(spec.pair_id, interval) for interval in Interval)]
    await _run(redis, _CHANGE, keys, told)
    newest = [changed[interval][-1] for interval in Interval if changed[interval]]
    if newest:
        await publish(redis, "candle", spec, [_candle_event(spec, candle) for candle in newest])


def _candle_event(spec: PairSpec, candle: Candle) -> str:
    head = f'{{"tradingPairId":"{spec.pair_id}","pair":"{spec.symbol}","interval":"{candle.interval.value}",'
    return head + candle.told(spec)[1:]


async def fill_candles(
    redis: Redis, spec: PairSpec, interval: Interval, revision: int, candles: Sequence[str]
) -> None:
    """Put the list where there is none, newest first. Where Redis has another edition nothing happens."""
    if not candles:
        return
    keys = [revision_key(spec.pair_id), candles_key(spec.pair_id, interval)]
    await _run(redis, _FILL, keys, [revision, REVISION_TTL_S, FILLED_TTL_S, *candles])


async def candles(redis: Redis, pair_id: UUID, interval: Interval, limit: int) -> list[str]:
    """The newest of the list, as JSON; nothing where Redis has none or is away."""
    try:
        found = redis.lrange(candles_key(pair_id, interval), 0, limit - 1)
        return await cast("Awaitable[list[str]]", found)
    except AWAY:
        return []


async def tell_stats(redis: Redis, spec: PairSpec, stats: Stats, price: dict[str, Any]) -> None:
    """Bring statistics and price up to date, drop candles that are of an older edition (whoever folded may have died
    before it told Redis), and tell whoever follows the ticker.

    Raises:
        RedisError · OSError: it is away; the copies end by themselves.
    """
    told = stats.told(spec)
    await tell_candles(redis, spec, Folded(spec.pair_id, NONE_KNOWN, stats.revision))
    async with redis.pipeline(transaction=True) as pipe:
        pipe.set(stats_key(spec.pair_id), orjson.dumps(told), ex=STATS_TTL_S)
        pipe.set(price_key(spec.pair_id), orjson.dumps(price), ex=PRICE_TTL_S)
        await pipe.execute()
    ticker = orjson.dumps({**told, "price": price["price"], "reference": price["reference"]}).decode()
    await publish(redis, "ticker", spec, [ticker])


async def publish(redis: Redis, channel: str, spec: PairSpec, messages: Sequence[str]) -> None:
    """To `events:{channel}` and to the pair's own, as facts are published."""
    async with redis.pipeline(transaction=False) as pipe:
        for message in messages:
            pipe.publish(f"events:{channel}", message)
            pipe.publish(f"events:{channel}:{spec.pair_id}", message)
        await pipe.execute()


async def fill(redis: Redis, key: str, told: bytes, ttl_s: int = FILLED_TTL_S) -> None:
    """Put a copy where there is none. Never over one: that is newer, or as good."""
    await redis.set(key, told, ex=ttl_s, nx=True)


async def copy(redis: Redis, key: str) -> str | None:
    """The copy, if there is one."""
    try:
        found = await redis.get(key)
    except AWAY:
        return None
    return str(found) if found else None


async def _run(redis: Redis, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> None:
    await redis.eval(script, len(keys), *keys, *(str(each) for each in arguments))
