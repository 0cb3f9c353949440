"""A program that trades: it signs in by itself, signs what it sends, and reads what became of it."""

import asyncio
from decimal import Decimal

import pytest

from deedbook.client import AsyncClient, Client, NewOrder, refusals
from deedbook.client.errors import AbsentError, InvalidError
from tests.api.loopback import serving
from tests.client.support import program, signer_of
from tests.support.floor import Floor


async def test_an_order_is_signed_placed_matched_and_found_again_when_a_program_trades(floor: Floor) -> None:
    buyer, seller = await floor.investor("1000"), await floor.investor(deeds="10")
    pair = floor.spec.symbol
    async with program(floor, buyer) as client, program(floor, seller) as other:
        await other.place(NewOrder(pair, "SELL", "2", Decimal("100.00")))
        wish = NewOrder(pair, "BUY", 1, "101", client_order_id=f"mine-{buyer.user_id}")
        sent = await client.sign(wish)
        placed = await client.place(sent)
        assert (placed.status, placed.quantity, placed.hash) == ("PENDING_MATCH", Decimal(1), sent.hash)

        await floor.match()
        filled = await client.wait_for_order(placed.id)
        assert (filled.status, filled.average_fill_price, filled.fee) == (
            "FILLED",
            Decimal(100),
            Decimal("0.0025"),
        )
        assert filled == await client.order_by_client_id(wish.client_order_id)
        assert [order.id for order in [order async for order in client.orders(pair=pair)]] == [placed.id]
        [trade] = [trade async for trade in client.trades()]
        assert (trade.order_id, trade.value, trade.side) == (placed.id, Decimal(100), "BUY")

        held = {balance.symbol: balance for balance in await client.balances()}
        assert held[floor.till.deed.symbol].available == Decimal("0.9975")
        book = await client.book(pair)
        assert (book.bids, book.asks) == ((), ((Decimal(100), Decimal(1)),))


async def test_a_signed_order_counts_once_however_often_it_is_sent(floor: Floor) -> None:
    buyer = await floor.investor("1000")
    async with program(floor, buyer) as client:
        sent = await client.sign(NewOrder(floor.spec.symbol, "BUY", "1", "90"))
        first, again = await client.place(sent), await client.place(sent)
        assert first == again
        assert len([order async for order in client.orders()]) == 1


async def test_an_order_is_lessened_replaced_and_ended_when_its_owner_says_so(floor: Floor) -> None:
    buyer = await floor.investor("1000")
    pair = floor.spec.symbol
    async with program(floor, buyer) as client:
        first = await client.place(NewOrder(pair, "BUY", "2", "90"))
        await client.reduce(first.id, Decimal("1.5"))
        second = await client.replace(first.id, NewOrder(pair, "BUY", "1", "91", post_only=True))
        await floor.match()
        assert (await client.order(first.id)).status == "CANCELLED"
        await client.cancel(second.id)
        await floor.match()
        assert (await client.order(second.id)).status == "CANCELLED"
        assert await client.cancel_all(pair) == 0
        assert await client.cancel_all_after(60) is not None
        assert await client.cancel_all_after(0) is None


async def test_each_of_many_orders_has_its_own_fate(floor: Floor) -> None:
    buyer = await floor.investor("100")
    pair = floor.spec.symbol
    async with program(floor, buyer) as client:
        good = NewOrder(pair, "BUY", "0.5", "90", client_order_id=f"a-{buyer.user_id}")
        dear = NewOrder(pair, "BUY", "5", "90", client_order_id=f"b-{buyer.user_id}")
        sent = [await client.sign(order) for order in (good, dear)]
        first, second = await client.place_many(sent)
        assert first.order is not None and first.order.status == "PENDING_MATCH"
        assert isinstance(second.error, refusals.InsufficientFunds)

        again, _ = await client.place_many(sent)  # as after an answer that was lost
        assert again.order is not None and again.order.id == first.order.id


async def test_a_preview_says_what_an_order_would_hold_and_cost(floor: Floor) -> None:
    buyer = await floor.investor("1000")
    async with program(floor, buyer) as client:
        told = await client.preview(NewOrder(floor.spec.symbol, "BUY", "1", "90", client_order_id="x"))
        assert (told.allowed, told.hold, told.enough_available) == (True, Decimal(90), True)


async def test_a_refusal_is_the_exception_of_its_code(floor: Floor) -> None:
    buyer = await floor.investor("10")
    async with program(floor, buyer) as client:
        with pytest.raises(refusals.InsufficientFunds) as poor:
            await client.place(NewOrder(floor.spec.symbol, "BUY", "1", "90"))
        assert isinstance(poor.value, InvalidError) and poor.value.status == 422 and poor.value.request_id
        with pytest.raises(refusals.OrderFilter) as fine:
            await client.place(NewOrder(floor.spec.symbol, "BUY", "1", "0.001"))
        assert [error.code for error in fine.value.errors] == ["tick"]
        with pytest.raises(refusals.PairNotFound) as absent:
            await client.place(NewOrder("NO-PAIR", "BUY", "1", "1"))
        assert isinstance(absent.value, AbsentError)
        with pytest.raises(TypeError):
            await client.place(NewOrder(floor.spec.symbol, "BUY", 0.1, "90"))  # type: ignore[arg-type]


async def test_a_program_signs_in_again_when_its_session_has_ended(floor: Floor) -> None:
    buyer = await floor.investor("10")
    async with program(floor, buyer) as client:
        first = await client.me()
        ended = client.session.token
        await client.call("POST", "/auth/logout")
        assert len(await client.balances()) == 1, "the same client goes on"
        assert client.session.token != ended and first.user_id == buyer.user_id


async def test_what_everybody_may_see_needs_nobody(floor: Floor) -> None:
    async with program(floor) as client:
        exchange = await client.exchange_info()
        assert exchange.pair(floor.spec.symbol) == await client.pair(str(floor.spec.pair_id))
        assert (await client.stats(floor.spec.symbol)).trades_24h >= 0
        assert [candle async for candle in client.candles(floor.spec.symbol, "1h")] == []
        assert (await client.price(floor.spec.symbol)).pair == floor.spec.symbol
        with pytest.raises(refusals.Unauthenticated):
            await client.balances()


async def test_lists_are_walked_to_their_end_over_a_real_socket(floor: Floor) -> None:
    buyer = await floor.investor("1000")
    pair, count = floor.spec.symbol, 203
    async with program(floor, buyer) as client:
        for start in range(0, count, 100):
            wishes = [NewOrder(pair, "BUY", "0.01", "90") for _ in range(min(100, count - start))]
            assert all(placed.order for placed in await client.place_many(wishes))
    async with serving(floor.world) as address:

        def walk() -> int:
            with Client(address, signer=signer_of(buyer), trust_env=False) as blocking:
                assert blocking.place(NewOrder(pair, "BUY", "0.01", "90")).pair == pair
                return len({order.id for order in blocking.orders(pair=pair)})

        assert await asyncio.to_thread(walk) == count + 1


async def test_a_token_that_is_given_is_used_and_never_renewed(floor: Floor) -> None:
    buyer = await floor.investor("1000")
    async with program(floor, token=buyer.access_token) as client:
        assert (await client.me()).user_id == buyer.user_id
    async with program(floor, token="no-such-token") as client:
        with pytest.raises(refusals.Unauthenticated):
            await client.balances()


def test_both_clients_do_the_same_and_say_what() -> None:
    shared = {name for name in dir(Client) if not name.startswith("_")}
    assert shared - set(dir(AsyncClient)) == {"carry_out", "close"}
    client = Client("http://localhost:1")
    assert client.place.__doc__ and client.place.__name__ == "place"
