"""The settlement worker's body, in each worker process that serves its queue: takes trades up, sends them in batches,
and takes in what the chain has told. Any number may; by lease one does, since more would only ask the node the same."""

import asyncio

from deedbook.infra.lease import Keeper
from deedbook.settlement import jobs
from deedbook.settlement.ports import SettlementResources
from deedbook.workers.loops import repeat

BUSY_S = 0.05
IDLE_S = 0.2
LEASE_S = 10.0


class SettlementLoop:
    """Steps settlement on while it holds the lease."""

    def __init__(self, resources: SettlementResources, holder: str) -> None:
        self._resources = resources
        self._keeper = Keeper(resources.db, "settlement", holder, LEASE_S)

    async def step(self) -> bool:
        if await self._keeper.hold() is None:
            return False
        return await jobs.advance(self._resources.db, self._resources.settlement_desk)

    async def run(self, stopping: asyncio.Event) -> None:
        await repeat("settlement", stopping, self.step, busy_s=BUSY_S, idle_s=IDLE_S)
        await self._keeper.release()
