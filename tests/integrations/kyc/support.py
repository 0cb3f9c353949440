"""The embedded provider behind a real port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deedbook.kyc_provider import ProviderConfig, make_server
from tests.support.servers import free_port
from tests.support.waiting import eventually

KEY = "a-key-for-the-tests-of-kyc"


@asynccontextmanager
async def provider() -> AsyncIterator[str]:
    """Its URL, while it runs."""
    port = free_port()
    server = make_server(ProviderConfig(KEY, port=port))
    running = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: _started(server.started), "the provider answers")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


async def _started(started: bool) -> bool:
    return started
