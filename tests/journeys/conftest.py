"""One stack for all journeys; each journey brings its own market and leaves every process running."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from deedbook.infra.embedded import Server
from deedbook.infra.embedded.pidfile import wait_until
from tests.support import servers
from tests.support.counter import Counter
from tests.support.fault_proxy import FaultProxy
from tests.support.stack import Stack

DEPTH = 4
"""The confirmations of the journeys' stack."""
BLOCK_S, NEVER_S = 0.05, 100_000


@pytest.fixture(scope="session")
async def shared_stack() -> AsyncIterator[Stack]:
    with servers.open_directory() as directory:
        stack = Stack(directory)
        try:
            await stack.start()
            yield stack
        finally:
            await stack.stop()


@pytest.fixture
async def stack(shared_stack: Stack) -> Stack:
    """The stack with every process running, and none beside them that a test has left."""
    await shared_stack.stop_beside()
    await shared_stack.all_run()
    return shared_stack


@pytest.fixture(scope="session")
async def shared_counter(shared_stack: Stack) -> Counter:
    await shared_stack.all_run()
    return await Counter.open(shared_stack)


@pytest.fixture
async def counter(stack: Stack, shared_counter: Counter) -> Counter:
    """The counter of that stack, with a market and a bank of its own."""
    return shared_counter


async def kill(*killed: Server) -> None:
    """`kill -9` of servers; their data stays."""
    for server in killed:
        os.kill(server.pid, signal.SIGKILL)
    for server in killed:
        await wait_until(lambda server=server: server.poll() is not None, time.monotonic() + 10)  # type: ignore[misc]


@dataclass
class Hand:
    """Blocks come when we say so, and can be taken back."""

    stack: Stack

    async def mine(self, blocks: int) -> None:
        await self.stack.anvil.rpc("anvil_mine", hex(blocks))

    async def keep(self) -> object:
        """The chain as it is, to return to."""
        return await self.stack.anvil.rpc("evm_snapshot")

    async def take_back(self, kept: object) -> None:
        """All blocks since then are gone, and what was in them is not even in the pool."""
        await servers.take_back(self.stack.anvil, kept)

    async def send(self, raws: list[bytes]) -> None:
        for raw in raws:
            assert await self.stack.node.send(raw) is None

    async def head(self) -> int:
        return await self.stack.node.head()

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Blocks come by themselves for a while."""

        async def mine() -> None:
            while True:
                await self.mine(1)
                await asyncio.sleep(BLOCK_S)

        task = asyncio.create_task(mine())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def hand(stack: Stack) -> AsyncIterator[Hand]:
    """The same chain in the hands of another anvil, which mines nothing by itself."""
    await stack.anvil.stop()
    by_hand = servers.anvil(stack.directory, NEVER_S, port=stack.anvil.port)
    await by_hand.start()
    yield Hand(stack)
    await by_hand.stop()
    await stack.anvil.start()


@pytest.fixture
async def line(stack: Stack) -> AsyncIterator[FaultProxy]:
    """The line from our workers to the node."""
    async with FaultProxy("127.0.0.1", stack.anvil.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        await asyncio.gather(*(stack.run(name, SAPPHIRE_RPC_URL=url) for name in ("lane", "jobs")))
        yield proxy
        proxy.heal()
