"""Rate limits: a sliding window per bucket and caller in Redis; per process when Redis is away, never open."""

import asyncio
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, cast
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import HTTPConnection

from deedbook.identity import Role
from deedbook.infra.settings import Settings
from deedbook.kernel.errors import RateLimited

WINDOW_S = 60
MAX_LOCAL_KEYS = 50_000
REDIS_TIMEOUT_S = 0.5
RETRY_REDIS_AFTER_S = 2.0
CANCELS_PER_ORDER = 10
"""Cancels are counted by themselves and more loosely: everybody must always be able to lessen their exposure."""
COUNTED_HERE = frozenset({"health"})
"""Whether we are alive must not hang on whether Redis is."""

# Two fixed windows weighted by how far the present one has run: close to a true sliding window, two keys.
_SCRIPT = """
local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local before = tonumber(redis.call('GET', KEYS[2]) or '0')
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if before * (1 - (now % window) / window) + count + 1 > limit then return {0, before, count} end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], window * 2)
return {1, before, count + 1}
"""


class Standing(NamedTuple):
    """How a caller stands with a bucket after a request; `wait_s` is above zero when it was one too many."""

    bucket: str
    limit: int
    remaining: int
    reset_s: int
    wait_s: int

    def require_room(self) -> None:
        """Raises RateLimited: it was one too many."""
        refusal = self.refusal()
        if refusal is not None:
            raise refusal

    def refusal(self) -> RateLimited | None:
        """Why the request goes no further, where it was one too many."""
        if not self.wait_s:
            return None
        detail = f"more than {self.limit} {self.bucket} in a minute"
        return RateLimited(detail, retry_after_s=float(self.wait_s))

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the IETF draft (ratelimit-headers-10), and the older ones beside them."""
        bucket, limit, remaining, reset_s = self.bucket, self.limit, self.remaining, self.reset_s
        return [
            (b"ratelimit-policy", f'"{bucket}";q={limit};w={WINDOW_S}'.encode()),
            (b"ratelimit", f'"{bucket}";r={remaining};t={reset_s}'.encode()),
            (b"x-ratelimit-limit", b"%d" % limit),
            (b"x-ratelimit-remaining", b"%d" % remaining),
            (b"x-ratelimit-reset", b"%d" % reset_s),
        ]


class Limiter:
    """Counts requests. Buckets and their limits per minute come from the settings."""

    def __init__(self, redis: Redis, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._now = now
        self.limits = {
            "reads": settings.RATE_LIMIT_READS,
            "writes": settings.RATE_LIMIT_WRITES,
            "auth": settings.RATE_LIMIT_AUTH,
            "webhooks": settings.RATE_LIMIT_WEBHOOKS,
            "health": settings.RATE_LIMIT_WEBHOOKS,
            "orders": settings.RATE_LIMIT_ORDERS,
            "cancels": settings.RATE_LIMIT_ORDERS * CANCELS_PER_ORDER,
        }
        self._order_limits = settings.order_limits
        self._local: OrderedDict[str, int] = OrderedDict()
        self._redis_away_until = 0.0
        self._minute = 0
        self._asked: dict[tuple[str, UUID], int] = {}

    def limit_of(self, bucket: str, roles: Iterable[Role] = ()) -> int:
        """How many a minute: for orders and cancels, the most that one of the roles gives."""
        if bucket not in ("orders", "cancels") or not self._order_limits:
            return self.limits[bucket]
        orders = max([self.limits["orders"], *(self._order_limits.get(role.value, 0) for role in roles)])
        return orders if bucket == "orders" else orders * CANCELS_PER_ORDER

    async def count(self, bucket: str, who: str, roles: Iterable[Role] = ()) -> Standing:
        """Count one request, unless it is one too many."""
        return await self.count_up_to(bucket, who, self.limit_of(bucket, roles))

    async def count_up_to(self, bucket: str, who: str, limit: int) -> Standing:
        """The same under a limit of their own."""
        now = self._now()
        elapsed_s, keys = now % WINDOW_S, keys_of(bucket, who, now)
        counted = None if bucket in COUNTED_HERE else await self._count_in_redis(*keys, now, limit)
        return standing(bucket, limit, elapsed_s, *(counted or self._count_here(*keys, elapsed_s, limit)))

    def may_ask(self, bucket: str, who: UUID, limit: int) -> bool:
        """Count one request of any kind in a fixed minute of this process; whether it was not one too many."""
        minute = int(self._now() // WINDOW_S)
        if minute != self._minute:
            self._minute = minute
            self._asked.clear()
        count = self._asked[bucket, who] = self._asked.get((bucket, who), 0) + 1
        return count <= limit

    def count_here(self, bucket: str, who: str, limit: int) -> Standing:
        """The same by this process alone."""
        now = self._now()
        elapsed_s, keys = now % WINDOW_S, keys_of(bucket, who, now)
        return standing(bucket, limit, elapsed_s, *self._count_here(*keys, elapsed_s, limit))

    async def _count_in_redis(
        self, key: str, key_before: str, now: float, limit: int
    ) -> tuple[bool, int, int] | None:
        if time.monotonic() < self._redis_away_until:
            return None
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                answer = self._redis.eval(_SCRIPT, 2, key, key_before, str(now), str(limit), str(WINDOW_S))
                allowed, before, count = await cast("Awaitable[list[int]]", answer)
        except (RedisError, OSError, TimeoutError):
            self._redis_away_until = time.monotonic() + RETRY_REDIS_AFTER_S
            return None
        return bool(allowed), before, count

    def _count_here(self, key: str, key_before: str, elapsed_s: float, limit: int) -> tuple[bool, int, int]:
        before, count = self._local.get(key_before, 0), self._local.get(key, 0)
        if before * (1 - elapsed_s / WINDOW_S) + count + 1 > limit:
            return False, before, count
        self._local[key] = count + 1
        self._local.move_to_end(key)
        while len(self._local) > MAX_LOCAL_KEYS:
            self._local.popitem(last=False)
        return True, before, count + 1


def keys_of(bucket: str, who: str, now: float) -> tuple[str, str]:
    """The keys of the present window and of the one before."""
    window = int(now // WINDOW_S)
    return f"ratelimit:{who}:{bucket}:{window}", f"ratelimit:{who}:{bucket}:{window - 1}"


def standing(bucket: str, limit: int, elapsed_s: float, allowed: object, before: int, count: int) -> Standing:
    """What both windows say."""
    used = before * (1 - elapsed_s / WINDOW_S) + count
    wait_s = 0 if allowed else max(1, math.ceil(_wait_s(before, count, limit, elapsed_s)))
    reset_s = wait_s or max(1, math.ceil(WINDOW_S - elapsed_s))
    return Standing(bucket, limit, max(0, math.floor(limit - used)) if allowed else 0, reset_s, wait_s)


def _wait_s(before: int, count: int, limit: int, elapsed_s: float) -> float:
    """How long until one more fits: as the window before fades or, where this one is full, as this one will."""
    if count < limit:
        return WINDOW_S * (1 - (limit - 1 - count) / before) - elapsed_s
    return WINDOW_S - elapsed_s + WINDOW_S * (1 - (limit - 1) / count)


def client_address(connection: HTTPConnection, trusted_proxies: tuple[str, ...]) -> str:
    """From where a request comes, exactly."""
    peer = connection.client.host if connection.client else None
    return _last_hop(peer, ",".join(connection.headers.getlist("x-forwarded-for")), trusted_proxies)


def caller_address(peer: str | None, forwarded_for: str | None, trusted_proxies: tuple[str, ...]) -> str:
    """Who is asking, as an address to count by: the last hop that we do not trust; IPv6 by its /64."""
    try:
        parsed = ipaddress.ip_address(_last_hop(peer, forwarded_for, trusted_proxies))
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _last_hop(peer: str | None, forwarded_for: str | None, trusted_proxies: tuple[str, ...]) -> str:
    """`X-Forwarded-For` is read only from proxies that the settings name, from the right."""
    address = peer or "unknown"
    hops = [hop.strip() for hop in (forwarded_for or "").split(",") if hop.strip()]
    while address in trusted_proxies and hops:
        address = hops.pop()
    return address
