"""Webhooks that come through Amazon SNS, and together with the poller: believed by certificate, carried out once."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deedbook.infra.embedded import EmbeddedValkey
from deedbook.integrations.entity_permissions.sns import SnsVerifier
from deedbook.integrations.sapphire.keys import load_signer
from deedbook.kernel.jobs import Job
from deedbook.markets.jobs import poll_decisions
from deedbook.wiring import WorkerResources
from tests.api.support import decision, every_refusal_is_a_problem, post_event, refused
from tests.support.sns import CERT_URL, TOPIC, CertificateHost, Signer, confirmation, new_key, notification
from tests.support.workers import UNKNOWN_ID
from tests.support.world import World, open_world, registration

PATH = "/webhooks/entity-permissions"


@pytest.fixture(scope="module")
def aws() -> Signer:
    return Signer(new_key(), issuer=Signer(new_key(), "Amazon RSA 2048 M01"))


@pytest.fixture
def host(aws: Signer) -> CertificateHost:
    return CertificateHost({CERT_URL: aws.certificate()})


@pytest.fixture
async def subscribed(dsn: str, valkey: EmbeddedValkey, host: CertificateHost) -> AsyncIterator[World]:
    """A world that is subscribed to one topic."""
    async with open_world(dsn, valkey.url(), SNS_TOPIC_ARNS=TOPIC) as world:
        world.app.state.sns = SnsVerifier((TOPIC,), 3600, transport=host.transport)
        world.http.event_hooks["response"].append(every_refusal_is_a_problem)
        world.permissions.allow_all = True
        yield world


async def deliver(world: World, message: dict[str, Any], **headers: str) -> httpx2.Response:
    """As SNS delivers: with the content type that it really sends."""
    told = {"Content-Type": "text/plain; charset=UTF-8", **headers}
    return await world.http.post(PATH, content=json.dumps(message).encode(), headers=told)


def on_sns(event: dict[str, Any]) -> dict[str, Any]:
    """The event as the permission service puts it on the topic: its actor stands in `metadata`."""
    return {**{key: value for key, value in event.items() if key != "context"}, "metadata": event["context"]}


async def status_of(world: World, market: dict[str, Any]) -> str:
    return str((await world.http.get(f"/markets/{market['id']}")).json()["status"])


async def recorded(world: World) -> list[dict[str, Any]]:
    async with world.db.reading() as connection:
        rows = await connection.fetch(
            "SELECT event_id, event_type, source, received_via, processing_status, payload FROM processed_events"
        )
    return [dict(row) for row in rows]


async def test_a_decision_on_sns_is_carried_out_once(subscribed: World, aws: Signer) -> None:
    market = await subscribed.register(await subscribed.issuer())
    event = on_sns(decision(market))
    for told in ("success", "duplicate"):
        answer = await deliver(subscribed, aws.sign(notification(event)))
        assert (answer.status_code, answer.json()["status"]) == (200, told)
    assert await status_of(subscribed, market) == "activating"
    [row] = await recorded(subscribed)
    assert (row["received_via"], row["processing_status"]) == ("sns", "success")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": "deedbook"}, "skipped"),
        ({"event_type": "document.verified"}, "skipped"),
        ({"metadata": {}}, "failed"),
        ({"payload": {"market_id": UNKNOWN_ID}}, "failed"),
        ({"event_type": "role.assignment.changed", "payload": {"principal_id": UNKNOWN_ID}}, "success"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_whatever_becomes_of_an_authentic_event_is_answered_200(
    subscribed: World, aws: Signer, changes: dict[str, Any], told: str
) -> None:
    market = await subscribed.register(await subscribed.issuer())
    event = {**on_sns(decision(market)), **changes}
    for status in (told, "duplicate"):
        answer = await deliver(subscribed, aws.sign(notification(event)))
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert await status_of(subscribed, market) == "pending_approval"


async def test_a_forged_or_foreign_message_is_refused_and_leaves_no_trace(
    subscribed: World, aws: Signer, host: CertificateHost
) -> None:
    market = await subscribed.register(await subscribed.issuer())
    event = on_sns(decision(market))
    signed = aws.sign(notification(event))
    stranger = Signer(new_key(), issuer=Signer(new_key(), "Another authority"))
    forged = [
        {**signed, "Message": json.dumps({**event, "payload": {"market_id": str(uuid4())}})},
        stranger.sign(notification(event)),
        aws.sign(notification(event, TopicArn=TOPIC + "-foreign")),
        aws.sign(notification(event, SigningCertURL="https://evil.example/SimpleNotificationService-0a.pem")),
        aws.sign(confirmation(TopicArn=TOPIC + "-foreign")),
    ]
    for message in forged:
        refused(await deliver(subscribed, message), 403, "webhook_not_authentic")
    old = aws.sign(notification(event, Timestamp="2020-01-01T00:00:00.000Z"))
    refused(await deliver(subscribed, old), 403, "webhook_stale")
    assert await recorded(subscribed) == []
    assert await status_of(subscribed, market) == "pending_approval"
    assert set(host.asked) <= {CERT_URL}


@pytest.mark.parametrize(
    "message",
    [
        {"Type": "Notification"},
        {**notification(), "Message": 7},
        {"Type": ["Notification"]},
        {"Type": {"a": 1}},
    ],
    ids=["without fields", "a number", "a list for a type", "an object for a type"],
)
async def test_a_message_that_cannot_be_read_is_malformed_or_unsigned(
    subscribed: World, message: dict[str, Any]
) -> None:
    answer = await deliver(subscribed, message)
    assert (answer.status_code, answer.json()["code"]) in (
        (400, "webhook_malformed"),
        (401, "webhook_unsigned"),
    )


@pytest.mark.parametrize("text", ["no json", "[]", "7", "{}", '{"event_id": 7}', '{"a": 1, "a": 2}', "NaN"])
async def test_an_authentic_message_that_holds_no_event_is_malformed(
    subscribed: World, aws: Signer, text: str
) -> None:
    refused(await deliver(subscribed, aws.sign(notification(text))), 400, "webhook_malformed")


async def test_a_raw_delivery_carries_no_signature_and_is_not_believed(subscribed: World) -> None:
    """SNS can deliver the bare message; nothing in it proves who sent it, whatever its headers say."""
    market = await subscribed.register(await subscribed.issuer())
    raw = {"x-amz-sns-rawdelivery": "true", "x-amz-sns-topic-arn": TOPIC}
    refused(await deliver(subscribed, on_sns(decision(market)), **raw), 401, "webhook_unsigned")
    assert await recorded(subscribed) == []


async def test_a_subscription_is_recorded_for_an_operator_and_its_url_never_fetched(
    subscribed: World, aws: Signer, host: CertificateHost
) -> None:
    for kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        answer = await deliver(subscribed, aws.sign(confirmation(kind)))
        assert (answer.status_code, answer.json()["status"]) == (200, "skipped")
    assert host.asked == [CERT_URL]
    rows = await recorded(subscribed)
    assert {row["event_type"] for row in rows} == {
        "sns.SubscriptionConfirmation",
        "sns.UnsubscribeConfirmation",
    }
    assert {row["payload"]["token"] for row in rows} == {"2336412f37"}


async def test_nothing_is_recorded_while_the_permission_service_is_silent(
    subscribed: World, aws: Signer
) -> None:
    market = await subscribed.register(await subscribed.issuer())
    event = on_sns(decision(market))
    subscribed.permissions.down = True
    refused(await deliver(subscribed, aws.sign(notification(event))), 503, "permissions_unavailable")
    assert await recorded(subscribed) == []
    subscribed.permissions.down = False
    assert (await deliver(subscribed, aws.sign(notification(event)))).json()["status"] == "success"


async def test_a_certificate_that_cannot_be_fetched_asks_sns_to_repeat(
    subscribed: World, aws: Signer, host: CertificateHost
) -> None:
    market = await subscribed.register(await subscribed.issuer())
    signed = aws.sign(notification(on_sns(decision(market))))
    host.error = httpx2.ConnectError("no route")
    refused(await deliver(subscribed, signed), 503, "certificate_unavailable")
    host.error = None
    assert (await deliver(subscribed, signed)).json()["status"] == "success"


async def poll(world: World) -> None:
    signer = load_signer(world.resources.settings)
    told = {field.name: getattr(world.resources, field.name) for field in fields(world.resources)}
    await poll_decisions(WorkerResources(**told, signer=signer), Job("poll-1", "poll", {}))


async def test_f_17_f_18_one_effect_when_webhook_sns_and_poller_bring_the_same_decision(
    subscribed: World, aws: Signer
) -> None:
    market = await subscribed.register(await subscribed.issuer())
    event = decision(market)
    subscribed.permissions.events.append(event)
    signed = aws.sign(notification(on_sns(event)))
    polling = [asyncio.create_task(poll(subscribed)) for _ in range(3)]
    answers = await asyncio.gather(
        *[deliver(subscribed, signed) for _ in range(25)],
        *[post_event(subscribed, event) for _ in range(25)],
    )
    await asyncio.gather(*polling)

    assert {answer.status_code for answer in answers} == {200}
    told = Counter(answer.json()["status"] for answer in answers)
    assert told["success"] <= 1 and told["success"] + told["duplicate"] == 50
    assert await status_of(subscribed, market) == "activating"
    assert len(await recorded(subscribed)) == 1
    history = (await subscribed.http.get(f"/markets/{market['id']}/events")).json()["data"]
    kinds = Counter(entry["eventType"] for entry in history)
    assert kinds["market.approved"] == 1
    async with subscribed.db.reading() as connection:
        assert await connection.fetchval("SELECT count(*) FROM jobs WHERE queue = 'deploy-token'") == 1


async def test_f_17_a_rejection_after_the_approval_is_recorded_as_skipped(
    subscribed: World, aws: Signer
) -> None:
    market = await subscribed.register(await subscribed.issuer())
    assert (await post_event(subscribed, decision(market))).json()["status"] == "success"
    late = on_sns(decision(market, "rejected"))
    assert (await deliver(subscribed, aws.sign(notification(late)))).json()["status"] == "skipped"
    assert await status_of(subscribed, market) == "activating"


async def test_a_permission_event_drops_what_was_remembered(subscribed: World, aws: Signer) -> None:
    subscribed.permissions.allow_all = False
    issuer = await subscribed.issuer()
    await subscribed.register(issuer)
    subscribed.permissions.allowed.clear()
    await subscribed.register(issuer)  # remembered
    event = {
        "event_id": str(uuid4()),
        "event_type": "role.assignment.changed",
        "source": "entity_permissions_core",
        "payload": {"principal_id": str(issuer.user_id)},
        "metadata": {},
    }
    assert (await deliver(subscribed, aws.sign(notification(event)))).json()["status"] == "success"
    again = await subscribed.post("/markets/register", issuer, registration())
    refused(again, 403, "forbidden")
