"""The chain worker's body, in every worker process: moves the nonce lane of the platform's key, and watches the
vault."""

import asyncio
import time

from deedbook.chain import lane, nonces
from deedbook.chain.lane import LanePolicy
from deedbook.chain.ports import Chain, Signer
from deedbook.custody import jobs as custody
from deedbook.custody.ports import CustodyResources
from deedbook.infra.database import Database
from deedbook.infra.lease import Keeper
from deedbook.workers.loops import repeat

BUSY_S = 0.1
IDLE_S = 0.2
NONCE_CHECK_S = 5.0
WATCH_S = 1.0
WATCH_BUSY_S = 0.05
WATCH_LEASE_S = 10.0


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


class VaultWatcher:
    """Reads what the vault tells and lets it have its effect. Any number may; by lease one does, since more would
    only ask the node the same."""

    def __init__(self, resources: CustodyResources, holder: str) -> None:
        self._resources = resources
        self._keeper = Keeper(resources.db, "vault-watcher", holder, WATCH_LEASE_S)

    async def step(self) -> bool:
        if await self._keeper.hold() is None:
            return False
        lookout = await self._resources.lookout()
        return lookout is not None and await custody.watch(self._resources.db, lookout)

    async def run(self, stopping: asyncio.Event) -> None:
        await repeat("vault-watcher", stopping, self.step, busy_s=WATCH_BUSY_S, idle_s=WATCH_S)
        await self._keeper.release()
