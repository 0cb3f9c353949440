"""Programs at the floor: clients in the same process, or at a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from deedbook.client import AsyncClient, LocalSigner
from tests.support.floor import Floor
from tests.support.world import User

URL = "http://localhost:3000"


def signer_of(user: User) -> LocalSigner:
    return LocalSigner.from_key(user.wallet.private_key)


@asynccontextmanager
async def program(floor: Floor, user: User | None = None, **more: Any) -> AsyncIterator[AsyncClient]:
    """A client of this user, or of nobody, in the process of the API."""
    transport = httpx2.ASGITransport(floor.world.app, raise_app_exceptions=False)
    signer = signer_of(user) if user else None
    async with AsyncClient(URL, signer=signer, transport=transport, **more) as client:
        yield client
