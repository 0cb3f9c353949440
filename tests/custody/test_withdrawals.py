"""Withdrawals: asked for once, held, approved by those who must, paid out once, and given back only when the chain
has said no."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from deedbook import compliance, custody
from deedbook.compliance import KycStatus, RecordChange
from deedbook.compliance.errors import KycRequired, ReceiverFrozen
from deedbook.custody import Verdict
from deedbook.custody.errands import WITHDRAW
from deedbook.custody.errors import (
    AlreadyDecided,
    DestinationNotListed,
    DestinationRefused,
    WithdrawalChanged,
    WithdrawalLimitExceeded,
    WithdrawalMoved,
    WithdrawalNotFound,
)
from deedbook.identity import WITHDRAWAL, Role
from deedbook.identity.errors import DuplicateAction, FourEyes, NonceUsed
from deedbook.identity.terms import Address
from deedbook.kernel.errors import Refusal
from deedbook.kernel.ids import new_uuid
from deedbook.ledger.errors import InsufficientFunds
from tests.custody.support import CASH, DEED, House, Person, somewhere
from tests.support.vault_logs import VAULT

UNIT = 10**6


async def code_of(work: Coroutine[Any, Any, Any]) -> str:
    """`done`, or the code of the refusal."""
    try:
        await work
    except Refusal as refusal:
        return refusal.code
    return "done"


async def test_money_leaves_once_and_the_ledger_follows(house: House) -> None:
    alice, to = await house.rich("1000"), somewhere()
    asked = await house.withdraw(alice, "400.50", to=to)
    assert asked.status is custody.WithdrawalStatus.APPROVED
    assert await house.balance(alice) == (599_500_000, 400_500_000)
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await house.stands(asked) == "COMPLETED"
    assert await house.balance(alice) == (599_500_000, 0)
    assert await house.history(asked.withdrawal_id) == [
        "requested",
        "approved",
        "processing",
        "submitted",
        "completed",
    ]
    assert len(house.node.mined(house.lane.wallet)) == 1
    [approval] = await house.rows("SELECT approver, decision FROM withdrawal_approvals")
    assert approval == {"approver": "policy", "decision": "approved"}
    [job] = await house.rows("SELECT job_id, name FROM jobs WHERE queue = 'process-withdrawal'")
    assert job["job_id"] == f"process-withdrawal-{asked.withdrawal_id}"
    await house.require_truths()


# One balance, many hands


async def test_one_of_a_hundred_withdrawals_of_a_whole_balance_wins(house: House) -> None:
    alice = await house.rich("1000")
    checked = [
        await house.check(alice, WITHDRAWAL, amount="1000", destination=alice.account) for _ in range(100)
    ]
    turns = asyncio.Semaphore(8)

    async def ask(one: custody.Checked) -> None:
        async with turns, house.db.transaction() as tx:
            await custody.withdrawals.request(tx, alice.caller, one, house.policy)

    outcomes = await asyncio.gather(*(code_of(ask(one)) for one in checked))
    assert sorted(outcomes) == ["done"] + ["insufficient_funds"] * 99
    assert await house.balance(alice) == (0, 1000 * UNIT)
    await house.require_truths()


async def test_the_daily_limit_holds_when_many_ask_at_once(house: House) -> None:
    alice = await house.rich("100000")
    checked = [
        await house.check(alice, WITHDRAWAL, amount="20000", destination=alice.account) for _ in range(5)
    ]

    async def ask(one: custody.Checked) -> None:
        async with house.db.transaction() as tx:
            await custody.withdrawals.request(tx, alice.caller, one, house.policy)

    outcomes = await asyncio.gather(*(code_of(ask(one)) for one in checked))
    assert sorted(outcomes) == ["done"] * 2 + ["withdrawal_limit_exceeded"] * 3


async def test_what_was_refused_counts_no_more_and_yesterday_does_not_either(house: House) -> None:
    alice, officer = await house.rich("200000"), await house.person(Role.COMPLIANCE)
    first = await house.withdraw(alice, "50000")
    with pytest.raises(WithdrawalLimitExceeded):
        await house.withdraw(alice, "1")
    await house.decide(officer, first, Verdict.REJECTED)
    await _paid_out(house, alice, "50000")
    with pytest.raises(WithdrawalLimitExceeded):
        await house.withdraw(alice, "1")
    await _a_day_later(house, "updated_at")
    await house.withdraw(alice, "50000")


async def test_what_waits_for_long_counts_until_it_has_left(house: House) -> None:
    alice = await house.rich("200000")
    asked = await house.withdraw(alice, "50000")
    await _a_day_later(house)
    with pytest.raises(WithdrawalLimitExceeded):
        await house.withdraw(alice, "1")
    await _approved_by_two(house, asked)
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    with pytest.raises(WithdrawalLimitExceeded):
        await house.withdraw(alice, "1")


async def _paid_out(house: House, person: Person, amount: str) -> None:
    asked = await house.withdraw(person, amount)
    await _approved_by_two(house, asked)
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await house.stands(asked) == "COMPLETED"


async def _approved_by_two(house: House, asked: custody.Withdrawal) -> None:
    for _ in range(2):
        await house.decide(await house.person(Role.COMPLIANCE), asked, Verdict.APPROVED)


async def _a_day_later(house: House, *columns: str) -> None:
    async with house.db.transaction() as tx:
        for column in ("created_at", *columns):
            await tx.execute(f"UPDATE withdrawal_requests SET {column} = now() - interval '25 hours'")


async def test_a_signed_withdrawal_is_taken_once(house: House) -> None:
    alice = await house.rich("1000")
    checked = await house.check(alice, WITHDRAWAL, amount="1", destination=alice.account, nonce="a")
    other = await house.check(alice, WITHDRAWAL, amount="2", destination=alice.account, nonce="a")

    async def ask(one: custody.Checked) -> custody.Withdrawal:
        async with house.db.transaction() as tx:
            return await custody.withdrawals.request(tx, alice.caller, one, house.policy)

    first = await ask(checked)
    with pytest.raises(DuplicateAction) as again:
        await ask(checked)
    assert again.value.extra == {"firstId": str(first.withdrawal_id)}
    with pytest.raises(NonceUsed):
        await ask(other)


async def test_a_refusal_uses_nothing_up(house: House) -> None:
    alice = await house.rich("10")
    checked = await house.check(alice, WITHDRAWAL, amount="11", destination=alice.account)
    with pytest.raises(InsufficientFunds):
        async with house.db.transaction() as tx:
            await custody.withdrawals.request(tx, alice.caller, checked, house.policy)
    assert await house.rows("SELECT 1 FROM signed_actions") == []
    assert await house.rows("SELECT 1 FROM withdrawal_requests") == []


# Where to


@pytest.mark.parametrize(
    "destination",
    [Address("0x" + "00" * 20), *(Address(f"0x{number:040x}") for number in (1, 9, 10, 0x103)), VAULT, CASH],
)
async def test_nothing_leaves_to_where_nobody_is(house: House, destination: Address) -> None:
    alice = await house.rich("10")
    with pytest.raises(DestinationRefused):
        await house.withdraw(alice, "1", to=destination)


async def test_nothing_leaves_to_another_token_that_the_vault_keeps(house: House) -> None:
    alice = await house.rich("10")
    with pytest.raises(DestinationRefused):
        await house.withdraw(alice, "1", to=DEED)


async def test_an_issued_token_leaves_to_whom_compliance_lets_have_it(house: House) -> None:
    alice, bob = await house.rich("10", token=house.deed), await house.person()
    blocked = await house.person(verified=False)
    with pytest.raises(KycRequired):
        await house.withdraw(alice, "1", to=blocked.account, token=DEED)
    with pytest.raises(KycRequired):
        await house.withdraw(alice, "1", to=somewhere(), token=DEED)
    await house.withdraw(alice, "1", token=DEED)
    asked = await house.withdraw(alice, "1", to=bob.account, token=DEED)
    await house.compliance.set_record(bob.user_id, RecordChange(whitelisted=False))
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await house.stands(asked) == "FAILED"
    assert house.node.mined(house.lane.wallet) == []


async def test_what_is_no_issued_token_leaves_to_nobody_who_is_frozen(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person(verified=False)
    await house.withdraw(alice, "1", to=bob.account)
    officer = await house.person(Role.COMPLIANCE)
    async with house.db.transaction() as tx:
        await compliance.freeze(tx, officer.caller.actor, bob.user_id, "why")
    with pytest.raises(ReceiverFrozen):
        await house.withdraw(alice, "1", to=bob.account)


async def test_a_list_of_addresses_opens_late_and_closes_at_once(house: House) -> None:
    alice, listed, delay_s = await house.rich("1000"), somewhere(), house.policy.address_delay_s
    async with house.db.transaction() as tx:
        await custody.destinations.restrict(tx, alice.caller, True, delay_s)
        first = await custody.destinations.add(tx, alice.caller, listed, "cold", delay_s)
        assert await custody.destinations.add(tx, alice.caller, listed, "again", 2 * delay_s) == first
    for to in (listed, somewhere()):
        with pytest.raises(DestinationNotListed):
            await house.withdraw(alice, "1", to=to)
    await house.let_a_day_pass("withdrawal_addresses", "usable_from")
    await house.withdraw(alice, "1", to=listed)

    async with house.db.transaction() as tx:
        later = await custody.destinations.restrict(tx, alice.caller, False, delay_s)
    assert later.allow_list_only and later.open_from is not None
    with pytest.raises(DestinationNotListed):
        await house.withdraw(alice, "1", to=somewhere())
    await house.let_a_day_pass("withdrawal_settings", "open_from")
    await house.withdraw(alice, "1", to=somewhere())

    async with house.db.transaction() as tx:
        await custody.destinations.restrict(tx, alice.caller, True, delay_s)
        await custody.destinations.remove(tx, alice.caller, listed)
    with pytest.raises(DestinationNotListed):
        await house.withdraw(alice, "1", to=listed)
    assert await house.history(alice.user_id) >= ["address_added", "allow_list_changed"]
    await house.require_truths()


async def test_nothing_leaves_to_an_address_that_was_closed_before_it_left(house: House) -> None:
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "1", to=somewhere())
    async with house.db.transaction() as tx:
        await custody.destinations.restrict(tx, alice.caller, True, 3600)
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert (await house.stands(asked), await house.balance(alice)) == ("FAILED", (10 * UNIT, 0))


# Who approves


@pytest.mark.parametrize(
    ("amount", "people"), [("1000", 0), ("1000.000001", 1), ("10000", 1), ("10000.01", 2)]
)
async def test_limits_say_how_many_people_approve(house: House, amount: str, people: int) -> None:
    alice = await house.rich("20000")
    assert (await house.withdraw(alice, amount)).approvals_needed == people


async def test_people_approve_what_the_day_comes_to_when_it_is_asked_for_in_parts(house: House) -> None:
    alice = await house.rich("20000")
    needed = [(await house.withdraw(alice, part)).approvals_needed for part in ("600", "400", "1", "9000")]
    assert needed == [0, 0, 1, 2]


async def test_limit_zero_always_needs_a_person(house: House) -> None:
    alice, admin = await house.rich("20"), await house.person(Role.ADMIN)
    async with house.db.transaction() as tx:
        token, limits = await custody.limits.change(
            tx, admin.caller, house.cash.token_id, ("0", "10", "15"), house.policy
        )
    assert custody.limits.as_text(token, limits) == {
        "automaticUpTo": "0",
        "fourEyesAbove": "10",
        "dailyLimit": "15",
    }
    assert (await house.withdraw(alice, "0.000001")).approvals_needed == 1
    assert (await house.withdraw(alice, "11")).approvals_needed == 2
    with pytest.raises(WithdrawalLimitExceeded):
        await house.withdraw(alice, "5")


async def test_two_different_people_approve_what_is_large(house: House) -> None:
    alice = await house.rich("20000")
    first, second = await house.person(Role.COMPLIANCE), await house.person(Role.ADMIN)
    asked = await house.withdraw(alice, "15000")
    assert asked.status is custody.WithdrawalStatus.PENDING_APPROVAL
    once = await house.decide(first, asked, Verdict.APPROVED, seen=1)
    assert (once.status, once.version) == (custody.WithdrawalStatus.PENDING_APPROVAL, 2)
    with pytest.raises(AlreadyDecided):
        await house.decide(first, asked, Verdict.APPROVED)
    with pytest.raises(WithdrawalChanged):
        await house.decide(second, asked, Verdict.APPROVED, seen=1)
    twice = await house.decide(second, asked, Verdict.APPROVED, seen=2)
    assert twice.status is custody.WithdrawalStatus.APPROVED
    with pytest.raises(WithdrawalMoved):
        await house.decide(await house.person(Role.ADMIN), asked, Verdict.REJECTED)
    assert await house.history(asked.withdrawal_id) == ["requested", "approval_given", "approved"]
    await house.require_truths()


async def test_nobody_decides_on_their_own(house: House) -> None:
    alice = await house.rich("20000")
    asked = await house.withdraw(alice, "5000")
    with pytest.raises(FourEyes):
        await house.decide(alice, asked, Verdict.APPROVED)


async def test_nobody_decides_on_what_comes_to_themselves(house: House) -> None:
    alice, officer = await house.rich("5000"), await house.person(Role.COMPLIANCE)
    asked = await house.withdraw(alice, "5000", to=officer.account)
    for verdict in Verdict:
        with pytest.raises(FourEyes):
            await house.decide(officer, asked, verdict)


async def test_a_rejection_gives_the_money_back(house: House) -> None:
    alice, officer = await house.rich("20000"), await house.person(Role.COMPLIANCE)
    asked = await house.withdraw(alice, "15000")
    rejected = await house.decide(officer, asked, Verdict.REJECTED)
    assert (rejected.status, rejected.reason) == (custody.WithdrawalStatus.REJECTED, "looked at it")
    assert await house.balance(alice) == (20000 * UNIT, 0)
    await house.require_truths()


async def test_the_owner_alone_takes_it_back_and_only_before_it_is_approved(house: House) -> None:
    alice, bob = await house.rich("20000"), await house.person()
    quick, asked = await house.withdraw(alice, "10"), await house.withdraw(alice, "5000")

    async def cancel(person: Person, withdrawal: custody.Withdrawal, seen: int | None = None) -> None:
        async with house.db.transaction() as tx:
            await custody.withdrawals.cancel(tx, person.caller, withdrawal.withdrawal_id, seen)

    assert await code_of(cancel(bob, asked)) == "withdrawal_not_found"
    assert await code_of(cancel(alice, asked, 7)) == "withdrawal_changed"
    assert await code_of(cancel(alice, quick)) == "withdrawal_moved"
    assert await code_of(cancel(alice, asked)) == "done"
    assert await code_of(cancel(alice, asked)) == "withdrawal_moved"
    assert await house.balance(alice) == (19990 * UNIT, 10 * UNIT)
    with pytest.raises(WithdrawalNotFound):
        async with house.db.transaction() as tx:
            await custody.withdrawals.cancel(tx, alice.caller, custody.WithdrawalId(new_uuid()), None)


async def test_one_wins_when_approval_rejection_and_cancel_race(house: House) -> None:
    """A-18."""
    alice, officer, other = await house.rich("20000"), await house.person(), await house.person()
    asked = await house.withdraw(alice, "5000")

    async def cancel() -> None:
        async with house.db.transaction() as tx:
            await custody.withdrawals.cancel(tx, alice.caller, asked.withdrawal_id, None)

    outcomes = await asyncio.gather(
        code_of(house.decide(officer, asked, Verdict.APPROVED)),
        code_of(house.decide(other, asked, Verdict.REJECTED)),
        code_of(cancel()),
    )
    assert sorted(outcomes) == ["done", "withdrawal_moved", "withdrawal_moved"]
    await house.require_truths()


# Compliance, at both times


async def test_compliance_is_asked_when_it_is_admitted(house: House) -> None:
    alice = await house.rich("10", token=house.deed)
    await house.compliance.set_record(alice.user_id, RecordChange(kyc_status=KycStatus.REJECTED))
    with pytest.raises(compliance.errors.KycRequired) as refusal:
        await house.withdraw(alice, "1", token=DEED)
    assert refusal.value.extra == {"reason": "10"}


async def test_compliance_is_asked_again_when_it_is_carried_out(house: House) -> None:
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "4")
    await house.compliance.freeze(alice.user_id)
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await house.stands(asked) == "FAILED"
    assert await house.balance(alice) == (10 * UNIT, 0)
    assert house.node.mined(house.lane.wallet) == []
    [row] = await house.rows("SELECT reason FROM withdrawal_requests")
    assert row["reason"].startswith("sender_frozen")
    await house.require_truths()
