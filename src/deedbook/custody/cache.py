"""Copies of balances in Redis, for readers that must not load PostgreSQL. Never trusted for a decision.

`token:balance:{user}:{token}` is a JSON object of `available` and `locked`; `user:session:{user}` has all balances of
a user under `balances`, by token. Each refresh reads the truth again, so that late or repeated facts cannot leave an
old copy behind; what no fact refreshes is gone after five minutes.
"""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import orjson
from redis.asyncio import Redis

from deedbook.custody import views
from deedbook.infra.database import Database
from deedbook.infra.outbox import StoredFact
from deedbook.kernel.amounts import to_text
from deedbook.kernel.ids import parse_uuid

BALANCE_TTL_S = 300
_STREAMS = frozenset({"deposit", "withdrawal", "transfer", "custody"})
_TYPES = frozenset({"token.minted"})
_WHOSE = ("userId", "toUserId")


class BalanceCopies:
    """Writes the copies."""

    def __init__(self, db: Database, redis: Redis) -> None:
        self._db = db
        self._redis = redis

    async def follow(self, facts: Sequence[StoredFact]) -> None:
        """Bring up to date what these facts have changed."""
        await self.refresh({user_id for fact in facts for user_id in _touched(fact)})

    async def refresh(self, user_ids: set[UUID]) -> None:
        """Bring the copies of these users' balances up to date."""
        if not user_ids:
            return
        told: dict[UUID, dict[str, dict[str, str]]] = defaultdict(dict)
        for row in await views.balances_of(self._db, list(user_ids)):
            told[row["user_id"]][str(row["token_id"])] = {
                "available": to_text(int(row["available"]), row["decimals"]),
                "locked": to_text(int(row["locked"]), row["decimals"]),
            }
        async with self._redis.pipeline(transaction=True) as pipe:
            for user_id, balances in told.items():
                for token_id, balance in balances.items():
                    key = f"token:balance:{user_id}:{token_id}"
                    pipe.set(key, orjson.dumps(balance), ex=BALANCE_TTL_S)
                pipe.set(f"user:session:{user_id}", orjson.dumps({"balances": balances}), ex=BALANCE_TTL_S)
            await pipe.execute()


def _touched(fact: StoredFact) -> list[UUID]:
    """Whose balances a fact may have changed."""
    if fact.stream_type not in _STREAMS and fact.event_type not in _TYPES:
        return []
    named = (parse_uuid(str(fact.payload.get(name, ""))) for name in _WHOSE)
    return [user_id for user_id in named if user_id is not None]
