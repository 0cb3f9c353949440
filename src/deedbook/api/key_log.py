"""What was asked under each API key lately, for its owner who looks for a mistake in a program. It rests in Redis for a
week and is no record: what was done stands in the audit log.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Sequence
from typing import Any, cast
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.api.soon import Soon
from deedbook.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

KEPT = 200
KEPT_S = 7 * 86_400
TELL_EVERY_S = 0.5
MAX_KEYS = 5_000
TIMEOUT_S = 1.0


class RequestLogUnavailable(Unavailable):
    code, title = "request_log_unavailable", "The log of requests cannot be read now"


class KeyLog:
    """One per process. Requests are told to Redis twice a second, the latest of each key: none waits for it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._noted: dict[str, deque[bytes]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._telling = Soon(TELL_EVERY_S, self.tell)

    def note(self, key_id: str, request: dict[str, Any]) -> None:
        if key_id in self._noted or len(self._noted) < MAX_KEYS:
            self._noted[key_id].appendleft(orjson.dumps(request))
        self._telling.ask()

    async def latest(self, key_id: UUID) -> Sequence[dict[str, Any]]:
        """The latest requests under a key, the newest first.

        Raises:
            RequestLogUnavailable: Redis does not answer.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                kept = await cast(
                    "Awaitable[list[bytes]]", self._redis.lrange(_name(str(key_id)), 0, KEPT - 1)
                )
        except (RedisError, OSError, TimeoutError):
            raise RequestLogUnavailable(retry_after_s=2) from None
        return [orjson.loads(request) for request in kept]

    async def tell(self) -> None:
        """Hand over what is noted. What cannot be handed over now is lost."""
        noted, self._noted = dict(self._noted), defaultdict(lambda: deque(maxlen=KEPT))
        if not noted:
            return
        try:
            async with asyncio.timeout(TIMEOUT_S), self._redis.pipeline(transaction=False) as pipe:
                for key_id, requests in noted.items():
                    pipe.lpush(_name(key_id), *reversed(requests))
                    pipe.ltrim(_name(key_id), 0, KEPT - 1)
                    pipe.expire(_name(key_id), KEPT_S)
                await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            log.warning("key_requests_not_noted", keys=len(noted))

    async def close(self) -> None:
        """Finish what was begun."""
        await self._telling.close()


def _name(key_id: str) -> str:
    return f"api-key:requests:{key_id}"
