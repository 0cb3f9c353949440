"""Rate limits: a sliding window per bucket and caller in Redis; per process when Redis is away, never open."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.infra.settings import Settings
from deedbook.kernel.errors import RateLimited

WINDOW_S = 60
MAX_LOCAL_KEYS = 50_000
RETRY_REDIS_AFTER_S = 2.0

# Two fixed windows weighted by how far the present one has run: close to a true sliding window, two keys.
_SCRIPT = """
local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local before = tonumber(redis.call('GET', KEYS[2]) or '0')
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
local used = before * (1 - (now % window) / window) + count
if used + 1 > limit then return {0, math.floor(limit - used)} end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], window * 2)
return {1, math.floor(limit - used - 1)}
"""


@dataclass(frozen=True)
class Standing:
    """How a caller stands with a bucket after a request."""

    bucket: str
    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """The headers of the IETF draft (ratelimit-headers-10), and the older ones beside them."""
        return {
            "RateLimit-Policy": f'"{self.bucket}";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"{self.bucket}";r={self.remaining};t={self.reset_s}',
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_s),
        }


class Limiter:
    """Counts requests. Buckets and their limits per minute come from the settings."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self.limits = {
            "reads": settings.RATE_LIMIT_READS,
            "writes": settings.RATE_LIMIT_WRITES,
            "auth": settings.RATE_LIMIT_AUTH,
            "webhooks": settings.RATE_LIMIT_WEBHOOKS,
            "health": settings.RATE_LIMIT_WEBHOOKS,
        }
        self._local: OrderedDict[str, int] = OrderedDict()
        self._redis_away_until = 0.0

    async def count(self, bucket: str, who: str) -> Standing:
        """Count one request.

        Raises:
            RateLimited: it is one too many; says when to come back.
        """
        limit, now = self.limits[bucket], time.time()
        window = int(now // WINDOW_S)
        key = f"ratelimit:{who}:{bucket}"
        allowed, remaining = await self._ask(f"{key}:{window}", f"{key}:{window - 1}", now, limit)
        reset_s = max(1, math.ceil((window + 1) * WINDOW_S - now))
        standing = Standing(bucket, limit, max(0, remaining), reset_s)
        if not allowed:
            refusal = RateLimited(f"more than {limit} {bucket} in a minute", retry_after_s=reset_s)
            refusal.standing = standing  # type: ignore[attr-defined]
            raise refusal
        return standing

    async def _ask(self, key: str, before: str, now: float, limit: int) -> tuple[bool, int]:
        if time.monotonic() >= self._redis_away_until:
            try:
                answer = self._redis.eval(_SCRIPT, 2, key, before, str(now), str(limit), str(WINDOW_S))
                allowed, remaining = await cast("Awaitable[list[int]]", answer)
                return bool(allowed), int(remaining)
            except (RedisError, OSError, TimeoutError):
                self._redis_away_until = time.monotonic() + RETRY_REDIS_AFTER_S
        return self._count_here(key, limit)

    def _count_here(self, key: str, limit: int) -> tuple[bool, int]:
        used = self._local.get(key, 0)
        if used >= limit:
            return False, 0
        self._local[key] = used + 1
        self._local.move_to_end(key)
        while len(self._local) > MAX_LOCAL_KEYS:
            self._local.popitem(last=False)
        return True, limit - used - 1


def caller_address(peer: str | None, forwarded_for: str | None, trusted_proxies: tuple[str, ...]) -> str:
    """Who is asking, as an address to count by: the last hop that we do not trust; IPv6 by its /64.

    `X-Forwarded-For` is read only from proxies that the settings name, from the right.
    """
    address = peer or "unknown"
    hops = [hop.strip() for hop in (forwarded_for or "").split(",") if hop.strip()]
    while address in trusted_proxies and hops:
        address = hops.pop()
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
