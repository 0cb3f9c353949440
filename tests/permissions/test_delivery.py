"""Delivery through real HTTP: signed, subscribed once, again after refusal, and across restarts."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.servers import free_port

from .support import (
    Received,
    Webhook,
    appoint,
    ask_approval,
    config_in,
    served_in_process,
    served_in_thread,
    verify_as_a_receiver_would,
    wait_until,
    webhook,
)


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


def message_ids(received: list[Received]) -> set[str]:
    """Delivery is at least once: the same message may have come twice."""
    return {one.body["MessageId"] for one in received}


async def decide_a_market(url: str) -> str:
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        officer = await appoint(client, "market.approve")
        market_id = await ask_approval(client, officer.entity_id)
        body = {"decision": "approved", "actor_id": officer.actor_id}
        answer = await client.post(f"/api/v1/approvals/{market_id}/decision", json=body)
        assert answer.status_code == 200
    return market_id


async def test_decision_and_assignment_arrive_signed(tmp_path: Path, hook: Webhook) -> None:
    config = config_in(tmp_path, port=free_port(), webhook_urls=(hook.url,))
    with served_in_thread(config) as url:
        market_id = await decide_a_market(url)
        wait_until(lambda: bool(hook.events("market.approved")))
        wait_until(lambda: bool(hook.events("role.assignment.changed")))
        wait_until(lambda: bool(hook.of_type("SubscriptionConfirmation")))
        event_id = hook.events("market.approved")[0].message["event_id"]
        wait_until(
            lambda: httpx2.get(f"{url}/api/v1/events/{event_id}").json()["delivery_state"] == "succeeded"
        )
    pem = config.certificate_path.read_bytes()
    for received in hook.received:
        verify_as_a_receiver_would(received.body, pem)
        assert received.headers["x-amz-sns-message-type"] == received.body["Type"]
        assert received.headers["x-amz-sns-message-id"] == received.body["MessageId"]
        assert received.headers["content-type"] == "text/plain; charset=UTF-8"
    decision = hook.events("market.approved")[0]
    assert len(message_ids(hook.events("market.approved"))) == 1
    assert set(decision.message) == {
        *("event_id", "event_type", "source", "occurred_at", "correlation_id", "schema_version"),
        *("payload", "metadata"),
    }
    assert decision.message["payload"]["market_id"] == market_id
    assert list(decision.message["metadata"]) == ["actor_id"]
    assert hook.events("market.approval_requested") == []


@pytest.mark.parametrize("status", [500, 403, 302])
async def test_refused_message_is_sent_again_as_the_same_message(
    tmp_path: Path, hook: Webhook, status: int
) -> None:
    hook.status = status
    config = config_in(tmp_path, port=free_port(), webhook_urls=(hook.url,))
    with served_in_thread(config) as url:
        await decide_a_market(url)
        wait_until(lambda: len(hook.events("market.approved")) >= 2)
        hook.status = 204
        count = len(hook.received)
        wait_until(lambda: len(hook.received) > count)
    assert len(message_ids(hook.events("market.approved"))) == 1


@pytest.mark.parametrize("stop_with", [signal.SIGTERM, signal.SIGKILL])
async def test_restart_keeps_the_outbox_and_delivers(tmp_path: Path, stop_with: signal.Signals) -> None:
    port = free_port()
    config = config_in(tmp_path, port=free_port(), webhook_urls=(f"http://127.0.0.1:{port}/hook",))
    with served_in_process(tmp_path, *config.webhook_urls, stop_with=stop_with) as url:
        market_id = await decide_a_market(url)
    with webhook(port) as hook, served_in_thread(config):
        wait_until(lambda: bool(hook.events("market.approved")), within_s=20)
        wait_until(lambda: bool(hook.of_type("SubscriptionConfirmation")), within_s=20)
    assert hook.events("market.approved")[0].message["payload"]["market_id"] == market_id
    with webhook(port) as later, served_in_thread(config) as url:
        await decide_a_market(url)
        wait_until(lambda: bool(later.events("market.approved")))
    assert later.of_type("SubscriptionConfirmation") == []
    assert market_id not in {
        one.message["payload"].get("market_id") for one in later.events("market.approved")
    }


async def test_two_processes_share_one_file(tmp_path: Path, hook: Webhook) -> None:
    config = config_in(tmp_path, port=free_port(), webhook_urls=(hook.url,))
    with served_in_process(tmp_path, hook.url) as first, served_in_thread(config) as second:
        markets = [await decide_a_market(url) for url in (first, second) for _ in range(5)]
        wait_until(lambda: len(message_ids(hook.events("market.approved"))) >= 10)
        seen = httpx2.get(f"{first}/api/v1/events", params={"event_type": "market.approved"}).json()
    assert {event["payload"]["market_id"] for event in seen} == set(markets)
    assert len(message_ids(hook.events("market.approved"))) == 10
    assert len(message_ids(hook.of_type("SubscriptionConfirmation"))) == 1
    pem = config.certificate_path.read_bytes()
    for received in hook.received:
        verify_as_a_receiver_would(received.body, pem)
