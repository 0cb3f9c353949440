"""A program that swaps: what it was quoted is what it signs, and what it signs is taken once."""

from decimal import Decimal
from typing import Any

import pytest

from deedbook.client import NewSwap, refusals, sign_swap
from deedbook.identity.typed_data import SWAP
from tests.client.support import program, signer_of
from tests.support.floor import Floor
from tests.support.till import DOMAIN
from tests.support.world import User


@pytest.fixture
async def maker(floor: Floor) -> User:
    """Somebody who offers 1 at 100 and 4 at 102."""
    maker = await floor.investor(deeds="10")
    for quantity, price in (("1", "100"), ("4", "102")):
        await floor.place(maker, "SELL", quantity=quantity, price=price)
    await floor.match()
    return maker


async def test_a_swap_gives_what_was_quoted_when_the_book_has_not_moved(floor: Floor, maker: User) -> None:
    user, pair = await floor.investor("200"), floor.spec.symbol
    async with program(floor) as anybody:
        quote = await anybody.quote_swap(pair, "BUY", 150, tolerance_bps=0)
    assert (quote.amount_used, quote.amount_out) == (Decimal("149.9902"), Decimal("1.48637475"))
    async with program(floor, user) as client:
        placed = await client.swap(NewSwap(pair, "BUY", 150, min_amount_out=quote.amount_out))
        assert (placed.status, placed.is_over, placed.fills) == ("PENDING_MATCH", False, ())
        await floor.match()
        done = await client.wait_for_swap(placed.id)
        assert (done.status, done.amount_used, done.amount_out) == (
            "FILLED",
            quote.amount_used,
            quote.amount_out,
        )
        assert [fill.quantity for fill in done.fills] == [Decimal(1), Decimal("0.4901")]
        assert (done.average_price, done.fee) == (quote.average_price, quote.fee)
        assert [swap async for swap in client.swaps()] == [done] == [await client.one_swap(placed.id)]


async def test_nothing_is_swapped_when_the_book_has_moved_further_than_the_tolerance(
    floor: Floor, maker: User
) -> None:
    user, faster = await floor.investor("200"), await floor.investor("200")
    pair = floor.spec.symbol
    async with program(floor, user) as client:
        quote = await client.quote_swap(pair, "BUY", "150")
        sent = await client.sign_swap(NewSwap(pair, "BUY", "150"))
        assert Decimal(sent.body["minAmountOut"]) == quote.suggested_min_amount_out < quote.amount_out
        await floor.place(faster, quantity="1", price="100")
        placed = await client.swap(sent)
        await floor.match()
        over = await client.wait_for_swap(placed.id)
        assert (over.status, over.reason, over.amount_used) == ("CANCELLED", "min_amount_out", Decimal(0))
        assert over.settlement_status is None and over.average_price is None


async def test_a_signed_swap_counts_once_however_often_it_is_sent(floor: Floor, maker: User) -> None:
    user = await floor.investor("200")
    async with program(floor, user) as client:
        sent = await client.sign_swap(NewSwap(floor.spec.symbol, "BUY", "50", "0.4"))
        first, again = await client.swap(sent), await client.swap(sent)
        assert first == again and first.hash == sent.hash
        assert len([swap async for swap in client.swaps()]) == 1


async def test_what_is_refused_is_the_exception_of_its_code(floor: Floor) -> None:
    user, pair = await floor.investor("10"), floor.spec.symbol
    async with program(floor, user) as client:
        with pytest.raises(refusals.NoPriceYet):
            await client.swap(NewSwap(pair, "BUY", "5"))
        with pytest.raises(refusals.InsufficientFunds):
            await client.swap(NewSwap(pair, "BUY", "50", "0.4"))
        with pytest.raises(refusals.SwapNotFound):
            await client.one_swap(user.user_id)


async def test_what_is_signed_is_what_the_platform_hashes(floor: Floor) -> None:
    signer = signer_of(await floor.investor())
    async with program(floor) as client:
        exchange, pair = await client.exchange_info(), await client.pair(floor.spec.symbol)
    terms: dict[str, Any] = {"nonce": "n-1", "expiry": 1_900_000_000}
    sent = sign_swap(signer, exchange, pair, NewSwap(pair.symbol, "SELL", "0.50", "40.00"), **terms)
    values = {name: sent.body[name] for name, _ in SWAP.fields if name != "trader"}
    digest = SWAP.digest(DOMAIN, {**values, "trader": sent.body["userAddress"]})
    assert sent.hash == "0x" + digest.hex() and sent.body["amountIn"] == "0.50"
    with pytest.raises(ValueError, match="least to receive"):
        sign_swap(signer, exchange, pair, NewSwap(pair.symbol, "SELL", "0.50"), **terms)
    with pytest.raises(TypeError):
        sign_swap(signer, exchange, pair, NewSwap(pair.symbol, "SELL", 0.5, "40"), **terms)  # type: ignore[arg-type]
