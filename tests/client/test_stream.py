"""A program that follows the live feeds, through whatever ends its connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from deedbook.client import AsyncClient, NewOrder, refusals
from deedbook.client.errors import DeedbookError
from deedbook.client.stream import Stream
from tests.api.live.support import matching
from tests.api.loopback import serving
from tests.client.support import signer_of
from tests.support.floor import Floor
from tests.support.world import User


@pytest.fixture(scope="module")
async def address(shared_floor: Floor) -> AsyncIterator[str]:
    """Where the module's floor is served, and its orders are matched. An app that has said that it closes takes no more
    sockets, so that there is one server for all."""
    async with serving(shared_floor.world) as address, matching(shared_floor):
        yield address


@asynccontextmanager
async def following(address: str, user: User | None = None) -> AsyncIterator[tuple[AsyncClient, Stream]]:
    signer = signer_of(user) if user else None
    async with AsyncClient(address, signer=signer, trust_env=False) as client, client.stream() as stream:
        yield client, stream


async def cut(stream: Stream) -> None:
    """End the connection as a network would."""
    assert stream._socket is not None
    stream._socket.transport.abort()


async def test_books_trades_and_tickers_go_on_when_the_connection_is_cut(
    shared_floor: Floor, address: str
) -> None:
    seller, buyer = await shared_floor.investor(deeds="10"), await shared_floor.investor("1000")
    pair = shared_floor.spec.symbol
    async with following(address) as (_, stream), asyncio.timeout(30):
        books, trades, tickers = stream.book(pair), stream.trades(pair), stream.ticker(pair)
        seen = {(await anext(trades)).seq for _ in range(await _count(shared_floor))}
        await shared_floor.place(seller, "SELL", price="100", quantity="3")
        async for book in books:
            if book.asks() == [(Decimal(100), Decimal(3))]:
                break
        await cut(stream)
        await shared_floor.place(buyer, "BUY", price="100", quantity="1")
        async for book in books:
            if book.asks() == [(Decimal(100), Decimal(2))]:
                break
        trade = await anext(trades)
        assert trade.quantity == 1 and trade.seq not in seen
        async for ticker in tickers:
            if ticker.last == 100:
                break
        assert ticker.best_ask == 100


async def test_my_events_come_once_each_when_the_connection_is_cut(shared_floor: Floor, address: str) -> None:
    buyer = await shared_floor.investor("1000")
    pair = shared_floor.spec.symbol
    async with following(address, buyer) as (client, stream), asyncio.timeout(30):
        events = stream.orders(from_seq=0)
        first = await stream.place(NewOrder(pair, "BUY", "1", "90"))
        created = await anext(events)
        await cut(stream)
        second = await stream.place(NewOrder(pair, "BUY", "1", "91"))
        told = [created]
        while len({event.data["orderId"] for event in told if event.event_type == "order.created"}) < 2:
            told.append(await anext(events))
        assert len({event.event_id for event in told}) == len(told)
        assert [event.seq for event in told] == sorted(event.seq for event in told)
        await stream.cancel(first.id)
        await stream.cancel(second.id)
        assert (await client.wait_for_order(second.id)).status == "CANCELLED"


async def test_balances_are_all_there_each_time_that_one_changes(shared_floor: Floor, address: str) -> None:
    buyer = await shared_floor.investor("1000")
    async with following(address, buyer) as (_, stream), asyncio.timeout(30):
        balances = stream.balances()
        assert (await anext(balances))["USDC"].available == 1000
        await stream.place(NewOrder(shared_floor.spec.symbol, "BUY", "1", "90"))
        async for held in balances:
            if held["USDC"].locked == 90:
                break


async def test_a_refusal_over_the_socket_is_the_exception_of_its_code(
    shared_floor: Floor, address: str
) -> None:
    buyer = await shared_floor.investor("10")
    async with following(address, buyer) as (_, stream), asyncio.timeout(30):
        with pytest.raises(refusals.InsufficientFunds):
            await stream.place(NewOrder(shared_floor.spec.symbol, "BUY", "1", "90"))
        with pytest.raises(refusals.PairNotFound):
            await anext(stream.book("NO-PAIR"))
        with pytest.raises(ValueError, match="heard already"):
            [stream.ticker(shared_floor.spec.symbol) for _ in range(2)]


async def test_what_listens_hears_of_the_end_when_the_stream_is_left(
    shared_floor: Floor, address: str
) -> None:
    async with following(address) as (_, stream):
        balances = stream.balances()
    with pytest.raises(DeedbookError):
        await anext(balances)


async def test_a_session_that_ended_is_begun_again_when_the_stream_needs_one(
    shared_floor: Floor, address: str
) -> None:
    buyer = await shared_floor.investor("1000")
    async with following(address, buyer) as (client, stream), asyncio.timeout(30):
        await anext(stream.balances())
        await client.call("POST", "/auth/logout")
        await cut(stream)
        assert (
            await stream.place(NewOrder(shared_floor.spec.symbol, "BUY", "1", "90"))
        ).pair == shared_floor.spec.symbol


async def test_an_api_key_is_enough_to_follow_and_to_send_what_a_signer_signs(
    shared_floor: Floor, address: str
) -> None:
    owner, pair = await shared_floor.investor("1000"), shared_floor.spec.symbol
    async with following(address, owner) as (client, _):
        told = await client.create_api_key("bot", ["account", "read", "trade"])
    bot = AsyncClient(address, signer=signer_of(owner), token=told.api_key, trust_env=False)
    async with bot, bot.stream() as stream, asyncio.timeout(30):
        events, balances = stream.orders(from_seq=0), stream.balances()
        assert (await anext(balances))["USDC"].available == 1000
        placed = await stream.place(NewOrder(pair, "BUY", "1", "90"))
        assert (await anext(events)).data["orderId"] == str(placed.id)


async def _count(shared_floor: Floor) -> int:
    [row] = await shared_floor.rows(
        "SELECT count(*) FROM trades WHERE pair_id = $1", shared_floor.spec.pair_id
    )
    return min(int(row["count"]), 100)
