"""A program that moves money: what it signs is what the platform takes."""

from decimal import Decimal

import pytest

from deedbook.client import refusals
from deedbook.identity import Role
from tests.client.support import program
from tests.support.floor import Floor


async def test_money_is_announced_withdrawn_and_handed_over_when_its_owner_signs(floor: Floor) -> None:
    owner, friend = await floor.investor("20000"), await floor.investor()
    async with program(floor, owner) as client:
        deposit = await client.deposit("USDC", "12.50")
        assert (deposit.amount, deposit.status, deposit.credited) == (Decimal("12.5"), "REQUESTED", None)
        assert deposit.send, "one's own wallet brings it"
        assert [entry.id for entry in [entry async for entry in client.deposits()]] == [deposit.id]

        withdrawal = await client.withdraw("USDC", 15000)
        assert withdrawal.status == "PENDING_APPROVAL" and withdrawal.destination == owner.wallet.address
        assert (await client.withdrawal(withdrawal.id)).amount == 15000
        taken_back = await client.cancel_withdrawal(withdrawal.id)
        assert taken_back.status != "PENDING_APPROVAL"

        transfer = await client.transfer("USDC", "7", friend.wallet.address)
        assert (transfer.to_user_id, transfer.amount) == (friend.user_id, Decimal(7))
        kinds = {line.kind async for line in client.ledger()}
        assert "deposit" in kinds


async def test_the_same_key_moves_money_once(floor: Floor) -> None:
    owner = await floor.investor("100")
    async with program(floor, owner) as client:
        now = client.session.clock()
        client.session.clock, client.session.new_nonce = (lambda: now), (lambda: "same")
        first = await client.withdraw("USDC", "1", key="pay-once")
        assert await client.withdraw("USDC", "1", key="pay-once") == first
        with pytest.raises(refusals.IdempotencyKeyReused):
            await client.withdraw("USDC", "2", key="pay-once")


async def test_money_goes_to_listed_addresses_alone_when_its_owner_says_so(floor: Floor) -> None:
    owner, friend = await floor.investor("100"), await floor.investor()
    async with program(floor, owner) as client:
        listed = await client.add_destination(friend.wallet.address, "a friend")
        assert (listed.address, listed.label) == (friend.wallet.address, "a friend")
        restricted = await client.restrict_withdrawals(True)
        assert restricted.allow_list_only and restricted.addresses == (listed,)
        assert await client.destinations() == restricted
        with pytest.raises(refusals.DestinationNotListed):
            await client.withdraw("USDC", "1")
        await client.remove_destination(friend.wallet.address)
        with pytest.raises(refusals.AddressNotListed):
            await client.remove_destination(friend.wallet.address)
        assert (await client.destinations()).addresses == ()
        assert (await client.restrict_withdrawals(False)).open_from is not None


async def test_a_tokens_limits_are_what_an_admin_says(floor: Floor) -> None:
    admin, investor = await floor.world.user(Role.ADMIN), await floor.world.user()
    token = floor.till.deed.symbol
    async with program(floor, admin) as desk, program(floor, investor) as client:
        told = await desk.set_withdrawal_limits(
            token, automatic_up_to=0, four_eyes_above="2.5", daily_limit=Decimal(10)
        )
        assert (told.automatic_up_to, told.four_eyes_above, told.daily_limit) == (
            Decimal(0),
            Decimal("2.5"),
            Decimal(10),
        )
        assert await desk.withdrawal_limits(token) == told
        with pytest.raises(refusals.Forbidden):
            await client.withdrawal_limits(token)
