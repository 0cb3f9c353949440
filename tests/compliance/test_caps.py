"""Caps under many hands: executions take their turn, so no two of them use the same room."""

import asyncio
from uuid import UUID, uuid4

import pytest

from deedbook import compliance, ledger
from deedbook.compliance import Operation, Reason
from deedbook.compliance.errors import HolderLimit, OwnershipCap
from deedbook.kernel.ids import UserId
from deedbook.ledger import AccountId, LineKind, into_the_vault
from tests.compliance.support import Desk
from tests.support.facts import count
from tests.support.owner import as_owner


async def mint(desk: Desk, user_id: UserId, amount: int) -> None:
    """Judged and booked in one transaction."""
    async with desk.db.transaction() as tx:
        await compliance.require_eligible(
            tx, Operation.MINT, desk.token, None, user_id, amount, executing=True
        )
        account = AccountId(user_id)
        await ledger.post(tx, [into_the_vault(uuid4(), LineKind.MINT, account, desk.token, amount)])


async def test_an_ownership_cap_holds_when_many_give_at_once(desk: Desk) -> None:
    user_id = await desk.investor()
    await desk.set_rules(max_ownership=500)
    done = await asyncio.gather(*(mint(desk, user_id, 100) for _ in range(9)), return_exceptions=True)
    assert sum(one is None for one in done) == 5
    assert sum(isinstance(one, OwnershipCap) for one in done) == 4


async def test_a_holder_count_holds_when_many_come_at_once(desk: Desk) -> None:
    users = [await desk.investor() for _ in range(8)]
    await desk.set_rules(max_holders=3)
    done = await asyncio.gather(*(mint(desk, user, 1) for user in users), return_exceptions=True)
    assert sum(one is None for one in done) == 3
    assert sum(isinstance(one, HolderLimit) for one in done) == 5


async def begin(desk: Desk, operation_id: UUID, user_id: UserId, amount: int) -> None:
    """Judged for its execution; the vault has not answered yet."""
    async with desk.db.transaction() as tx:
        await compliance.require_eligible(
            tx, Operation.MINT, desk.token, None, user_id, amount, executing=True, operation_id=operation_id
        )


async def finish(desk: Desk, operation_id: UUID, user_id: UserId, amount: int) -> None:
    """The vault has answered."""
    async with desk.db.transaction() as tx:
        posting = into_the_vault(uuid4(), LineKind.MINT, AccountId(user_id), desk.token, amount)
        await ledger.post(tx, [posting])
        await compliance.redeem(tx, operation_id)


async def test_what_is_under_way_takes_room_below_an_ownership_cap(desk: Desk) -> None:
    user_id = await desk.investor()
    await desk.set_rules(max_ownership=500)
    operations = [uuid4() for _ in range(9)]
    done = await asyncio.gather(
        *(begin(desk, one, user_id, 100) for one in operations), return_exceptions=True
    )
    begun = [one for one, said in zip(operations, done, strict=True) if said is None]
    assert len(begun) == 5
    assert await desk.judge(None, user_id, 1) is Reason.OWNERSHIP_CAP
    for one in begun:
        await begin(desk, one, user_id, 100)  # a worker that died and comes again
    await finish(desk, begun[0], user_id, 100)
    assert await desk.judge(None, user_id, 1) is Reason.OWNERSHIP_CAP
    async with desk.db.transaction() as tx:
        for _ in range(2):
            await compliance.redeem(tx, begun[1])  # undone by the chain
    assert await desk.judge(None, user_id, 100) is Reason.NONE
    assert await desk.judge(None, user_id, 101) is Reason.OWNERSHIP_CAP


async def test_what_is_under_way_makes_its_receivers_holders(desk: Desk) -> None:
    users = [await desk.investor() for _ in range(8)]
    await desk.set_rules(max_holders=3)
    operations = [uuid4() for _ in users]
    done = await asyncio.gather(
        *(begin(desk, one, user, 1) for one, user in zip(operations, users, strict=True)),
        return_exceptions=True,
    )
    begun = [n for n, said in enumerate(done) if said is None]
    assert len(begun) == 3
    await finish(desk, operations[begun[0]], users[begun[0]], 1)
    late = next(user for n, user in enumerate(users) if n not in begun)
    assert await desk.judge(None, late, 1) is Reason.HOLDER_COUNT
    assert await desk.judge(None, users[begun[1]], 1) is Reason.NONE, "who soon holds some takes no more room"
    async with desk.db.transaction() as tx:
        await compliance.redeem(tx, operations[begun[2]])
    assert await desk.judge(None, late, 1) is Reason.NONE


async def test_nothing_is_pledged_where_nothing_is_limited(desk: Desk) -> None:
    user_id, operation_id = await desk.investor(), uuid4()
    await begin(desk, operation_id, user_id, 100)
    assert await count(desk.db, "compliance_pledges", "operation_id = $1", operation_id) == 0


async def test_the_issuer_is_no_holder_and_has_no_cap(desk: Desk) -> None:
    await desk.set_record(desk.issuer, compliance.RecordChange(kyc_status=compliance.KycStatus.APPROVED))
    await desk.set_rules(max_holders=1, max_ownership=10, lock_up_days=30)
    await mint(desk, desk.issuer, 1000)
    user_id = await desk.investor()
    assert await desk.judge(desk.issuer, user_id, 10) is Reason.NONE
    assert await desk.judge(desk.issuer, user_id, 11) is Reason.OWNERSHIP_CAP


async def test_a_lock_up_binds_what_came_in_within_it(desk: Desk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.give(user_id, 100)
    await desk.set_rules(lock_up_days=30)
    assert await desk.judge(user_id, other, 1) is Reason.LOCK_UP
    await desk.set_rules(lock_up_days=0)
    assert await desk.judge(user_id, other, 100) is Reason.NONE


async def test_what_leaves_at_once_is_no_more_than_what_is_free(desk: Desk) -> None:
    """Each was admitted before the other's hold stood: by itself it may go."""
    user_id, other = await desk.investor(), await desk.investor()
    await desk.give(user_id, 100)
    async with as_owner(desk.db) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE ledger_lines SET created_at = now() - interval '1 year'")
        await connection.execute("RESET session_replication_role")
    await desk.give(user_id, 100)
    await desk.set_rules(lock_up_days=30)
    assert await desk.judge(user_id, other, 100) is Reason.NONE
    first, second = (
        ledger.Hold(owner, uuid4(), AccountId(user_id), desk.token, 100)
        for owner in (ledger.HoldOwner.TRANSFER, ledger.HoldOwner.WITHDRAWAL)
    )
    async with desk.db.transaction() as tx:
        await ledger.hold(tx, first)
        await ledger.hold(tx, second)
    assert await desk.judge(user_id, other, 100, executing=True) is Reason.LOCK_UP
    async with desk.db.transaction() as tx:
        await ledger.release(tx, second.owner, second.owner_id)
    assert await desk.judge(user_id, other, 100, executing=True) is Reason.NONE


@pytest.mark.parametrize("executing", [False, True])
async def test_what_is_held_is_spent_by_its_own_operation_alone(desk: Desk, executing: bool) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.give(user_id, 100)
    async with desk.db.transaction() as tx:
        held = ledger.Hold(ledger.HoldOwner.TRANSFER, uuid4(), AccountId(user_id), desk.token, 60)
        await ledger.hold(tx, held)
    said = await desk.judge(user_id, other, 60, executing=executing)
    assert said is (Reason.NONE if executing else Reason.BALANCE)
