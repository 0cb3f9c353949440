"""Copies of tokens in Redis, for readers that must not load PostgreSQL. Never trusted for a decision.

`token:metadata:{id}` is a JSON object. Each refresh reads the truth again, so that late or repeated facts cannot
leave an old copy behind.
"""

from collections.abc import Sequence
from uuid import UUID

import orjson
from redis.asyncio import Redis

from deedbook.infra.database import Database
from deedbook.infra.outbox import StoredFact
from deedbook.kernel.amounts import to_text
from deedbook.kernel.clock import to_wire
from deedbook.tokens import views
from deedbook.tokens.views import ShownToken

METADATA_TTL_S = 86_400


class TokenCopies:
    """Writes the copies."""

    def __init__(self, db: Database, redis: Redis) -> None:
        self._db = db
        self._redis = redis

    async def follow(self, facts: Sequence[StoredFact]) -> None:
        """Bring up to date what these facts have changed."""
        await self.refresh({fact.stream_id for fact in facts if fact.stream_type == "token"})

    async def refresh(self, token_ids: set[UUID]) -> None:
        """Bring the copies of these tokens up to date."""
        if not token_ids:
            return
        shown = await views.some(self._db, list(token_ids))
        async with self._redis.pipeline(transaction=True) as pipe:
            for token in shown:
                pipe.set(key_of(token.token.token_id), orjson.dumps(_told(token)), ex=METADATA_TTL_S)
            await pipe.execute()


def key_of(token_id: UUID) -> str:
    return f"token:metadata:{token_id}"


def _told(shown: ShownToken) -> dict[str, object]:
    token, cap = shown.token, shown.token.supply_cap
    return {
        "id": str(token.token_id),
        "symbol": token.symbol,
        "name": token.name,
        "type": token.token_type.value,
        "decimals": token.decimals,
        "contractAddress": token.contract_address,
        "chainId": token.chain_id,
        "marketId": str(token.market_id) if token.market_id else None,
        "status": token.status.value,
        "totalSupply": to_text(token.total_supply, token.decimals),
        "supplyCap": to_text(cap, token.decimals) if cap is not None else None,
        "createdAt": to_wire(shown.created_at),
        "metadata": shown.metadata,
    }
