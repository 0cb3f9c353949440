"""Orders while PostgreSQL or Valkey stumble: never lost, never doubled, and slower rather than refused (A-18)."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from deedbook import truths
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.kernel.amounts import to_units
from tests.api.support import assert_problem, every_refusal_is_a_problem, refused
from tests.support.fault_proxy import Direction, FaultProxy
from tests.support.floor import Floor, open_floor
from tests.support.servers import PostgresServer
from tests.support.world import open_world


@dataclass
class Weather:
    """A floor whose servers stand behind networks that can fail."""

    floor: Floor
    database: FaultProxy
    redis: FaultProxy


def _through(address: str, port: int) -> str:
    return re.sub(r"127\.0\.0\.1:[0-9]+", f"127.0.0.1:{port}", address)


def _port(address: str) -> int:
    found = re.search(r"127\.0\.0\.1:([0-9]+)", address)
    assert found is not None
    return int(found[1])


@pytest.fixture
async def weather(
    postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil
) -> AsyncIterator[Weather]:
    dsn, url = await postgres.new_database(), valkey.url()
    async with (
        FaultProxy("127.0.0.1", _port(dsn)) as database,
        FaultProxy("127.0.0.1", _port(url)) as redis,
        open_world(
            _through(dsn, database.port), _through(url, redis.port), SAPPHIRE_RPC_URL=anvil.url
        ) as world,
    ):
        world.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield Weather(await open_floor(world), database, redis)
        database.heal()
        redis.heal()
    await postgres.drop(dsn)


async def everything_holds(floor: Floor) -> bool:
    return all(
        truth.holds or "live market" in truth.name for truth in await truths.check_books(floor.world.db)
    )


@pytest.mark.parametrize("deliver", [True, False], ids=["reply lost", "order lost"])
@pytest.mark.parametrize("keyed", [True, False])
async def test_an_order_counts_once_when_the_answer_to_the_commit_is_lost(
    weather: Weather, deliver: bool, keyed: bool
) -> None:
    floor = weather.floor
    user = await floor.investor("1000")
    await floor.place(user)
    body, key = floor.order(user), {"Idempotency-Key": str(uuid4())} if keyed else {}
    # Orders are taken in by one statement, which is its own transaction.
    weather.database.abort_when(Direction.TO_SERVER, body["nonce"].encode(), deliver=deliver)
    lost = await floor.send(user, body, **key)
    if keyed and deliver:  # it is looked up by its key before the sender is left in doubt
        assert (lost.status_code, lost.headers["Idempotent-Replayed"]) == (201, "true")
    else:
        refused(lost, 503, "database_unavailable")
    again = await floor.send(user, body, **key)
    assert again.status_code == (201 if keyed or not deliver else 409), again.text
    order_id = again.json()["id"] if again.status_code == 201 else assert_problem(again)["firstId"]
    assert (await floor.get(f"/trading/orders/{order_id}", user))["status"] == "PENDING_MATCH"
    assert await floor.balance(user) == (to_units("800", 6), to_units("200", 6))
    await floor.match()
    assert await everything_holds(floor)


async def test_a_cancel_is_done_once_when_the_answer_to_the_commit_is_lost(weather: Weather) -> None:
    floor = weather.floor
    user = await floor.investor("1000")
    path = f"/trading/orders/{(await floor.place(user))['id']}"
    weather.database.abort_when(Direction.TO_SERVER, b"COMMIT;", deliver=True)
    refused(await floor.world.http.delete(path, headers=user.headers), 503, "database_unavailable")
    assert (await floor.world.http.delete(path, headers=user.headers)).status_code == 202
    await floor.match()
    assert (await floor.get(path, user))["status"] == "CANCELLED"
    assert await floor.balance(user) == (to_units("1000", 6), 0)


async def test_orders_are_refused_with_a_hint_while_postgresql_is_away(weather: Weather) -> None:
    floor = weather.floor
    user = await floor.investor("1000")
    order = await floor.place(user)
    body = floor.order(user)
    weather.database.refuse()
    weather.database.cut()
    answers = await asyncio.gather(*(floor.send(user, body) for _ in range(5)))
    for answer in answers:
        refused(answer, 503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    cancel = await floor.world.http.delete(f"/trading/orders/{order['id']}", headers=user.headers)
    refused(cancel, 503, "database_unavailable")
    weather.database.heal()
    assert (await floor.send(user, body)).status_code == 201
    assert await everything_holds(floor)


async def test_orders_go_on_while_redis_is_away(weather: Weather) -> None:
    floor = weather.floor
    user = await floor.investor("1000")
    order = await floor.place(user)
    weather.redis.refuse()
    weather.redis.cut()
    body = floor.order(user)
    assert (await floor.send(user, body)).status_code == 201
    refused(await floor.send(user, body), 409, "duplicate_order")
    refused(await floor.send(user, floor.order(user, nonce=body["nonce"], price="99")), 409, "nonce_used")
    path = f"/trading/orders/{order['id']}"
    assert (await floor.world.http.delete(path, headers=user.headers)).status_code == 202
    await floor.match()
    assert (await floor.get(path, user))["status"] == "CANCELLED"
    book = await floor.get(f"/trading/pairs/{floor.spec.symbol}/orderbook")
    assert book["bids"] == [["100", "1"]]


async def test_limits_hold_in_each_process_while_redis_is_away(weather: Weather) -> None:
    floor = weather.floor
    user = await floor.investor("1000")
    await floor.place(user)
    floor.world.app.state.limiter.limits["orders"] = 3
    weather.redis.refuse()
    weather.redis.cut()
    answers = [await floor.send(user, floor.order(user)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201] * 3 + [429] * 2


async def test_a_cancel_and_a_fill_at_once_have_one_winner(weather: Weather) -> None:
    """A-18."""
    floor = weather.floor
    for _ in range(5):
        buyer, seller = await floor.investor("100"), await floor.investor("0", "1")
        order = await floor.place(buyer)
        path = f"/trading/orders/{order['id']}"
        sell = floor.order(seller, "SELL")
        await asyncio.gather(
            floor.send(seller, sell), floor.world.http.delete(path, headers=buyer.headers), floor.match()
        )
        await floor.match()
        shown = await floor.get(path, buyer)
        assert shown["status"] in ("FILLED", "CANCELLED")
        filled = shown["status"] == "FILLED"
        assert await floor.balance(buyer) == (0 if filled else to_units("100", 6), 0)
        await floor.clear()
    assert await everything_holds(floor)
