"""The permission adapter when the far side fails: it remembers briefly, asks once, and never allows by accident."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from redis.asyncio import Redis

from deedbook.identity.errors import PermissionsUnavailable
from deedbook.identity.terms import Action
from deedbook.infra.bullmq_client import connect
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.infra.redis import QUICK_TIMEOUT_S
from deedbook.integrations.entity_permissions import client as adapter
from deedbook.integrations.entity_permissions.client import (
    ALLOW_TTL_S,
    DENY_TTL_S,
    EntityPermissionsClient,
    PublicationRefused,
    read_event,
)
from deedbook.kernel.ids import EntityId, UserId
from tests.integrations.entity_permissions.test_service import a_fact
from tests.support.fake_permissions import FakePermissions
from tests.support.fault_proxy import FaultProxy
from tests.support.waiting import PATIENCE_S, eventually

Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture
def fake() -> FakePermissions:
    return FakePermissions()


@pytest.fixture
async def client(fake: FakePermissions, redis: Redis) -> AsyncIterator[EntityPermissionsClient]:
    made = EntityPermissionsClient("http://permissions.test", redis, timeout_s=0.5, transport=fake.transport)
    yield made
    await made.close()


@pytest.fixture
async def forgetful(fake: FakePermissions) -> AsyncIterator[EntityPermissionsClient]:
    """A client without a cache."""
    made = EntityPermissionsClient("http://permissions.test", None, timeout_s=0.5, transport=fake.transport)
    yield made
    await made.close()


def answering(answer: Answer, timeout_s: float = 0.5) -> EntityPermissionsClient:
    transport = httpx2.MockTransport(answer)
    return EntityPermissionsClient("http://permissions.test", None, timeout_s=timeout_s, transport=transport)


def user() -> UserId:
    return UserId(uuid4())


def entity() -> EntityId:
    return EntityId(uuid4())


# What it asks


async def test_it_asks_in_the_words_of_the_service(
    client: EntityPermissionsClient, fake: FakePermissions
) -> None:
    asker, where = user(), entity()
    await client.is_allowed(asker, Action.APPROVE, where)
    assert fake.asked == [
        {
            "user_id": str(asker),
            "action": "market.approve",
            "resource_id": str(where),
            "principal_type": "user",
        }
    ]


# What it remembers


async def test_an_answer_is_remembered_under_its_key_and_for_its_time(
    client: EntityPermissionsClient, fake: FakePermissions, redis: Redis
) -> None:
    asker, where = user(), entity()
    fake.allow(asker, "market.approve", where)
    for _ in range(3):
        assert await client.is_allowed(asker, Action.APPROVE, where) is True
        assert await client.is_allowed(asker, Action.REJECT, where) is False
    assert len(fake.asked) == 2
    ttls = {}
    async for key in redis.scan_iter(match="auth:*"):
        told = key.decode() if isinstance(key, bytes) else key
        principal, where_told, action, context = told.split(":")[1:]
        assert (principal, where_told) == (str(asker), str(where))
        assert len(context) == 16
        ttls[action] = await redis.ttl(key)
    assert ALLOW_TTL_S - 5 <= ttls["market.approve"] <= ALLOW_TTL_S == 300
    assert DENY_TTL_S - 5 <= ttls["market.reject"] <= DENY_TTL_S == 30


async def test_another_kind_of_principal_has_another_key(
    client: EntityPermissionsClient, fake: FakePermissions, redis: Redis
) -> None:
    asker, where = user(), entity()
    fake.allow(asker, "market.approve", where)
    assert await client.is_allowed(asker, Action.APPROVE, where) is True
    admins = EntityPermissionsClient(
        "http://permissions.test", redis, principal_type="admin", transport=fake.transport
    )
    await admins.is_allowed(asker, Action.APPROVE, where)
    assert [asked["principal_type"] for asked in fake.asked] == ["user", "admin"]


@pytest.mark.parametrize("everybody", [False, True])
async def test_forgetting_asks_again(
    client: EntityPermissionsClient, fake: FakePermissions, redis: Redis, everybody: bool
) -> None:
    asker, other, where = user(), user(), entity()
    for who in (asker, other):
        fake.allow(who, "market.approve", where)
        assert await client.is_allowed(who, Action.APPROVE, where)
    fake.allowed.clear()
    await client.forget(None if everybody else asker)
    await asyncio.sleep(0)
    assert await client.is_allowed(asker, Action.APPROVE, where) is False
    assert await client.is_allowed(other, Action.APPROVE, where) is not everybody


async def test_what_was_asked_before_forgetting_is_not_remembered_after_it(
    client: EntityPermissionsClient, fake: FakePermissions
) -> None:
    """The service said yes, the role was taken away and told to us, and only then the yes arrives here."""
    asker, where = user(), entity()
    fake.allow(asker, "market.approve", where)
    fake.slow_s = 0.1
    asking = asyncio.create_task(client.is_allowed(asker, Action.APPROVE, where))
    await asyncio.sleep(0.05)
    await client.forget(asker)
    assert await asking is True
    fake.allowed.clear()
    assert await client.is_allowed(asker, Action.APPROVE, where) is False


async def test_failures_are_not_remembered(client: EntityPermissionsClient, fake: FakePermissions) -> None:
    asker, where = user(), entity()
    fake.allow(asker, "market.approve", where)
    fake.down = True
    with pytest.raises(PermissionsUnavailable):
        await client.is_allowed(asker, Action.APPROVE, where)
    fake.down = False
    assert await client.is_allowed(asker, Action.APPROVE, where) is True


async def test_a_cache_that_is_away_is_done_without(fake: FakePermissions) -> None:
    asker, where = user(), entity()
    fake.allow(asker, "market.approve", where)
    away = connect("redis://127.0.0.1:1", timeout_s=QUICK_TIMEOUT_S)
    without = EntityPermissionsClient("http://permissions.test", away, transport=fake.transport)
    started = time.monotonic()
    assert await without.is_allowed(asker, Action.APPROVE, where) is True
    assert time.monotonic() - started < 5
    await without.forget(asker)
    await without.forget(None)
    await away.aclose()


async def test_a_cache_that_hangs_costs_a_moment_and_then_nothing(
    fake: FakePermissions, valkey: EmbeddedValkey
) -> None:
    fake.allow_all = True
    async with FaultProxy("127.0.0.1", valkey.port) as proxy:
        through = connect(valkey.url().replace(str(valkey.port), str(proxy.port)), timeout_s=QUICK_TIMEOUT_S)
        client = EntityPermissionsClient("http://permissions.test", through, transport=fake.transport)
        asker, where = user(), entity()
        assert await client.is_allowed(asker, Action.APPROVE, where) is True
        assert await client.is_allowed(asker, Action.APPROVE, where) is True
        assert len(fake.asked) == 1
        proxy.swallow()
        started = time.monotonic()
        for _ in range(20):
            assert await client.is_allowed(user(), Action.APPROVE, where) is True
        assert time.monotonic() - started < 4  # a moment each would be five seconds
        await through.aclose()


async def test_a_cache_that_holds_nonsense_is_done_without(fake: FakePermissions, redis: Redis) -> None:
    asker, where = user(), entity()
    client = EntityPermissionsClient("http://permissions.test", redis, transport=fake.transport)
    for nonsense in ("1", "True", "yes", "", "null"):
        await redis.set(f"auth:{asker}:{where}:market.approve:{client._context_hash}", nonsense)
        fake.allowed.clear()
        assert await client.is_allowed(asker, Action.APPROVE, where) is False


# What allows


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal_of_the_service_is_a_no(status: int) -> None:
    client = answering(lambda _: httpx2.Response(status, json={"authorized": True}))
    assert await client.is_allowed(user(), Action.APPROVE, entity()) is False


@pytest.mark.parametrize(
    "content",
    [
        '{"authorized": "true"}',
        '{"authorized": 1}',
        '{"authorized": null}',
        '{"authorised": true}',
        '{"authorized": {"value": true}}',
        "[true]",
        "true",
        "null",
        "",
        "<html>authorized: true</html>",
        '{"authorized": true',
        "[" * 100_000,
        '{"authorized": true, "padding": "' + "x" * 100_000 + '"}',
    ],
)
async def test_a_33_only_the_json_value_true_allows(content: str) -> None:
    client = answering(lambda _: httpx2.Response(200, text=content))
    with pytest.raises(PermissionsUnavailable):
        await client.is_allowed(user(), Action.APPROVE, entity())


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 429, 500, 502, 503])
async def test_any_other_status_is_no_answer(status: int) -> None:
    where = {"location": "http://elsewhere.test/api/v1/authorize"}
    client = answering(lambda _: httpx2.Response(status, json={"authorized": True}, headers=where))
    with pytest.raises(PermissionsUnavailable):
        await client.is_allowed(user(), Action.APPROVE, entity())


async def test_failures_are_tried_again_a_few_times(fake: FakePermissions) -> None:
    patient = EntityPermissionsClient("http://permissions.test", None, timeout_s=5, transport=fake.transport)
    fake.allow_all = True
    fake.fail_next = adapter.ATTEMPTS - 1
    assert await patient.is_allowed(user(), Action.APPROVE, entity()) is True
    fake.fail_next = 100
    with pytest.raises(PermissionsUnavailable):
        await patient.is_allowed(user(), Action.APPROVE, entity())
    assert fake.fail_next == 100 - adapter.ATTEMPTS


async def test_a_broken_connection_is_tried_again(fake: FakePermissions) -> None:
    asked = 0

    def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise httpx2.ReadError("connection reset")
        return httpx2.Response(200, json={"authorized": True})

    assert await answering(answer).is_allowed(user(), Action.APPROVE, entity()) is True


# How long, and how many at once


@pytest.mark.parametrize("slow_s", [5.0, 0.4])
async def test_a_slow_service_is_unavailable_in_bounded_time(
    forgetful: EntityPermissionsClient, fake: FakePermissions, slow_s: float
) -> None:
    fake.slow_s = slow_s
    started = time.monotonic()
    asked = [forgetful.is_allowed(user(), Action.APPROVE, entity()) for _ in range(10)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert time.monotonic() - started < 3.5  # one after the other would take four seconds, or fifty
    assert sum(isinstance(answer, PermissionsUnavailable) for answer in answers) >= 8
    assert fake.in_flight == 0


async def test_a_dead_network_is_unavailable_in_bounded_time() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    async with FaultProxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        proxy.swallow()
        client = EntityPermissionsClient(f"http://127.0.0.1:{proxy.port}", None, timeout_s=0.3)
        started = time.monotonic()
        with pytest.raises(PermissionsUnavailable) as refused:
            await client.is_allowed(user(), Action.APPROVE, entity())
        assert time.monotonic() - started < 5
        assert refused.value.retry_after_s is not None
        await client.close()
    server.close()


async def test_one_uncached_question_is_under_way_at_a_time(fake: FakePermissions) -> None:
    patient = EntityPermissionsClient(
        "http://permissions.test", None, timeout_s=PATIENCE_S, transport=fake.transport
    )
    fake.slow_s = 0.005
    asked = [patient.is_allowed(user(), Action.APPROVE, entity()) for _ in range(30)]
    assert await asyncio.gather(*asked) == [False] * 30
    assert fake.most_in_flight == 1
    await patient.close()


async def test_the_same_question_at_once_is_asked_once(
    forgetful: EntityPermissionsClient, fake: FakePermissions
) -> None:
    asker, where = user(), entity()
    fake.allow(asker, "market.approve", where)
    fake.slow_s = 0.02
    asked = [forgetful.is_allowed(asker, Action.APPROVE, where) for _ in range(50)]
    assert await asyncio.gather(*asked) == [True] * 50
    assert len(fake.asked) == 1


async def test_who_goes_away_does_not_take_the_others_answer_along(
    forgetful: EntityPermissionsClient, fake: FakePermissions
) -> None:
    asker, where = user(), entity()
    fake.allow(asker, "market.approve", where)
    fake.slow_s = 0.05
    asked = [asyncio.create_task(forgetful.is_allowed(asker, Action.APPROVE, where)) for _ in range(6)]
    await eventually(_is_asked(fake), "the question is under way", every_s=0)
    for task in asked[:3]:
        task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers[3:] == [True] * 3
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[:3])


async def test_a_failure_that_nobody_waits_for_any_more_troubles_nobody(
    forgetful: EntityPermissionsClient, fake: FakePermissions
) -> None:
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    fake.slow_s = 0.02
    fake.fail_next = 100
    asking = asyncio.create_task(forgetful.is_allowed(user(), Action.APPROVE, entity()))
    await eventually(_is_asked(fake), "the question is under way", every_s=0)
    asking.cancel()

    async def landed() -> bool:
        return not forgetful._flights

    await eventually(landed, "the question ended")
    await asyncio.sleep(0.01)
    loop.set_exception_handler(None)
    assert complaints == []


async def test_questions_that_wait_are_bounded(
    forgetful: EntityPermissionsClient, fake: FakePermissions
) -> None:
    fake.slow_s = 5.0
    waiting = [
        asyncio.create_task(forgetful.is_allowed(user(), Action.APPROVE, entity()))
        for _ in range(adapter.MAX_WAITING)
    ]
    await eventually(_is_asked(fake), "the first is under way", every_s=0)
    with pytest.raises(PermissionsUnavailable, match="too many"):
        await forgetful.is_allowed(user(), Action.APPROVE, entity())
    assert not any(task.done() for task in waiting), "and at once"
    await asyncio.gather(*waiting, return_exceptions=True)
    assert forgetful._flights == {}


def _is_asked(fake: FakePermissions) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return fake.in_flight > 0

    return check


# Events


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_an_event_that_it_will_never_take_is_said_to_be_so(status: int) -> None:
    client = answering(lambda _: httpx2.Response(status, text="no" * 1000))
    with pytest.raises(PublicationRefused) as refused:
        await client.publish(a_fact())
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize("status", [302, 404, 429, 500, 502, 503])
async def test_an_event_that_was_not_taken_now_is_told_again_later(status: int) -> None:
    with pytest.raises(PermissionsUnavailable):
        await answering(lambda _: httpx2.Response(status)).publish(a_fact())


@pytest.mark.parametrize("content", ["{}", "null", '"x"', "<html>", "[" * 50_000, '[{"event_id": NaN}]'])
async def test_a_33_an_answer_that_is_no_list_of_events_is_no_answer(content: str) -> None:
    with pytest.raises(PermissionsUnavailable):
        await answering(lambda _: httpx2.Response(200, text=content)).recent(
            "market.approved", "entity_permissions_core"
        )


async def test_a_33_an_answer_without_end_is_cut_off() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1024 * 1024

    client = answering(lambda _: httpx2.Response(200, content=endless()), timeout_s=5)
    with pytest.raises(PermissionsUnavailable, match="more than"):
        await client.recent("market.approved", "entity_permissions_core")


GOOD = {
    "event_id": "e-1",
    "event_type": "market.approved",
    "source": "entity_permissions_core",
    "payload": {"market_id": "m"},
    "context": {"actor_id": "a"},
}


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": None},
        {"event_id": ""},
        {"event_id": "x" * 201},
        {"event_id": "a\x00b"},
        {"event_id": 7},
        {"event_type": None},
        {"event_type": "ab"},
        {"event_type": "x" * 129},
        {"source": None},
        {"source": "x" * 129},
        {"payload": None},
        {"payload": []},
        {"payload": "text"},
    ],
)
async def test_events_that_cannot_be_read_are_left_out(change: dict[str, Any]) -> None:
    body = json.dumps([{**GOOD, **change}, 7, None, GOOD])
    [event] = await answering(lambda _: httpx2.Response(200, text=body)).recent(
        "market.approved", "entity_permissions_core"
    )
    assert event.event_id == "e-1"


def test_the_actor_is_read_from_context_or_from_metadata() -> None:
    on_sns = {
        **{name: value for name, value in GOOD.items() if name != "context"},
        "metadata": {"actor_id": "b"},
    }
    for entry, actor in ((GOOD, "a"), (on_sns, "b"), ({**GOOD, "metadata": {"actor_id": "b"}}, "a")):
        event = read_event(entry, "webhook")
        assert event is not None
        assert event.context["actor_id"] == actor
    without = read_event({**GOOD, "context": "text"}, "webhook")
    assert without is not None
    assert without.context == {}
    assert read_event("text", "webhook") is None


# Provisioning


async def test_provisioning_is_tried_again_where_the_service_fails_whoever_comes_second(
    forgetful: EntityPermissionsClient, fake: FakePermissions
) -> None:
    fake.fail_next = 2
    where = await forgetful.ensure_entity("Harbour", "issuer")
    fake.fail_next = 2
    asker = user()
    await forgetful.ensure_role(asker, "officer", ("market.approve",), where)
    assert await forgetful.is_allowed(asker, Action.APPROVE, where) is True
    assert (len(fake.entities), len(fake.roles), len(fake.assignments)) == (1, 1, 1)


async def test_provisioning_gives_up_when_the_service_stays_away(
    forgetful: EntityPermissionsClient, fake: FakePermissions
) -> None:
    fake.down = True
    with pytest.raises(PermissionsUnavailable):
        await forgetful.ensure_entity("Harbour", "issuer")


@pytest.mark.parametrize("content", ["[]", '{"id": 7}', "<html>"])
async def test_a_33_an_answer_without_an_id_is_no_answer(content: str) -> None:
    with pytest.raises(PermissionsUnavailable):
        await answering(lambda _: httpx2.Response(201, text=content)).ensure_entity("Harbour", "issuer")


async def test_a_33_a_role_without_an_id_is_no_answer() -> None:
    content = '{"id": "x"}'
    with pytest.raises(PermissionsUnavailable):
        await answering(lambda _: httpx2.Response(201, text=content)).ensure_role(
            user(), "officer", ("market.approve",), None
        )


async def test_a_new_role_is_seen_at_once_by_who_was_refused_before(
    client: EntityPermissionsClient, fake: FakePermissions
) -> None:
    asker = user()
    where = await client.ensure_entity("Harbour", "issuer")
    assert await client.is_allowed(asker, Action.APPROVE, where) is False
    await client.ensure_role(asker, "officer", ("market.approve",), where)
    assert await client.is_allowed(asker, Action.APPROVE, where) is True
