"""Payments of approved withdrawals: what the chain says, or does not, and what becomes of the money."""

from collections.abc import Callable
from typing import Any

import pytest

from deedbook import custody
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.vault import VaultEventKind
from deedbook.custody import errands, jobs
from deedbook.custody.errands import WITHDRAW
from deedbook.custody.payouts import key_of
from deedbook.infra.failpoints import FailpointHit
from deedbook.kernel.jobs import Job
from tests.chain.support import armed
from tests.custody.support import CASH, DEED, DEPTH, House, somewhere
from tests.support.vault_logs import VAULT, told, vault_event

UNIT = 10**6


async def test_what_the_contract_undid_is_given_back(house: House) -> None:
    alice = await house.rich("10")
    house.node.reverts = lambda sent: "Restricted(2)" if sent.to == VAULT else None
    asked = await house.withdraw(alice, "4")
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await house.stands(asked) == "FAILED"
    assert await house.balance(alice) == (10 * UNIT, 0)
    [row] = await house.rows("SELECT reason FROM withdrawal_requests")
    assert "Restricted(2)" in row["reason"]
    await house.require_truths()


async def test_nothing_is_given_back_when_the_chain_does_not_answer(house: House) -> None:
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "4")
    await errands.run(house.db, house.desk, WITHDRAW, asked.withdrawal_id)
    assert await house.stands(asked) == "UNKNOWN"
    await errands.run(house.db, house.desk, WITHDRAW, asked.withdrawal_id)
    await make_old(house)
    await jobs.resolve_withdrawals(house.resources, job())
    assert (await house.stands(asked), await house.balance(alice)) == ("UNKNOWN", (6 * UNIT, 4 * UNIT))
    await house.lane.finish(key_of(asked.withdrawal_id))
    await make_old(house)
    await jobs.resolve_withdrawals(house.resources, job())
    assert await house.stands(asked) == "SUBMITTED"
    house.node.mine(DEPTH)
    await house.watch()
    assert (await house.stands(asked), await house.balance(alice)) == ("COMPLETED", (6 * UNIT, 0))
    assert await house.history(asked.withdrawal_id) == [
        "requested",
        "approved",
        "processing",
        "in_doubt",
        "submitted",
        "completed",
    ]
    await house.require_truths()


async def test_what_was_in_doubt_and_undone_is_given_back(house: House) -> None:
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "4")
    await errands.run(house.db, house.desk, WITHDRAW, asked.withdrawal_id)
    house.node.reverts = lambda sent: "Paused" if sent.to == VAULT else None
    await house.lane.finish(key_of(asked.withdrawal_id))
    await make_old(house)
    for _ in range(2):
        await jobs.resolve_withdrawals(house.resources, job())
    assert (await house.stands(asked), await house.balance(alice)) == ("FAILED", (10 * UNIT, 0))
    await house.require_truths()


async def test_the_event_completes_even_when_nobody_waited(house: House) -> None:
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "4")
    await errands.ask(house.db, house.desk, WITHDRAW, asked.withdrawal_id)
    await house.lane.finish(key_of(asked.withdrawal_id))
    house.node.mine(DEPTH)
    await house.watch()
    assert await house.stands(asked) == "COMPLETED"
    await errands.run(house.db, house.desk, WITHDRAW, asked.withdrawal_id)
    assert await house.stands(asked) == "COMPLETED"
    await house.require_truths()


async def test_an_approved_withdrawal_whose_job_was_lost_is_taken_up(house: House) -> None:
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "4")
    await make_old(house)
    await jobs.resolve_withdrawals(house.resources, job())
    assert await house.stands(asked) == "PROCESSING"


async def test_an_expired_signature_pays_nothing_out(house: House) -> None:
    alice = await house.rich("20000")
    quick, slow = await house.withdraw(alice, "4"), await house.withdraw(alice, "5000")
    await house.let_a_day_pass("withdrawal_requests", "expires_at")
    await house.carry_out(WITHDRAW, quick.withdrawal_id)
    for _ in range(2):
        async with house.db.transaction() as tx:
            await jobs.expire_withdrawals(tx, job())
    assert [await house.stands(each) for each in (quick, slow)] == ["FAILED", "FAILED"]
    assert await house.balance(alice) == (20000 * UNIT, 0)
    await house.require_truths()


PLACES = ["afterClaim", "beforeSign", "afterRequest", "afterFinal", "beforeCommit"]


@pytest.mark.parametrize("place", PLACES)
async def test_one_payment_when_the_worker_stops_anywhere(house: House, place: str) -> None:
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "4")
    with armed(f"withdraw.{place}=raise:1"), pytest.raises(FailpointHit):
        await house.carry_out(WITHDRAW, asked.withdrawal_id)
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert (await house.stands(asked), await house.balance(alice)) == ("COMPLETED", (6 * UNIT, 0))
    assert len(house.node.mined(house.lane.wallet)) == 1
    await house.require_truths()


TRICKS: dict[str, Callable[[House, custody.Withdrawal], dict[str, Any]]] = {
    "another amount": lambda house, asked: {"amount": asked.amount + 1},
    "another account": lambda house, asked: {"account": somewhere()},
    "another destination": lambda house, asked: {"counterparty": somewhere()},
    "another token": lambda house, asked: {"token": DEED},
}


@pytest.mark.parametrize("trick", TRICKS)
async def test_an_event_that_is_not_what_was_signed_completes_nothing(house: House, trick: str) -> None:
    alice = await house.rich("100")
    asked = await house.withdraw(alice, "4")
    await errands.ask(house.db, house.desk, WITHDRAW, asked.withdrawal_id)
    told_of = {
        "account": asked.account,
        "amount": asked.amount,
        "token": CASH,
        "counterparty": asked.destination,
        "reference": asked.withdrawal_id,
        **TRICKS[trick](house, asked),
    }
    await house.happen(told(vault_event(VaultEventKind.WITHDRAWN, **told_of)))
    assert await house.stands(asked) == "PROCESSING"
    [claim] = await house.rows("SELECT payload FROM events WHERE event_type = 'custody.claim_raised'")
    assert "no open withdrawal" in claim["payload"]["reason"]
    await house.require_truths()


async def test_withdrawals_wait_for_the_chain_and_not_for_the_database(house: House) -> None:
    """No transaction is open while we wait: a node that is away holds up nobody else."""
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "4")
    house.node.down = True
    await errands.run(house.db, house.desk, WITHDRAW, asked.withdrawal_id)
    with pytest.raises(ChainUnavailable):
        await house.lane.step()
    assert await house.stands(asked) == "UNKNOWN"


def job() -> Job:
    return Job("test-job", "test", {})


async def make_old(house: House) -> None:
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE withdrawal_requests SET updated_at = now() - interval '10 minutes'")
