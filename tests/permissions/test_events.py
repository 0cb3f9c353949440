"""The events wire: stored as sent, de-duplicated, newest first, exact filters, bounded."""

import asyncio
from uuid import UUID

import httpx2
import pytest

from tests.support.workers import UNKNOWN_ID

from .support import Json, posted

EVENTS = "/api/v1/events"


def event(**changes: object) -> Json:
    return {"event_type": "document.verified", "source": "document_vault", **changes}


async def test_event_is_stored_as_sent_and_read_back(client: httpx2.AsyncClient) -> None:
    payload = {"amount": "340282366920938463463374607431768211456.000000000000000001", "n": {"ü": [1, None]}}
    body = event(
        payload=payload,
        context={"actor_id": "somebody"},
        correlation_id="doc-1",
        occurred_at="2026-01-02T03:04:05+01:00",
    )
    answer = await client.post(EVENTS, json=body)
    assert answer.status_code == 201
    stored = answer.json()
    assert set(stored) == {
        *("id", "event_id", "event_type", "source", "occurred_at", "correlation_id", "schema_version"),
        *("payload", "context", "delivery_state", "delivery_attempts", "last_error"),
        *("created_at", "updated_at"),
    }
    assert stored["payload"] == payload
    assert stored["context"] == {"actor_id": "somebody"}
    assert stored["occurred_at"] == "2026-01-02T02:04:05Z"
    assert stored["schema_version"] == "v1"
    assert stored["delivery_state"] == "succeeded"
    assert UUID(stored["id"]) != UUID(stored["event_id"])
    assert (await client.get(f"{EVENTS}/{stored['event_id']}")).json() == stored


async def test_repeat_is_answered_with_the_first_event_even_if_it_differs(client: httpx2.AsyncClient) -> None:
    first = await posted(client, EVENTS, event(correlation_id="c-1"))
    again = await client.post(EVENTS, json=event(correlation_id="c-1", event_type="document.refused"))
    assert again.status_code == 201
    assert again.json() == first
    other = await posted(client, EVENTS, event(correlation_id="c-1", source="another"))
    assert other["event_id"] != first["event_id"]


@pytest.mark.parametrize("correlation_id", [None, ""])
async def test_events_without_correlation_are_never_repeats(
    client: httpx2.AsyncClient, correlation_id: str | None
) -> None:
    for _ in range(2):
        await posted(client, EVENTS, event(correlation_id=correlation_id))
    assert len((await client.get(EVENTS)).json()) == 2


async def test_list_is_newest_first_with_exact_filters(client: httpx2.AsyncClient) -> None:
    for day, source in ((2, "vault"), (3, "desk"), (1, "vault")):
        await posted(client, EVENTS, event(source=source, occurred_at=f"2026-01-0{day}T00:00:00Z"))
    await posted(client, EVENTS, event(event_type="other.thing", occurred_at="2025-01-01T00:00:00Z"))

    async def days(**params: str | int) -> list[str]:
        answer = await client.get(EVENTS, params=params)
        assert isinstance(answer.json(), list)
        return [one["occurred_at"][:10] for one in answer.json()]

    assert await days() == ["2026-01-03", "2026-01-02", "2026-01-01", "2025-01-01"]
    assert await days(limit=2) == ["2026-01-03", "2026-01-02"]
    assert await days(event_type="other.thing") == ["2025-01-01"]
    assert await days(event_type="other.thing,document.verified") == []
    assert await days(event_type="document.verified", source="vault") == ["2026-01-02", "2026-01-01"]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many"])
async def test_limit_outside_its_bounds_is_400(client: httpx2.AsyncClient, limit: str) -> None:
    assert (await client.get(EVENTS, params={"limit": limit})).status_code == 400


@pytest.mark.parametrize("event_id", [UNKNOWN_ID, "not-a-uuid"])
async def test_unknown_event_is_404(client: httpx2.AsyncClient, event_id: str) -> None:
    answer = await client.get(f"{EVENTS}/{event_id}")
    assert answer.status_code == 404
    assert answer.json() == {"detail": f"Event {event_id} not found"}


@pytest.mark.parametrize(
    "change",
    [
        {"event_type": "no"},
        {"event_type": "x" * 129},
        {"source": "no"},
        {"source": "x" * 129},
        {"correlation_id": "x" * 129},
        {"schema_version": "x" * 17},
        {"payload": []},
        {"occurred_at": "yesterday"},
    ],
)
async def test_malformed_event_is_refused_with_400(client: httpx2.AsyncClient, change: Json) -> None:
    answer = await client.post(EVENTS, json=event(**change))
    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], list)


async def test_parallel_repeats_store_one_event(client: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.post(EVENTS, json=event(correlation_id="same")) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["event_id"] for answer in answers}) == 1
    assert len((await client.get(EVENTS)).json()) == 1
