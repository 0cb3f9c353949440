"""The stack on a permission service of somebody else's, which has no approval desk: the published one where
`DEEDBOOK_TEST_ENTITY_PERMISSIONS_URL` says where it runs, and ours without its desk."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from deedbook.permissions.server import make_server
from tests.permissions.support import config_in, running_in_thread
from tests.support.running import Terminal
from tests.support.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PUBLISHED = os.environ.get("DEEDBOOK_TEST_ENTITY_PERMISSIONS_URL", "")


@pytest.fixture(scope="module", params=["without a desk", "published"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "published":
        if not PUBLISHED:
            pytest.skip("DEEDBOOK_TEST_ENTITY_PERMISSIONS_URL is not set")
        yield PUBLISHED
        return
    server = make_server(config_in(tmp_path_factory.mktemp("permissions"), port=free_port()))
    server.config.app = without_a_desk(server.config.app)
    with running_in_thread(server) as url:
        yield url


def without_a_desk(service: Any) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The service as an ASGI application in which nothing is found where its desk is."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(("/desk", "/api/v1/approvals")):
            scope = {**scope, "path": "/hidden", "raw_path": b"/hidden"}
        await service(scope, receive, send)

    return answer


@pytest.fixture(scope="module")
async def running(service: str) -> AsyncIterator[Terminal]:
    """A home in which `up` was told of the service; what is run beside it is not."""
    terminal = Terminal.new()
    try:
        up = await terminal.up(ENTITY_PERMISSIONS_BASE_URL=service)
        said = await up.says("Ctrl-C stops it")
        assert "Approval desk" not in said
        assert service in said
        yield terminal
    finally:
        terminal.close()


async def test_an_asset_becomes_a_live_market_when_the_officer_decides_at_the_api(running: Terminal) -> None:
    shown = await running.command("demo", "--json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    story = json.loads(shown.stdout.splitlines()[-1])
    assert story["truths"] is True
    assert story["market"]["status"] == "active"
    assert "/desk" not in shown.stderr


async def test_role_is_granted_at_the_service_that_the_stack_asks(running: Terminal) -> None:
    for _ in range(2):
        granted = await running.command("login", "compliance")
        assert granted.returncode == 0, granted.stderr
