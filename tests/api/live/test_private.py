"""Private channels: everything of one's own, once and in order, also to those who come back."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from redis.asyncio import Redis

from deedbook import ledger
from deedbook.api.live import accounts
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.kernel.ids import new_uuid
from deedbook.ledger import AccountId, LineKind, into_the_vault
from deedbook.trading import live_facts, settled
from deedbook.trading.account_views import SHIFT
from deedbook.trading.live_facts import Moment
from tests.api.live.conftest import Stand
from tests.api.live.support import Listener, Message, listening
from tests.api.loopback import serving
from tests.support.floor import open_floor
from tests.support.owner import as_owner
from tests.support.waiting import eventually
from tests.support.world import User, open_world

FINAL = ("order.filled", "order.cancelled")


async def signed_in(listener: Listener, user: User) -> None:
    told = await listener.ask(op="auth", token=user.access_token)
    assert (told["type"], told["userId"]) == ("authenticated", str(user.user_id)), told


def of(listener: Listener, channel: str) -> list[Message]:
    return [told for told in listener.heard if told["type"] == "event" and told["channel"] == channel]


async def told(listener: Listener, channel: str, count: int) -> list[Message]:
    async def enough() -> bool:
        return len(of(listener, channel)) >= count

    await eventually(enough, f"{count} events of {channel}")
    return of(listener, channel)


async def all_matched(stand: Stand) -> None:
    async def none() -> bool:
        return not await stand.floor.rows("SELECT 1 FROM orders WHERE status = 'PENDING_MATCH'")

    await eventually(none, "everything is matched")


async def test_an_order_is_told_to_its_owner_from_its_coming_to_its_end(stand: Stand) -> None:
    floor = stand.floor
    buyer, seller = await floor.investor("1000"), await floor.investor(deeds="10")
    async with listening(stand.address) as mine, listening(stand.address) as theirs:
        for listener, user in ((mine, buyer), (theirs, seller)):
            await signed_in(listener, user)
            for channel in ("orders", "fills", "settlements"):
                await listener.subscribe(channel)
            await listener.subscribe("balances")
        order = await floor.place(buyer, "BUY", price="100", quantity="2", clientOrderId="mine")
        await all_matched(stand)
        await floor.place(seller, "SELL", price="100", quantity="2")
        heard = await told(mine, "orders", 3)
        assert [event["eventType"] for event in heard] == ["order.created", "order.open", "order.filled"]
        assert {event["data"]["orderId"] for event in heard} == {order["id"]}
        assert heard[2]["data"]["clientOrderId"] == "mine"
        assert all(after["prevSeq"] == before["seq"] for before, after in pairwise(heard))
        (fill,), (pending,) = await told(mine, "fills", 1), await told(mine, "settlements", 1)
        mine_over_http = await floor.get(f"/trading/users/{buyer.user_id}/trades", buyer)
        assert fill["data"] == mine_over_http["data"][0]
        assert (pending["eventType"], pending["data"]["settlementStatus"]) == (
            "trade.settlement_pending",
            "PENDING",
        )
        (other,) = await told(theirs, "fills", 1)
        assert (other["data"]["side"], other["data"]["role"]) == ("SELL", "TAKER")

        async def as_over_http() -> bool:
            held: dict[str, Any] = {}
            for message in mine.heard:
                if message.get("channel") == "balances" and "balances" in message:
                    held |= {balance["tokenId"]: balance for balance in message["balances"]}
            there = (await floor.get(f"/tokens/balances/{buyer.user_id}", buyer))["data"]
            return {balance["tokenId"]: balance for balance in there} == held

        await eventually(as_over_http, "the balances heard are those that HTTP tells")


async def test_a_balance_is_told_to_all_who_hear_when_another_begins_to_hear_just_then(stand: Stand) -> None:
    """Two windows of one user: what the second is shown, the first must be told."""
    floor = stand.floor
    user = await floor.investor("100")
    async with listening(stand.address) as first, listening(stand.address) as second:
        for listener in (first, second):
            await signed_in(listener, user)
        await first.subscribe("balances")
        posting = into_the_vault(
            new_uuid(), LineKind.DEPOSIT, AccountId(user.user_id), floor.till.cash.token_id, 5_000_000
        )
        async with floor.world.db.transaction() as tx:
            await ledger.post(tx, [posting])
        assert [held["total"] for held in (await second.subscribe("balances"))["balances"]] == ["105"]
        told = await first.wait(lambda told: told["type"] == "update" and told["channel"] == "balances")
        assert [held["total"] for held in told["balances"]] == ["105"]


async def test_who_comes_back_misses_nothing_and_hears_nothing_twice(stand: Stand) -> None:
    """Under load, one who is cut off again and again has in the end what one who stayed has, to the last event."""
    floor = stand.floor
    buyer, seller = await floor.investor("100000"), await floor.investor(deeds="1000")
    stopped = asyncio.Event()

    async def trade() -> None:
        for number in range(60):
            side, user = (("BUY", buyer), ("SELL", seller))[number % 2]
            await floor.place(user, side, price="100", quantity=f"0.{number + 1:04d}")
        await all_matched(stand)
        stopped.set()

    async with listening(stand.address) as stayed:
        await signed_in(stayed, buyer)
        seq = (await stayed.subscribe("orders"))["seq"]
        await stayed.subscribe("fills")
        load = asyncio.create_task(trade())
        pieces: list[Message] = []
        while not (over := stopped.is_set()):
            pieces += await _listen_for_a_while(stand, buyer, pieces[-1]["seq"] if pieces else seq)
        await load
        wanted = await floor.rows(
            "SELECT 1 FROM trading_events WHERE fact ->> 'userId' = $1 AND event_type LIKE 'order.%'",
            str(buyer.user_id),
        )
        whole = await told(stayed, "orders", len(wanted))
        last = pieces[-1]["seq"] if pieces else seq  # nothing, where no while was long enough
        pieces += await _listen_for_a_while(stand, buyer, last, until=whole[-1]["seq"])
        assert over and len(wanted) >= 90
        assert [event["eventId"] for event in pieces] == [event["eventId"] for event in whole]
        assert [event["seq"] for event in pieces] == [event["seq"] for event in whole]
        fills = await told(stayed, "fills", len(await floor.rows("SELECT 1 FROM trades")))
        assert len(fills) >= 30
        async with listening(stand.address) as late:
            await signed_in(late, buyer)
            await late.subscribe("fills", fromSeq=0)
            again = await told(late, "fills", len(fills))
            assert [event["seq"] for event in again] == [event["seq"] for event in fills]


async def _listen_for_a_while(stand: Stand, user: User, seq: int, until: int = 0) -> list[Message]:
    async with listening(stand.address) as listener:
        await signed_in(listener, user)
        await listener.subscribe("orders", fromSeq=seq)
        if until > seq:
            await listener.wait(lambda told: told.get("channel") == "orders" and told.get("seq") == until)
        else:
            await asyncio.sleep(0.15)
        return of(listener, "orders")


async def test_a_place_that_nothing_has_is_refused(stand: Stand) -> None:
    user = await stand.floor.investor()
    async with listening(stand.address) as listener:
        await signed_in(listener, user)
        refused = await listener.ask(op="subscribe", channel="orders", fromSeq=(1 << 40) << SHIFT)
        assert (refused["type"], refused["problem"]["code"]) == ("error", "invalid_request")


async def test_nobody_hears_what_is_private_before_saying_who_they_are(stand: Stand) -> None:
    async with listening(stand.address) as listener:
        for channel in ("orders", "fills", "balances", "settlements"):
            refused = await listener.ask(op="subscribe", channel=channel)
            assert refused["problem"]["code"] == "unauthenticated"
        order = stand.floor.order(await stand.floor.investor("1000"))
        refused = await listener.ask(op="order", order=order)
        assert (refused["type"], refused["problem"]["status"]) == ("error", 401)


async def test_a_socket_ends_with_the_session_that_opened_it(stand: Stand) -> None:
    user, other = await stand.floor.investor(), await stand.floor.investor()
    async with listening(stand.address) as listener, listening(stand.address) as stays:
        await signed_in(listener, user)
        await signed_in(stays, other)
        await stand.floor.world.post("/auth/logout", user)
        assert await listener.until_closed() == (4401, "session_over")
        assert (await stays.ask(op="ping"))["type"] == "pong"


async def test_a_ticket_opens_one_socket_and_no_second(stand: Stand) -> None:
    user = await stand.floor.investor()
    ticket = (await stand.floor.world.post("/ws/ticket", user)).json()["ticket"]
    async with listening(stand.address, f"?ticket={ticket}") as listener:
        assert (await listener.subscribe("orders"))["type"] == "subscribed"
        again = await listener.ask(op="auth", ticket=ticket)
        assert again["problem"]["code"] == "unauthenticated"
    ticket = (await stand.floor.world.post("/ws/ticket", user)).json()["ticket"]
    async with listening(stand.address) as listener:
        assert (await listener.ask(op="auth", ticket=ticket))["userId"] == str(user.user_id)


async def test_an_order_over_the_socket_is_answered_as_over_http(stand: Stand) -> None:
    floor = stand.floor
    user = await floor.investor("1000")
    async with listening(stand.address) as listener:
        await signed_in(listener, user)
        body = floor.order(user, quantity="2")
        placed = await listener.ask(op="order", order=body)
        assert (placed["type"], placed["status"], placed["problem"]) == ("order", 201, None)
        over_http = await floor.get(f"/trading/orders/{placed['order']['id']}", user)
        assert placed["order"].keys() == over_http.keys()
        repeated = await listener.ask(op="order", order=body)
        assert (repeated["status"], repeated["problem"]["code"]) == (409, "duplicate_order")
        assert repeated["problem"]["firstId"] == placed["order"]["id"]
        forged = await listener.ask(op="order", order={**floor.order(user), "quantity": "3"})
        assert (forged["status"], forged["problem"]["code"]) == (401, "signature_refused")
        bad = await listener.ask(op="order", order={**floor.order(user), "quantity": "1e3"})
        assert bad["problem"]["errors"][0]["pointer"] == "/order/quantity"
        await all_matched(stand)
        cancelled = await listener.ask(op="cancel", orderId=placed["order"]["id"])
        assert (cancelled["type"], cancelled["status"]) == ("cancel", 202)

        async def ended() -> bool:
            there = await floor.get(f"/trading/orders/{placed['order']['id']}", user)
            return bool(there["status"] == "CANCELLED")

        await eventually(ended, "the order is cancelled")
        strange = await floor.place(await floor.investor("1000"))
        refused = await listener.ask(op="cancel", orderId=strange["id"])
        assert (refused["status"], refused["problem"]["code"]) == (404, "order_not_found")


async def test_a_socket_belongs_to_one_user_and_a_user_has_ten(stand: Stand) -> None:
    user, other = await stand.floor.investor(), await stand.floor.investor()
    async with listening(stand.address) as first:
        await signed_in(first, user)
        await signed_in(first, user)
        refused = await first.ask(op="auth", token=other.access_token)
        assert refused["problem"]["code"] == "forbidden"
        async with AsyncExitStack() as opened:
            listeners = [await opened.enter_async_context(listening(stand.address)) for _ in range(10)]
            for listener in listeners[:9]:
                await signed_in(listener, user)
            await listeners[9].send(op="auth", token=user.access_token)
            assert await listeners[9].until_closed() == (1008, "too_many_connections")
        async with listening(stand.address) as again:
            await signed_in(again, user)


async def test_what_came_before_is_told_page_after_page(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "REPLAYED", 3)
    floor = stand.floor
    buyer, other = await floor.investor("10000"), await floor.investor("10000")
    for number in range(12):
        await floor.place((buyer, other)[number % 2], "BUY", price="50", quantity=f"0.{number + 1:04d}")
    await all_matched(stand)
    async with listening(stand.address) as listener:
        await signed_in(listener, buyer)
        await listener.subscribe("orders", fromSeq=0)
        heard = await told(listener, "orders", 12)
        created = [event for event in heard if event["eventType"] == "order.created"]
        assert [event["data"]["quantity"] for event in created] == [
            f"0.{n:04d}".rstrip("0") for n in range(1, 12, 2)
        ]
        assert [event["prevSeq"] for event in heard] == [0, *(event["seq"] for event in heard[:-1])]


async def test_everybody_else_is_answered_while_many_who_come_back_are_told_what_they_missed(
    stand: Stand,
) -> None:
    """Reading it takes long where much was missed, which here a lock does: the database is not theirs alone."""
    user = await stand.floor.investor("10")
    async with AsyncExitStack() as opened:
        listeners = [await opened.enter_async_context(listening(stand.address)) for _ in range(10)]
        for listener in listeners:
            await signed_in(listener, user)
        async with as_owner(stand.floor.world.db) as owner, owner.transaction():
            await owner.execute("LOCK TABLE trading_facts IN ACCESS EXCLUSIVE MODE")
            async with asyncio.timeout(4):
                for listener in listeners:
                    await listener.subscribe("orders", fromSeq=0)
                assert (await stand.floor.get("/ledger", user))["data"]
        order = await stand.floor.place(user, "BUY", price="1", quantity="1")
        for listener in listeners:
            assert (await told(listener, "orders", 1))[0]["data"]["orderId"] == order["id"]


async def test_a_client_is_closed_when_what_it_has_missed_cannot_be_read(stand: Stand) -> None:
    """It was told that it hears the channel: it must not wait in silence for what comes to others."""
    user = await stand.floor.investor()
    db = stand.floor.world.db
    async with listening(stand.address) as listener, as_owner(db) as owner, as_owner(db) as another:
        await signed_in(listener, user)
        async with owner.transaction():
            await owner.execute("LOCK TABLE trading_facts IN ACCESS EXCLUSIVE MODE")
            await listener.subscribe("orders", fromSeq=0)

            async def cancelled() -> bool:
                # Not by the one who holds the lock: within a transaction, who waits is looked up once.
                return bool(await another.fetch(_CANCEL_THOSE_WHO_WAIT))

            await eventually(cancelled, "it is being read")
            assert await listener.until_closed() == (1013, "resume_failed")


_CANCEL_THOSE_WHO_WAIT = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%trading_facts%'
"""


async def test_one_transaction_of_many_events_is_told_whole(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when many trades are settled at once: more batches than a page has, all in one commit."""
    monkeypatch.setattr(accounts, "BATCHES", 3)
    monkeypatch.setattr(accounts, "REPLAYED", 3)
    user = await stand.floor.investor()
    pair_id, moment = stand.floor.spec.pair_id, Moment.of(datetime.now(UTC))
    async with listening(stand.address) as listener, listening(stand.address) as late:
        await signed_in(listener, user)
        await listener.subscribe("settlements")
        async with stand.floor.world.db.transaction() as tx:
            for number in range(20):
                whose = live_facts.whose(user.user_id, new_uuid(), pair_id)
                payload = f'"tradeId":"{new_uuid()}","place":{number},"settlementStatus":"SETTLED"'
                fact = live_facts.envelope(live_facts.SETTLED, moment, whose, payload)
                await settled.tell(tx, pair_id, [fact])
        heard = await told(listener, "settlements", 20)
        assert [event["data"]["place"] for event in heard] == list(range(20))
        await signed_in(late, user)
        await late.subscribe("settlements", fromSeq=heard[4]["seq"])
        rest = await told(late, "settlements", 15)
        assert [event["eventId"] for event in rest] == [event["eventId"] for event in heard[5:]]


async def test_orders_over_the_socket_and_over_http_count_together(
    dsn: str, valkey: EmbeddedValkey, anvil: EmbeddedAnvil, redis: Redis
) -> None:
    limits = {"RATE_LIMIT_ORDERS": 3, "SAPPHIRE_RPC_URL": anvil.url}
    async with open_world(dsn, valkey.url(), **limits) as world, serving(world) as address:
        floor = await open_floor(world)
        user = await floor.investor("10000")
        async with listening(address) as listener:
            await signed_in(listener, user)
            statuses = []
            for _ in range(2):
                statuses.append((await listener.ask(op="order", order=floor.order(user)))["status"])
                statuses.append((await floor.send(user, floor.order(user))).status_code)
            assert statuses == [201, 201, 201, 429]
            refused = await listener.ask(op="order", order=floor.order(user))
            assert (refused["status"], refused["problem"]["code"]) == (429, "rate_limited")
            assert refused["problem"]["retryAfterMs"] > 0
