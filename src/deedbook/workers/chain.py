"""The chain worker's body: moves the nonce lane of the platform's key, in every worker process."""

import asyncio
import time

from deedbook.chain import lane, nonces
from deedbook.chain.lane import LanePolicy
from deedbook.chain.ports import Chain, Signer
from deedbook.infra.database import Database
from deedbook.kernel.clock import Clock
from deedbook.workers.loops import repeat

BUSY_S = 0.1
IDLE_S = 0.2
NONCE_CHECK_S = 5.0


class LaneWorker:
    """Steps the lane, and now and then compares nonces with the chain."""

    def __init__(self, db: Database, node: Chain, signer: Signer, policy: LanePolicy, clock: Clock) -> None:
        self._db, self._node, self._signer, self._policy, self._clock = db, node, signer, policy, clock
        self._checked_at = 0.0

    async def step(self) -> bool:
        if time.monotonic() - self._checked_at > NONCE_CHECK_S:
            await nonces.check_nonces(self._db, self._node, self._signer)
            self._checked_at = time.monotonic()
        return await lane.step(self._db, self._node, self._signer, self._policy, self._clock.now())

    async def run(self, stopping: asyncio.Event) -> None:
        await repeat("chain-lane", stopping, self.step, busy_s=BUSY_S, idle_s=IDLE_S)
