"""Deposits that were announced: matched with what arrives, relayed once, ended when nobody can bring them."""

from dataclasses import replace

import pytest

from deedbook import compliance, custody
from deedbook.custody import errands, jobs
from deedbook.custody.deposits import key_of
from deedbook.custody.errands import RELAY
from deedbook.custody.errors import TokenNotKept
from deedbook.identity import DEPOSIT
from deedbook.identity.errors import DuplicateAction
from deedbook.infra.failpoints import FailpointHit
from deedbook.kernel.jobs import Job
from tests.chain.support import armed
from tests.custody.support import CASH, DEED, DEPTH, House, somewhere
from tests.support.fake_chain import Sent
from tests.support.vault_logs import VAULT, deposited

UNIT = 10**6


async def is_at(house: House, deposit: custody.Deposit) -> str:
    return await house.status("deposits", deposit.deposit_id)


async def test_the_announced_deposit_of_this_amount_that_waits_longest_is_credited(house: House) -> None:
    alice, bob = await house.person(), await house.person()
    others, first = await house.announce(bob, "5"), await house.announce(alice, "5")
    second, larger = await house.announce(alice, "5"), await house.announce(alice, "6")
    await house.happen(deposited(alice.account, 5 * UNIT, token=CASH))
    assert [await is_at(house, each) for each in (first, second, larger, others)] == [
        "CREDITED",
        "REQUESTED",
        "REQUESTED",
        "REQUESTED",
    ]
    await house.happen(deposited(alice.account, 5 * UNIT, token=CASH))
    await house.happen(deposited(alice.account, 5 * UNIT, token=CASH))
    assert await is_at(house, second) == "CREDITED"
    assert len(await house.rows("SELECT 1 FROM deposits WHERE user_id = $1", alice.user_id)) == 4
    assert await house.balance(alice) == (15 * UNIT, 0)
    assert await house.history(first.deposit_id) == ["requested", "credited"]
    await house.require_truths()


async def test_a_relayed_deposit_is_brought_and_credited_once(house: House) -> None:
    alice = await house.person()
    plain, relayed = await house.announce(alice, "5"), await house.announce(alice, "5", relay=True)
    for _ in range(2):
        await house.carry_out(RELAY, relayed.deposit_id)
    assert [await is_at(house, each) for each in (plain, relayed)] == ["REQUESTED", "CREDITED"]
    assert await house.balance(alice) == (5 * UNIT, 0)
    assert await house.history(relayed.deposit_id) == ["requested", "submitted", "credited"]
    assert len(house.node.mined(house.lane.wallet)) == 1
    await house.require_truths()


async def test_a_relayed_deposit_that_the_contract_undid_has_failed(house: House) -> None:
    alice = await house.person()
    house.node.reverts = lambda sent: "InsufficientAllowance" if sent.to == VAULT and sent.sender else None
    relayed = await house.announce(alice, "5", relay=True)
    await house.carry_out(RELAY, relayed.deposit_id)
    assert (await is_at(house, relayed), await house.balance(alice)) == ("FAILED", (0, 0))
    [row] = await house.rows("SELECT error FROM deposits")
    assert "InsufficientAllowance" in row["error"]


async def test_a_relayed_deposit_that_the_contract_would_undo_costs_nothing(house: House) -> None:
    alice = await house.person()
    house.node.reverts = lambda sent: "InsufficientAllowance" if sent.to == VAULT else None
    relayed = await house.announce(alice, "5", relay=True)
    for _ in range(2):
        await errands.run(house.db, house.desk, RELAY, relayed.deposit_id)
    assert await is_at(house, relayed) == "FAILED"
    assert await house.rows("SELECT 1 FROM chain_transactions") == []
    assert await house.history(relayed.deposit_id) == ["requested", "failed"]


async def test_a_relayed_deposit_waits_a_little_for_an_approval_on_its_way(house: House) -> None:
    alice = await house.person()
    asked = 0

    def later(sent: Sent) -> str | None:
        nonlocal asked
        asked += sent.to == VAULT and not sent.sender
        return "InsufficientAllowance" if asked == 1 else None

    house.node.reverts = later
    relayed = await house.announce(alice, "5", relay=True)
    patient = replace(house.desk, patience_s=5.0)
    await errands.run(house.db, patient, RELAY, relayed.deposit_id)
    assert (asked, await is_at(house, relayed)) == (2, "REQUESTED")
    assert len(await house.rows("SELECT 1 FROM chain_transactions")) == 1


async def test_a_relayed_deposit_is_looked_after_when_the_chain_was_silent(house: House) -> None:
    alice = await house.person()
    relayed = await house.announce(alice, "5", relay=True)
    await errands.run(house.db, house.desk, RELAY, relayed.deposit_id)
    assert await is_at(house, relayed) == "REQUESTED"
    await house.lane.finish(key_of(relayed.deposit_id))
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE deposits SET updated_at = now() - interval '10 minutes'")
    for _ in range(2):
        await jobs.resolve_deposits(house.resources, job())
    assert await is_at(house, relayed) == "SUBMITTED"
    house.node.mine(DEPTH)
    await house.watch()
    assert await is_at(house, relayed) == "CREDITED"
    await house.require_truths()


async def test_a_relayed_deposit_that_is_looked_after_costs_nothing_when_it_would_be_undone(
    house: House,
) -> None:
    alice = await house.person()
    house.node.reverts = lambda sent: "InsufficientAllowance" if sent.to == VAULT else None
    relayed = await house.announce(alice, "5", relay=True)
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE deposits SET updated_at = now() - interval '10 minutes'")
    for _ in range(2):
        await jobs.resolve_deposits(house.resources, job())
    assert await is_at(house, relayed) == "FAILED"
    assert await house.rows("SELECT 1 FROM chain_transactions") == []


@pytest.mark.parametrize("place", ["afterClaim", "beforeSign", "afterRequest", "afterFinal", "beforeCommit"])
async def test_one_deposit_when_the_worker_stops_anywhere(house: House, place: str) -> None:
    alice = await house.person()
    relayed = await house.announce(alice, "5", relay=True)
    with armed(f"relay.{place}=raise:1"), pytest.raises(FailpointHit):
        await house.carry_out(RELAY, relayed.deposit_id)
    await house.carry_out(RELAY, relayed.deposit_id)
    assert (await is_at(house, relayed), await house.balance(alice)) == ("CREDITED", (5 * UNIT, 0))
    await house.require_truths()


async def test_what_was_announced_ends_and_what_arrives_later_is_credited_all_the_same(house: House) -> None:
    alice = await house.person()
    plain, relayed = await house.announce(alice, "5"), await house.announce(alice, "6", relay=True)
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE deposits SET expires_at = now() - interval '1 minute'")
    for _ in range(2):
        async with house.db.transaction() as tx:
            await jobs.expire_deposits(tx, job())
    assert [await is_at(house, each) for each in (plain, relayed)] == ["EXPIRED", "REQUESTED"]
    await house.carry_out(RELAY, relayed.deposit_id)
    assert await is_at(house, relayed) == "FAILED"
    assert house.node.mined(house.lane.wallet) == []
    await house.happen(deposited(alice.account, 5 * UNIT, token=CASH))
    assert (await is_at(house, plain), await house.balance(alice)) == ("EXPIRED", (5 * UNIT, 0))
    await house.require_truths()


async def test_a_deposit_of_a_token_that_keeps_a_fee_is_credited_with_what_arrived(house: House) -> None:
    """A-40: the request is found by its digest, and the amount is the vault's."""
    alice = await house.person()
    relayed = await house.announce(alice, "5", relay=True)
    house.words.keeps = 10
    await house.carry_out(RELAY, relayed.deposit_id)
    [row] = await house.rows("SELECT status, credited FROM deposits")
    assert (row["status"], int(row["credited"])) == ("CREDITED", 5 * UNIT - 10)
    assert await house.balance(alice) == (5 * UNIT - 10, 0)
    await house.require_truths()


async def test_compliance_is_asked_before_a_deposit_is_announced(house: House) -> None:
    stranger = await house.person(verified=False)
    with pytest.raises(compliance.errors.KycRequired):
        await house.announce(stranger, "5", token=DEED)
    assert await house.rows("SELECT 1 FROM signed_actions") == []


async def test_a_token_that_the_vault_does_not_keep_is_refused(house: House) -> None:
    alice = await house.person()
    with pytest.raises(TokenNotKept):
        await house.announce(alice, "5", token=somewhere())
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE tokens SET status = 'listing' WHERE token_id = $1", house.deed.token_id)
    with pytest.raises(TokenNotKept):
        await house.announce(alice, "5", token=DEED)


async def test_a_signed_deposit_is_announced_once(house: House) -> None:
    alice = await house.person()
    checked = await house.check(alice, DEPOSIT, amount="5")
    async with house.db.transaction() as tx:
        await custody.deposits.request(tx, alice.caller, checked, relay=False, permit=None)
    with pytest.raises(DuplicateAction):
        async with house.db.transaction() as tx:
            await custody.deposits.request(tx, alice.caller, checked, relay=False, permit=None)


def job() -> Job:
    return Job("test-job", "test", {})
