"""The jobs around the watcher, each run twice, and contract wallets, which speak for themselves."""

import time

import pytest

from deedbook import custody
from deedbook.custody import jobs, watching
from deedbook.custody.errands import WITHDRAW
from deedbook.custody.ports import Gate
from deedbook.custody.terms import RESCAN_VAULT
from deedbook.identity import WITHDRAWAL
from deedbook.identity.errors import SignatureRefused
from deedbook.identity.terms import Address
from deedbook.kernel.errors import Invalid
from deedbook.kernel.jobs import Job
from tests.custody.support import CASH, DEPTH, House
from tests.support.fake_chain import CHAIN_ID
from tests.support.vault_logs import deposited

UNIT = 10**6


async def test_the_schedule_watches_when_no_loop_does(house: House) -> None:
    person = await house.person()
    house.node.tell(deposited(person.account, 5, token=CASH))
    house.node.mine(DEPTH + 250)
    for _ in range(2):
        await jobs.sync_vault(house.resources, Job("sync-vault", "sync-vault", {}))
    assert await house.balance(person) == (5, 0)
    await house.require_truths()


async def test_what_a_node_left_out_is_credited_once_when_an_operator_asks(house: House) -> None:
    person = await house.person()
    house.node.tell(deposited(person.account, 5, token=CASH))
    house.node.change_logs = lambda logs: []
    house.node.mine(3 * DEPTH)
    await house.watch()
    house.node.heal()
    await house.watch()
    assert await house.balance(person) == (0, 0)
    async with house.db.transaction() as tx:
        job_id = watching.request_rescan(tx, person.caller, 0, 5)
    [row] = await house.rows("SELECT name, data FROM jobs WHERE job_id = $1", job_id)
    assert row["name"] == RESCAN_VAULT.name
    for _ in range(2):
        await jobs.rescan_vault(house.resources, Job(job_id, row["name"], row["data"]))
    assert await house.balance(person) == (5, 0)
    await house.require_truths()


@pytest.mark.parametrize(("first", "last"), [(5, 4), (0, 100_000)])
async def test_a_range_without_blocks_or_with_too_many_is_refused(
    house: House, first: int, last: int
) -> None:
    person = await house.person()
    with pytest.raises(Invalid):
        async with house.db.transaction() as tx:
            watching.request_rescan(tx, person.caller, first, last)


async def test_a_job_that_names_nothing_stops_at_once(house: House) -> None:
    for handler in (jobs.process_withdrawal, jobs.process_transfer, jobs.relay_deposit):
        with pytest.raises(jobs.JobNamesNothing):
            await handler(house.resources, Job("x", "x", {"withdrawalId": "no id"}))


class Wallets:
    """Implements `ContractWallets`: one account is a contract, which takes one signature."""

    def __init__(self, account: Address, signature: bytes) -> None:
        self._account, self._signature = account, signature

    async def is_contract(self, account: Address) -> bool:
        return account == self._account

    async def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        return account == self._account and signature == self._signature


async def test_a_contract_wallet_withdraws_with_what_it_calls_its_signature(house: House) -> None:
    person = await house.rich("10")
    signature = b"\7" * 200
    gate = Gate(CHAIN_ID, Wallets(person.account, signature))
    values = {
        "trader": person.account,
        "token": CASH,
        "amount": "4",
        "destination": person.account,
        "nonce": "w-1",
        "expiry": int(time.time()) + 600,
    }

    async def check(told: bytes) -> custody.Checked:
        text = "0x" + told.hex()
        return await custody.check(house.db, gate, WITHDRAWAL, person.account, values, text, person.caller)

    with pytest.raises(SignatureRefused):
        await check(b"\7" * 199)
    checked = await check(signature)
    async with house.db.transaction() as tx:
        asked = await custody.withdrawals.request(tx, person.caller, checked, house.policy)
    await house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await house.status("withdrawal_requests", asked.withdrawal_id) == "COMPLETED"
    assert await house.balance(person) == (6 * UNIT, 0)
    await house.require_truths()
