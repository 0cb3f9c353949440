"""One fresh service per test, in this process, on a clock the test can turn. Nothing is delivered here."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from deedbook.permissions import create_app
from deedbook.permissions.services import Services
from deedbook.permissions.store import Store

from .support import TurnedClock, config_in


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def client(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[httpx2.AsyncClient]:
    """The routes on their own store; the application's whole life is tested through real HTTP."""
    config = config_in(tmp_path)
    app = create_app(config, clock=clock)
    app.state.services = Services(config, Store(config.database_path, clock=clock))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        yield client
    app.state.services.store.close()
