"""When the local chain mines: quickly while there is work, slowly while there is none."""

import asyncio
import http.client
import time
from collections.abc import Awaitable, Callable

# After the last transaction the chain keeps its quick pace for this many blocks, so that whoever waits for
# confirmations (10 by default) gets them as soon as if the chain were busy.
BLOCKS_AFTER_WORK = 20

Rpc = Callable[..., Awaitable[object]]


class Pace:
    """Mines through JSON-RPC, since anvil's own interval cannot be changed to a part of a second."""

    def __init__(self, rpc: Rpc, block_time: float, idle_block_time: float) -> None:
        assert 0 < block_time <= idle_block_time, "an idle chain is not the quicker one"
        self._rpc = rpc
        self._block_time = block_time
        self._idle_block_time = idle_block_time

    async def run(self) -> None:
        """Until cancelled. A node that does not answer is being restarted or is gone: its server's `poll`
        tells which, so here we only try again."""
        quick_blocks_left = BLOCKS_AFTER_WORK
        mined_at = time.monotonic()
        while True:
            await asyncio.sleep(self._block_time)
            try:
                if await self._has_work():
                    quick_blocks_left = BLOCKS_AFTER_WORK
                if quick_blocks_left > 0 or time.monotonic() - mined_at >= self._idle_block_time:
                    await self._rpc("evm_mine")
                    mined_at = time.monotonic()
                    quick_blocks_left = max(0, quick_blocks_left - 1)
            except (OSError, http.client.HTTPException):
                continue

    async def _has_work(self) -> bool:
        status = await self._rpc("txpool_status")
        assert isinstance(status, dict), "txpool_status answers with two counts"
        return int(status["pending"], 16) > 0
