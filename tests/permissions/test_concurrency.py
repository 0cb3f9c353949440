"""Many callers at once through real HTTP: every answer is right and every decision single."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.support.servers import free_port

from .support import appoint, ask_approval, config_in, posted, served_in_thread


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with served_in_thread(config_in(tmp_path, port=free_port())) as url:
        yield url


async def test_fifty_parallel_questions_are_all_answered_right(url: str) -> None:
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        officer = await appoint(client, "market.approve")

        async def ask(number: int) -> bool:
            user_id = officer.actor_id if number % 2 else str(uuid4())
            body = {"user_id": user_id, "action": "market.approve", "resource_id": officer.entity_id}
            answer = await client.post("/api/v1/authorize", json=body)
            assert answer.status_code == 200
            authorized: bool = answer.json()["authorized"]
            return authorized

        assert await asyncio.gather(*map(ask, range(50))) == [bool(number % 2) for number in range(50)]


async def test_twenty_parallel_decisions_of_different_officers_make_one_event(url: str) -> None:
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        officer = await appoint(client, "market.approve", "market.reject")
        (role,) = (await client.get("/api/v1/roles")).json()
        actors = [officer.actor_id, *(str(uuid4()) for _ in range(19))]
        for actor_id in actors[1:]:
            await posted(client, "/api/v1/assignments", {"principal_id": actor_id, "role_id": role["id"]})
        market_id = await ask_approval(client, officer.entity_id)

        async def decide(number: int) -> int:
            word = ("approve", "reject")[number % 2]
            body = {"decision": word, "reason": "seen", "actor_id": actors[number]}
            answer = await client.post(f"/api/v1/approvals/{market_id}/decision", json=body)
            return answer.status_code

        statuses = await asyncio.gather(*map(decide, range(20)))
        events = (await client.get("/api/v1/events", params={"limit": 200})).json()
    assert sorted(statuses) == [200] + [409] * 19
    decided = [event for event in events if event["event_type"] in ("market.approved", "market.rejected")]
    assert len(decided) == 1
