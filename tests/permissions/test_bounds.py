"""Limits on what comes in, and answers that stay JSON whatever was sent."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from deedbook.permissions.bounds import BODY_BYTES_MAX
from tests.support.servers import free_port

from .support import config_in, served_in_thread

EVENTS = "/api/v1/events"
JSON = {"content-type": "application/json"}


def event_around(payload: str) -> str:
    return f'{{"event_type": "some.thing", "source": "somebody", "payload": {payload}}}'


@pytest.mark.parametrize("path", [EVENTS, "/api/v1/authorize", "/desk/decision", "/nowhere"])
async def test_body_over_the_limit_is_413(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=b" " * (BODY_BYTES_MAX + 1), headers=JSON)
    assert answer.status_code == 413
    assert answer.json() == {"detail": "The request body is larger than 1048576 bytes"}


async def test_body_of_unannounced_length_is_413_once_it_grows_too_large(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 65_536

    with served_in_thread(config_in(tmp_path, port=free_port())) as url:
        async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
            answer = await client.post(EVENTS, content=pieces(), headers=JSON)
            assert answer.status_code == 413
            assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_body_at_the_limit_is_taken(client: httpx2.AsyncClient) -> None:
    around = len(event_around('{"x": ""}'))
    filler = "x" * (BODY_BYTES_MAX - around)
    body = event_around(f'{{"x": "{filler}"}}')
    assert len(body) == BODY_BYTES_MAX
    assert (await client.post(EVENTS, content=body, headers=JSON)).status_code == 201


@pytest.mark.parametrize(
    "payload",
    [
        '{"x": NaN}',
        '{"x": [Infinity]}',
        '{"x": 1e999}',
        '{"x": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"x": ' + "[" * 40 + "]" * 40 + "}",
        '{"x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"x": ' + "9" * 5000 + "}",
        '"text"',
        "{",
    ],
)
async def test_payload_that_could_not_be_given_back_is_400(client: httpx2.AsyncClient, payload: str) -> None:
    answer = await client.post(EVENTS, content=event_around(payload), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert (await client.get(EVENTS)).json() == []


@pytest.mark.parametrize("name", ["event_type", "source", "correlation_id"])
async def test_text_that_is_no_text_is_400(client: httpx2.AsyncClient, name: str) -> None:
    body = f'{{"event_type": "some.thing", "source": "somebody", "{name}": "abc\\ud800"}}'
    answer = await client.post(EVENTS, content=body, headers=JSON)
    assert answer.status_code == 400


async def test_refusal_does_not_echo_a_long_input(client: httpx2.AsyncClient) -> None:
    answer = await client.post(EVENTS, json={"event_type": "x" * 100_000, "source": "somebody"})
    assert answer.status_code == 400
    assert len(answer.content) < 1000


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_body_a_foreign_page_could_send_without_asking_is_400(
    client: httpx2.AsyncClient, content_type: str
) -> None:
    body = event_around("{}")
    answer = await client.post(EVENTS, content=body, headers={"content-type": content_type})
    assert answer.status_code == 400


async def test_health_is_answered(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
