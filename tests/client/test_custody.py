"""A program that moves money: what it signs is what the platform takes."""

from decimal import Decimal

import pytest

from deedbook.client import refusals
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
