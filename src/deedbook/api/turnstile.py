"""What stands before every order in Redis: the sender's rate, and nonces that were used within the hour. One round
trip for all who arrive while another is under way.

Both are only fast: the nonce's row in PostgreSQL decides, and while Redis is away each process counts by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.api.key_use import key_standing
from deedbook.api.ratelimit import (
    REDIS_TIMEOUT_S,
    RETRY_REDIS_AFTER_S,
    WINDOW_S,
    Limiter,
    Standing,
    keys_of,
    standing,
)
from deedbook.identity import Caller
from deedbook.identity.terms import Address
from deedbook.infra.sharing import Shared
from deedbook.kernel.errors import Refusal
from deedbook.trading.admission import Admitted
from deedbook.trading.entry_store import UsedNonce

log = structlog.get_logger(__name__)

MAX_AT_ONCE = 500
APART_S = 0.010
"""Who comes right after others waits so long at most, and goes on with those who come meanwhile: through one question
here, and through one commit."""
MAX_REMEMBERED = 5_000
NONCE_TTL_S = 3600

# For each: its window, the window before, its nonce. As in `ratelimit`, two fixed windows weighted by time. Nonces of
# orders that were accepted meanwhile are noted first.
_SCRIPT = """
local now, window, entries, ttl = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local faded = 1 - (now % window) / window
for i = 1, #KEYS - entries * 3 do
  redis.call('SET', KEYS[entries * 3 + i], ARGV[4 + entries + i], 'EX', ttl, 'NX')
end
local answers = {}
for i = 1, entries do
  local key, limit = KEYS[i * 3 - 2], tonumber(ARGV[4 + i])
  local before = tonumber(redis.call('GET', KEYS[i * 3 - 1]) or '0')
  local count, allowed = tonumber(redis.call('GET', key) or '0'), 0
  if before * faded + count + 1 <= limit then
    count, allowed = redis.call('INCR', key), 1
    if count == 1 then redis.call('EXPIRE', key, window * 2) end
  end
  answers[i * 4 - 3], answers[i * 4 - 2], answers[i * 4 - 1] = allowed, before, count
  answers[i * 4] = KEYS[i * 3] ~= '' and redis.call('GET', KEYS[i * 3]) or ''
end
return answers
"""


class Passing(NamedTuple):
    """Somebody at the turnstile; `nonce_key` is empty for who brings none."""

    bucket: str
    who: str
    limit: int
    nonce_key: str


class Passed(NamedTuple):
    """How the sender stands now, and what has used the nonce lately."""

    standing: Standing
    used: UsedNonce | None


class Turnstile:
    """One per process that takes orders in."""

    def __init__(self, redis: Redis, limiter: Limiter) -> None:
        self.limiter = limiter
        self._script = redis.register_script(_SCRIPT)
        self._used: dict[str, str] = {}
        self._away_until = 0.0
        self._asking: Shared[Passing, Passed] = Shared(self._ask, MAX_AT_ONCE, APART_S)

    async def enter(self, bucket: str, caller: Caller, account: str = "", nonce: str = "") -> Passed:
        """Count one order or cancel, unless it is one too many; and what is known of its nonce."""
        limit = self.limiter.limit_of(bucket, caller.roles)
        nonce_key = f"nonce:{account}:{nonce}" if nonce else ""
        return await self._asking.ask(Passing(bucket, str(caller.user_id), limit, nonce_key))

    async def enter_all(self, caller: Caller, orders: Sequence[tuple[Address, str]]) -> list[Passed]:
        """The same for several orders of one sender, given by account and nonce."""
        limit, who = self.limiter.limit_of("orders", caller.roles), str(caller.user_id)
        passings = [Passing("orders", who, limit, f"nonce:{account}:{nonce}") for account, nonce in orders]
        passed = await self._asking.ask_all(passings)
        assert not any(isinstance(one, Exception) for one in passed), "without Redis it counts by itself"
        return cast("list[Passed]", passed)

    def used(self, orders: Sequence[Admitted]) -> None:
        """These orders were accepted: their nonces are told with the next round trip."""
        if len(self._used) < MAX_REMEMBERED:
            for order in orders:
                key = f"nonce:{order.text.trader}:{order.text.nonce}"
                self._used[key] = f"{order.digest.hex()}:{order.order_id}"

    async def close(self) -> None:
        """Finish what was begun."""
        await self._asking.close()

    async def _ask(self, asked: Sequence[Passing]) -> list[Passed | Exception]:
        now = time.time()
        answers = await self._ask_redis(asked, now)
        if answers is None:
            return [Passed(self.limiter.count_here(one.bucket, one.who, one.limit), None) for one in asked]
        told: list[Passed | Exception] = []
        for place, one in enumerate(asked):
            allowed, before, count, used = answers[place * 4 : place * 4 + 4]
            stands = standing(one.bucket, one.limit, now % WINDOW_S, allowed, before, count)
            told.append(Passed(stands, _used(used)))
        return told

    async def _ask_redis(self, asked: Sequence[Passing], now: float) -> list[Any] | None:
        if time.monotonic() < self._away_until:
            return None
        used, self._used = self._used, {}
        keys = [key for one in asked for key in (*keys_of(one.bucket, one.who, now), one.nonce_key)]
        limits = [one.limit for one in asked]
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                figures = [now, WINDOW_S, len(asked), NONCE_TTL_S, *limits]
                answer = self._script(keys=[*keys, *used], args=[*figures, *used.values()])
                return await cast("Awaitable[list[Any]]", answer)
        except (RedisError, OSError, TimeoutError):
            log.warning("turnstile_counts_alone", seconds=RETRY_REDIS_AFTER_S)
            self._away_until = time.monotonic() + RETRY_REDIS_AFTER_S
            return None


class Entrance:
    """The turnstile as orders of one caller pass it. `noted` hears how they stand."""

    def __init__(
        self, turnstile: Turnstile, caller: Caller, noted: Callable[[Standing], None] = lambda standing: None
    ) -> None:
        self._turnstile = turnstile
        self._limiter = turnstile.limiter
        self._caller = caller
        self._noted = noted

    async def enter(self, account: Address, nonce: str) -> UsedNonce | None:
        """Raises RateLimited: one too many, for the key that is shown or for its user."""
        standing = await key_standing(self._limiter, self._caller)
        if standing is not None:
            self._require_room(standing)
        passed = await self._turnstile.enter("orders", self._caller, account, nonce)
        self._require_room(passed.standing)
        return passed.used

    async def enter_all(self, orders: Sequence[tuple[Address, str]]) -> list[UsedNonce | Refusal | None]:
        """The same for several orders, given by account and nonce."""
        of_key: list[Standing | None] = [None] * len(orders)
        if self._caller.key is not None:
            of_key = await asyncio.gather(*(key_standing(self._limiter, self._caller) for _ in orders))
        let_in = [
            order for order, stands in zip(orders, of_key, strict=True) if not (stands and stands.wait_s)
        ]
        passed = iter(await self._turnstile.enter_all(self._caller, let_in))
        return [self._outcome(stands if stands and stands.wait_s else next(passed)) for stands in of_key]

    def _outcome(self, told: Standing | Passed) -> UsedNonce | Refusal | None:
        standing, used = (told.standing, told.used) if isinstance(told, Passed) else (told, None)
        self._noted(standing)
        return standing.refusal() or used

    def _require_room(self, standing: Standing) -> None:
        self._noted(standing)
        standing.require_room()


def _used(told: Any) -> UsedNonce | None:
    text = told.decode() if isinstance(told, bytes) else str(told)
    digest, _, action_id = text.partition(":")
    return UsedNonce(digest, action_id) if action_id else None
