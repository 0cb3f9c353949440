"""Programs that are let in by an API key, and people who make and end keys."""

from decimal import Decimal

import pytest

from deedbook.client import NewOrder, NewSwap, refusals
from deedbook.client.answers import NewApiKey
from deedbook.client.flows.keys import Scope
from tests.client.support import program
from tests.support.floor import Floor
from tests.support.world import User

EVERY_SCOPE: tuple[Scope, ...] = ("read", "account", "trade")


async def made(floor: Floor, owner: User, *scopes: Scope) -> tuple[NewApiKey, str]:
    """A key that its owner has made, and its text."""
    async with program(floor, owner) as client:
        told = await client.create_api_key("bot", scopes or EVERY_SCOPE)
    assert told.api_key is not None
    return told, told.api_key


async def test_a_key_is_made_shown_once_listed_and_ended_by_its_owner(floor: Floor) -> None:
    owner = await floor.investor()
    async with program(floor, owner) as client:
        told = await client.create_api_key(
            "bot",
            ["trade", "read"],
            expires_in_days=7,
            allowed_addresses=["203.0.113.7"],
            orders_per_minute=60,
            daily_notional="250.50",
            key="make-once",
        )
        assert told.api_key is not None and told.api_key.startswith("dbk_")
        assert told.api_key not in repr(told)
        assert (told.key.scopes, told.key.allowed_addresses) == (("read", "trade"), ("203.0.113.7/32",))
        assert (told.key.orders_per_minute, told.key.daily_notional) == (60, Decimal("250.5"))
        again = await client.create_api_key(
            "bot",
            ["trade", "read"],
            expires_in_days=7,
            allowed_addresses=["203.0.113.7"],
            orders_per_minute=60,
            daily_notional="250.50",
            key="make-once",
        )
        assert (again.key, again.api_key) == (told.key, None), "only the answer is given again"
        assert [entry async for entry in client.api_keys()] == [told.key]
        ended = await client.revoke_api_key(told.key.id)
        assert ended.revoked_at is not None
        assert [entry async for entry in client.api_keys()] == [ended]
        with pytest.raises(refusals.ApiKeyNotFound):
            await client.revoke_api_key(owner.user_id)


async def test_a_program_trades_by_a_key_when_its_signer_signs(floor: Floor) -> None:
    owner, seller = await floor.investor("1000"), await floor.investor(deeds="10")
    pair = floor.spec.symbol
    await floor.place(seller, "SELL", price="100", quantity="5")
    await floor.match()
    _, text = await made(floor, owner)
    async with program(floor, owner, token=text) as bot:
        order = await bot.place(NewOrder(pair, "BUY", "1", "100"))
        swap = await bot.swap(NewSwap(pair, "BUY", "50"))
        waiting = await bot.place(NewOrder(pair, "BUY", "1", "90"))
        await floor.match()
        assert (await bot.wait_for_order(order.id)).status == "FILLED"
        assert (await bot.wait_for_swap(swap.id)).status == "FILLED"
        assert await bot.cancel_all(pair) == 1
        await floor.match()
        assert (await bot.order(waiting.id)).status == "CANCELLED"
        assert bot.session.token == text, "it has not signed in beside the key"


async def test_a_key_alone_reads_and_sends_what_was_signed_elsewhere(floor: Floor) -> None:
    owner, pair = await floor.investor("1000"), floor.spec.symbol
    async with program(floor, owner) as client:
        sent = await client.sign(NewOrder(pair, "BUY", "1", "90"))
    _, text = await made(floor, owner)
    async with program(floor, token=text) as bot:
        assert (await bot.me()).user_id == owner.user_id
        placed = await bot.place(sent)
        assert [order.id async for order in bot.orders()] == [placed.id]
        held = {balance.symbol: balance for balance in await bot.balances()}
        assert held["USDC"].locked == 90
        assert [entry async for entry in bot.notifications()] == [] and await bot.unread_count() == 0
        await bot.cancel(placed.id)
        with pytest.raises(ValueError, match="signer"):
            await bot.place(NewOrder(pair, "BUY", "1", "90"))


async def test_a_key_does_nothing_but_what_it_was_made_for(floor: Floor) -> None:
    owner = await floor.investor("1000")
    _, reading = await made(floor, owner, "read")
    async with program(floor, owner, token=reading) as bot:
        assert [order async for order in bot.orders()] == []
        with pytest.raises(refusals.KeyScopeMissing):
            await bot.balances()
        with pytest.raises(refusals.KeyScopeMissing):
            await bot.place(NewOrder(floor.spec.symbol, "BUY", "1", "90"))
    _, everything = await made(floor, owner)
    async with program(floor, owner, token=everything) as bot:
        with pytest.raises(refusals.Forbidden):
            await bot.withdraw("USDC", "1")
        with pytest.raises(refusals.Forbidden):
            await bot.create_api_key("another", ["trade"])
        with pytest.raises(refusals.Forbidden):
            [key async for key in bot.api_keys()]


async def test_a_key_that_has_ended_lets_nobody_in_and_is_not_renewed(floor: Floor) -> None:
    owner = await floor.investor("1000")
    told, text = await made(floor, owner)
    async with program(floor, owner) as client, program(floor, owner, token=text) as bot:
        await bot.me()
        await client.revoke_api_key(told.key.id)
        with pytest.raises(refusals.Unauthenticated):
            [entry async for entry in bot.deposits()]
        assert bot.session.token == text


async def test_what_lets_one_in_is_listed_and_ended_by_whoever_came_by_it(floor: Floor) -> None:
    owner = await floor.investor()
    async with program(floor, owner) as client, program(floor, token=owner.access_token) as lost:
        assert (await lost.me()).user_id == owner.user_id
        (theirs,) = [one async for one in client.sign_ins() if not one.is_this]
        assert (theirs.issuer, theirs.subject) == (None, None) and theirs.expires_at is not None
        await client.end_sign_in(theirs.id)
        assert theirs.id not in [one.id async for one in client.sign_ins()]
        with pytest.raises(refusals.Unauthenticated):
            [entry async for entry in lost.deposits()]
