"""Transfers between accounts: both are judged, twice; the vault moves it once, and the ledger follows."""

import pytest

from deedbook import compliance, custody
from deedbook.chain.vault import VaultEventKind
from deedbook.compliance import KycStatus, RecordChange
from deedbook.custody import errands, jobs
from deedbook.custody.errands import TRANSFER
from deedbook.custody.errors import DestinationNotListed, ReceiverUnknown, SameAccount
from deedbook.custody.transfers import key_of
from deedbook.identity import TRANSFER as TRANSFER_STRUCT
from deedbook.identity.errors import DuplicateAction
from deedbook.infra.failpoints import FailpointHit
from deedbook.kernel.jobs import Job
from deedbook.ledger.errors import InsufficientFunds
from tests.chain.support import armed
from tests.custody.support import DEED, DEPTH, House, somewhere
from tests.support.vault_logs import VAULT, told, vault_event

UNIT = 10**6
ETHER = 10**18


async def is_at(house: House, transfer: custody.Transfer) -> str:
    return await house.status("transfers", transfer.transfer_id)


async def test_a_transfer_moves_once_and_the_ledger_follows(house: House) -> None:
    alice, bob = await house.rich("10", token=house.deed), await house.person()
    asked = await house.transfer(alice, bob, "4", token=DEED)
    assert await house.balance(alice, house.deed) == (6 * ETHER, 4 * ETHER)
    for _ in range(2):
        await house.carry_out(TRANSFER, asked.transfer_id)
    assert await is_at(house, asked) == "COMPLETED"
    assert await house.balance(alice, house.deed) == (6 * ETHER, 0)
    assert await house.balance(bob, house.deed) == (4 * ETHER, 0)
    assert await house.history(asked.transfer_id) == ["requested", "submitted", "completed"]
    assert len(house.node.mined(house.lane.wallet)) == 1
    await house.require_truths()


async def test_a_transfer_goes_to_somebody_else_who_is_known(house: House) -> None:
    alice = await house.rich("10")
    with pytest.raises(SameAccount):
        await house.transfer(alice, alice, "1")
    stranger = await house.person()
    checked = await house.check(alice, TRANSFER_STRUCT, amount="1", to=somewhere())
    with pytest.raises(ReceiverUnknown):
        async with house.db.transaction() as tx:
            await custody.transfers.request(tx, alice.caller, checked)
    with pytest.raises(InsufficientFunds):
        await house.transfer(alice, stranger, "11")
    assert await house.rows("SELECT 1 FROM signed_actions") == []


async def test_a_signed_transfer_is_taken_once(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person()
    checked = await house.check(alice, TRANSFER_STRUCT, amount="1", to=bob.account)
    async with house.db.transaction() as tx:
        await custody.transfers.request(tx, alice.caller, checked)
    with pytest.raises(DuplicateAction):
        async with house.db.transaction() as tx:
            await custody.transfers.request(tx, alice.caller, checked)


async def test_a_transfer_goes_to_no_account_off_the_list_when_its_owner_has_one(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person()
    async with house.db.transaction() as tx:
        await custody.destinations.restrict(tx, alice.caller, True, 3600)
    with pytest.raises(DestinationNotListed):
        await house.transfer(alice, bob, "1")
    async with house.db.transaction() as tx:
        await custody.destinations.add(tx, alice.caller, bob.account, "Bob", 0)
    await house.transfer(alice, bob, "1")


async def test_both_are_judged_when_it_is_admitted(house: House) -> None:
    alice, bob = await house.rich("10", token=house.deed), await house.person(verified=False)
    with pytest.raises(compliance.errors.KycRequired):
        await house.transfer(alice, bob, "1", token=DEED)
    await house.compliance.freeze(bob.user_id)
    with pytest.raises(compliance.errors.ReceiverFrozen) as refusal:
        await house.transfer(alice, bob, "1", token=DEED)
    assert refusal.value.extra == {"reason": "3"}


async def test_both_are_judged_again_when_it_is_carried_out(house: House) -> None:
    alice, bob = await house.rich("10", token=house.deed), await house.person()
    asked = await house.transfer(alice, bob, "4", token=DEED)
    await house.compliance.set_record(bob.user_id, RecordChange(kyc_status=KycStatus.REJECTED))
    await house.carry_out(TRANSFER, asked.transfer_id)
    assert await is_at(house, asked) == "FAILED"
    assert await house.balance(alice, house.deed) == (10 * ETHER, 0)
    assert house.node.mined(house.lane.wallet) == []
    await house.require_truths()


async def test_what_the_contract_undid_is_given_back(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person()
    house.node.reverts = lambda sent: "Restricted(3)" if sent.to == VAULT else None
    asked = await house.transfer(alice, bob, "4")
    await house.carry_out(TRANSFER, asked.transfer_id)
    assert (await is_at(house, asked), await house.balance(alice)) == ("FAILED", (10 * UNIT, 0))
    await house.require_truths()


async def test_nothing_is_given_back_when_the_chain_does_not_answer(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person()
    asked = await house.transfer(alice, bob, "4")
    await errands.run(house.db, house.desk, TRANSFER, asked.transfer_id)
    assert (await is_at(house, asked), await house.balance(alice)) == ("UNKNOWN", (6 * UNIT, 4 * UNIT))
    await house.lane.finish(key_of(asked.transfer_id))
    await make_old(house)
    for _ in range(2):
        await jobs.resolve_transfers(house.resources, job())
    assert await is_at(house, asked) == "SUBMITTED"
    house.node.mine(DEPTH)
    await house.watch()
    assert (await is_at(house, asked), await house.balance(bob)) == ("COMPLETED", (4 * UNIT, 0))
    await house.require_truths()


async def test_a_transfer_whose_job_was_lost_is_taken_up(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person()
    asked = await house.transfer(alice, bob, "4")
    await make_old(house)
    for _ in range(2):
        await jobs.resolve_transfers(house.resources, job())
    await house.lane.finish(key_of(asked.transfer_id))
    await make_old(house)
    await jobs.resolve_transfers(house.resources, job())
    assert await is_at(house, asked) == "SUBMITTED"


async def test_an_expired_signature_moves_nothing(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person()
    asked = await house.transfer(alice, bob, "4")
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE transfers SET expires_at = now() - interval '1 minute'")
    await house.carry_out(TRANSFER, asked.transfer_id)
    assert (await is_at(house, asked), await house.balance(alice)) == ("FAILED", (10 * UNIT, 0))


@pytest.mark.parametrize("place", ["afterClaim", "beforeSign", "afterRequest", "afterFinal", "beforeCommit"])
async def test_one_move_when_the_worker_stops_anywhere(house: House, place: str) -> None:
    alice, bob = await house.rich("10"), await house.person()
    asked = await house.transfer(alice, bob, "4")
    with armed(f"transfer.{place}=raise:1"), pytest.raises(FailpointHit):
        await house.carry_out(TRANSFER, asked.transfer_id)
    await house.carry_out(TRANSFER, asked.transfer_id)
    assert (await is_at(house, asked), await house.balance(bob)) == ("COMPLETED", (4 * UNIT, 0))
    assert len(house.node.mined(house.lane.wallet)) == 1
    await house.require_truths()


async def test_an_event_to_somebody_else_completes_nothing(house: House) -> None:
    alice, bob, eve = await house.rich("10"), await house.person(), await house.person()
    asked = await house.transfer(alice, bob, "4")
    await errands.ask(house.db, house.desk, TRANSFER, asked.transfer_id)
    kind, amount = VaultEventKind.TRANSFERRED, 4 * UNIT
    forged = vault_event(
        kind,
        alice.account,
        amount,
        token=house.at(house.cash),
        counterparty=eve.account,
        reference=asked.transfer_id,
    )
    await house.happen(told(forged))
    assert await is_at(house, asked) == "PENDING"
    assert await house.balance(eve) == (4 * UNIT, 0)
    assert await house.rows("SELECT 1 FROM events WHERE event_type = 'custody.claim_raised'") != []
    await house.require_truths()


def job() -> Job:
    return Job("test-job", "test", {})


async def make_old(house: House) -> None:
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE transfers SET updated_at = now() - interval '10 minutes'")
