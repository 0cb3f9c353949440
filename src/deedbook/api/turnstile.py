"""What stands before every order in Redis: the sender's rate, and nonces that were used within the hour. One round
trip for all who arrive while another is under way.

Both are only fast: the nonce's row in PostgreSQL decides, and while Redis is away each process counts by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
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

# For each sender: their window and the window before. As in `ratelimit`, two fixed windows weighted by time. Then the
# nonces that are asked about. Nonces of orders that were accepted meanwhile are noted first.
_SCRIPT = """
local now, window, senders, nonces, ttl = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] * 1, ARGV[4] * 1, ARGV[5]
local faded, told = 1 - (now % window) / window, senders * 2 + nonces
for i = 1, #KEYS - told do
  redis.call('SET', KEYS[told + i], ARGV[5 + senders * 2 + i], 'EX', ttl, 'NX')
end
local stands = {}
for i = 1, senders do
  local key, limit, wanted = KEYS[i * 2 - 1], tonumber(ARGV[4 + i * 2]), tonumber(ARGV[5 + i * 2])
  local before = tonumber(redis.call('GET', KEYS[i * 2]) or '0')
  local count = tonumber(redis.call('GET', key) or '0')
  local allowed = math.max(0, math.min(wanted, math.floor(limit - before * faded - count)))
  if allowed > 0 then
    redis.call('INCRBY', key, allowed)
    if count == 0 then redis.call('EXPIRE', key, window * 2) end
  end
  stands[i * 3 - 2], stands[i * 3 - 1], stands[i * 3] = before, count, allowed
end
return {stands, nonces > 0 and redis.call('MGET', unpack(KEYS, senders * 2 + 1, told)) or {}}
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
        senders: dict[tuple[str, str, int], int] = {}
        for one in asked:
            sender = one.bucket, one.who, one.limit
            senders[sender] = senders.get(sender, 0) + 1
        nonces = [one.nonce_key for one in asked if one.nonce_key]
        answer = await self._ask_redis(senders, nonces, now)
        if answer is None:
            return [Passed(self.limiter.count_here(one.bucket, one.who, one.limit), None) for one in asked]
        stands, used = answer
        queues = {
            sender: _standings(sender, now % WINDOW_S, *stands[place * 3 : place * 3 + 3])
            for place, sender in enumerate(senders)
        }
        found = iter(used)
        return [
            Passed(
                next(queues[one.bucket, one.who, one.limit]), _used(next(found)) if one.nonce_key else None
            )
            for one in asked
        ]

    async def _ask_redis(
        self, senders: Mapping[tuple[str, str, int], int], nonces: Sequence[str], now: float
    ) -> tuple[list[int], list[bytes | str | None]] | None:
        if time.monotonic() < self._away_until:
            return None
        used, self._used = self._used, {}
        windows = [key for bucket, who, _ in senders for key in keys_of(bucket, who, now)]
        wanted = [figure for (_, _, limit), count in senders.items() for figure in (limit, count)]
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                figures = [now, WINDOW_S, len(senders), len(nonces), NONCE_TTL_S, *wanted]
                answer = self._script(keys=[*windows, *nonces, *used], args=[*figures, *used.values()])
                stands, found = await cast("Awaitable[Any]", answer)
                return stands, found
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


def _standings(
    sender: tuple[str, str, int], elapsed_s: float, before: int, count: int, allowed: int
) -> Iterator[Standing]:
    """How a sender stands at each that passes, one after the other."""
    bucket, _, limit = sender
    for passed in range(count + 1, count + allowed + 1):
        yield standing(bucket, limit, elapsed_s, True, before, passed)
    while True:
        yield standing(bucket, limit, elapsed_s, False, before, count + allowed)


def _used(told: bytes | str | None) -> UsedNonce | None:
    text = told.decode() if isinstance(told, bytes) else told or ""
    digest, _, action_id = text.partition(":")
    return UsedNonce(digest, action_id) if action_id else None
