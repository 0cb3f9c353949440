"""Deeds leave the vault to wallets of people who may hold them and come back: the same rules for both, here and on
the chain, and ledger and vault agree all the way."""

from typing import Any

import pytest

from deedbook.identity import WITHDRAWAL
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire.vault_deposits import own_deposit
from deedbook.kernel.amounts import to_units
from tests.journeys.test_frozen import deed_of, give_deeds, told
from tests.support.counter import Asked, Counter, Person, somewhere

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

DECIMALS = 18


def _withdrawal(counter: Counter, who: Person, amount: str, to: Address) -> dict[str, Any]:
    fields = {"trader": who.account, "amount": amount, "destination": to, "token": deed_of(counter)}
    return counter.signed(who, WITHDRAWAL, **fields)


async def _withdraw(counter: Counter, who: Person, amount: str, to: Address) -> Asked:
    return await counter.ask("withdrawals", "/withdrawals", who, _withdrawal(counter, who, amount, to))


async def test_deeds_leave_to_who_may_hold_them_and_come_back(counter: Counter) -> None:
    alice, bob = await counter.person(verified=True), await counter.person(verified=True)
    stranger, deed = await counter.person(), deed_of(counter)
    await give_deeds(counter, alice, "5")
    for person in (alice, bob):
        await counter.registered(person)
    for to in (stranger.account, somewhere()):
        assert await told(counter, alice, "/withdrawals", _withdrawal(counter, alice, "1", to)) == (403, "10")

    await counter.done_once(
        await _withdraw(counter, alice, "2", alice.account), await _withdraw(counter, alice, "1", bob.account)
    )
    await counter.has(alice, deed, "2")
    await counter.stack.prove()

    await counter.send(
        bob.wallet, *own_deposit(counter.domain.verifying_contract, deed, to_units("1", DECIMALS))
    )
    await counter.has(bob, deed, "1")
    await counter.stack.prove()
