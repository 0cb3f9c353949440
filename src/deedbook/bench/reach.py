"""The running stack as a bench reaches it: its database, its API as clients use it, and connections for a load."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from deedbook.bench.run import Stage
from deedbook.bench.wire import Wire
from deedbook.identity import Domain
from deedbook.identity.terms import Address
from deedbook.infra.database import Database


@dataclass(frozen=True)
class Reach:
    """What leads into the stack. `http` stands at the root of the API's version."""

    db: Database
    http: httpx2.AsyncClient
    wire: Wire

    async def domain(self) -> Domain:
        """For which orders are signed there."""
        told = (await self.http.get("/exchange-info")).raise_for_status().json()["eip712Domain"]
        return Domain(told["chainId"], Address(told["verifyingContract"].lower()))


@asynccontextmanager
async def reach(stage: Stage, connections: int) -> AsyncIterator[Reach]:
    """Open it, with so many kept connections for the load."""
    settings = stage.settings
    assert settings.DATABASE_URL is not None
    db = await Database.connect(settings.DATABASE_URL.get_secret_value(), pool_size=4, application="bench")
    base_url = f"http://127.0.0.1:{settings.PORT}/api/v1"
    try:
        async with (
            httpx2.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as http,
            Wire("127.0.0.1", settings.PORT, connections) as wire,
        ):
            yield Reach(db, http, wire)
    finally:
        await db.close()
