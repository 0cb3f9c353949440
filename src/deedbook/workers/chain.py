"""The chain worker's body: moves the nonce lane of the platform's key, in every worker process."""

import asyncio
import time

from deedbook.chain import lane, nonces
from deedbook.chain.lane import LanePolicy
from deedbook.chain.ports import Chain, Signer
from deedbook.infra.database import Database
from deedbook.workers.loops import repeat

BUSY_S = 0.1
IDLE_S = 0.2
NONCE_CHECK_S = 5.0


class LaneWorker:
    """Steps the lane, and now and then compares nonces with the chain."""

    def __init__(self, db: Database, node: Chain, signer: Signer, policy: LanePolicy) -> None:
        self._db, self._node, self._signer, self._policy = db, node, signer, policy
        self._checked_at = 0.0

    async def step(self) -> bool:
        if time.monotonic() - self._checked_at > NONCE_CHECK_S:
            await nonces.check_nonces(self._db, self._node, self._signer)
            self._checked_at = time.monotonic()
        # By the database's clock, which also wrote when attempts were made and sent.
        async with self._db.reading() as connection:
            now = await connection.fetchval("SELECT now()")
        return await lane.step(self._db, self._node, self._signer, self._policy, now)

    async def run(self, stopping: asyncio.Event) -> None:
        await repeat("chain-lane", stopping, self.step, busy_s=BUSY_S, idle_s=IDLE_S)
