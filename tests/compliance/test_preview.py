"""One answer everywhere: the preview says yes exactly when the operation passes, and the contract agrees as far as
it enforces."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from uuid import uuid4

import pytest

from deedbook import compliance, ledger
from deedbook.compliance import (
    Accreditation,
    KycStatus,
    Operation,
    Reason,
    RecordChange,
)
from deedbook.compliance.errors import Ineligible
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.kernel.ids import UserId
from deedbook.ledger import AccountId, Hold, HoldOwner, LineKind, between
from deedbook.ledger.errors import InsufficientFunds
from tests.compliance.chain_desk import ChainDesk, open_chain_desk
from tests.compliance.support import Desk
from tests.support.platform import moving, open_platform

GIVEN = 1000
ON_CHAIN = {
    Reason.PAUSED: Reason.PAUSED,
    Reason.SENDER_FROZEN: Reason.SENDER_FROZEN,
    Reason.RECEIVER_FROZEN: Reason.RECEIVER_FROZEN,
    Reason.BALANCE: Reason.BALANCE,
    Reason.KYC_MISSING: Reason.KYC_MISSING,
    Reason.KYC_EXPIRED: Reason.KYC_EXPIRED,
    # The registry has no word for it: who is sanctioned is simply not verified there.
    Reason.SANCTIONED: Reason.KYC_MISSING,
}


async def disturb(desk: Desk, user_id: UserId, chance: random.Random) -> None:
    """Let something happen to a user, or nothing."""
    match chance.randrange(8):
        case 0:
            await desk.freeze(user_id)
        case 1:
            await desk.sanction(user_id)
        case 2:
            await desk.set_record(user_id, RecordChange(kyc_status=chance.choice(list(KycStatus))))
        case 3:
            async with desk.db.transaction() as tx:
                await tx.execute(
                    "UPDATE compliance_records SET expires_at = now() - interval '1 minute' WHERE user_id = $1",
                    user_id,
                )
                await compliance.expire_due(tx, await tx.now())
        case 4:
            await desk.set_record(user_id, RecordChange(whitelisted=False))
        case 5:
            await desk.set_record(user_id, RecordChange(accreditation=Accreditation.NONE, jurisdiction="US"))
        case _:
            return


async def move(desk: Desk, sender: UserId, receiver: UserId, amount: int) -> Reason:
    """The real thing: admitted, held, judged again, moved; all or nothing."""
    transfer_id, account, to = uuid4(), AccountId(sender), AccountId(receiver)
    async with desk.db.transaction() as tx:
        await compliance.require_eligible(tx, Operation.TRANSFER, desk.token, sender, receiver, amount)
        await ledger.hold(tx, Hold(HoldOwner.TRANSFER, transfer_id, account, desk.token, amount))
        await compliance.require_eligible(
            tx, Operation.TRANSFER, desk.token, sender, receiver, amount, executing=True
        )
        posting = between(uuid4(), LineKind.TRANSFER, account, to, desk.token, amount, held=True)
        await ledger.consume(tx, HoldOwner.TRANSFER, transfer_id, posting)
    return Reason.NONE


async def really(desk: Desk, sender: UserId, receiver: UserId, amount: int) -> Reason:
    try:
        return await move(desk, sender, receiver, amount)
    except (Ineligible, InsufficientFunds) as refused:
        # A refusal of the ledger itself would have no number: compliance would have let through what cannot be.
        return Reason(int(refused.extra["reason"]))


@pytest.mark.parametrize("seed", range(6))
async def test_the_preview_is_the_operation(desk: Desk, seed: int) -> None:
    """Random standings, rules and balances; each transfer is previewed, then made, and changes what comes next."""
    chance = random.Random(seed)
    users = [desk.issuer, *[await desk.user() for _ in range(4)]]
    for user in users:
        await desk.set_record(user, compliance_of(chance))
        await desk.give(user, chance.randrange(1, GIVEN))
    await desk.set_rules(
        min_kyc_level=chance.randrange(2),
        accreditation_required=chance.random() < 0.2,
        blocked_jurisdictions=frozenset({"US"}) if chance.random() < 0.3 else frozenset(),
        max_holders=chance.choice([None, 3, 4, 5]),
        max_ownership=chance.choice([None, 900, 1500]),
        lock_up_days=chance.choice([0, 0, 30]),
    )
    said = set()
    for _ in range(40):
        sender, receiver = chance.sample(users, 2)
        amount = chance.choice([1, 10, 200, GIVEN])
        if chance.random() < 0.1:
            await disturb(desk, chance.choice(users), chance)
        async with desk.db.transaction() as tx:
            preview = await compliance.preview(tx, Operation.TRANSFER, desk.token, sender, receiver, amount)
            judged = await compliance.judge(tx, Operation.TRANSFER, desk.token, sender, receiver, amount)
        failed = [reason for _, reason in preview.checks if reason is not Reason.NONE]
        assert preview.reason is judged is (failed[0] if failed else Reason.NONE)
        assert await really(desk, sender, receiver, amount) is preview.reason
        said.add(preview.reason)
    assert len(said) > 1


def compliance_of(chance: random.Random) -> RecordChange:
    return RecordChange(
        kyc_status=KycStatus.APPROVED,
        kyc_level=1,
        whitelisted=chance.random() < 0.9,
        accreditation=chance.choice(list(Accreditation)),
        jurisdiction=chance.choice(["LU", "DE", "US", None]),
        expires_at=chance.choice([None, datetime.now(UTC) + timedelta(days=1)]),
    )


@pytest.fixture(scope="module")
async def chain_desk(db: Database, anvil: EmbeddedAnvil) -> AsyncIterator[ChainDesk]:
    node = SapphireClient(anvil.url)
    platform = await open_platform(db, node, anvil)
    await platform.found()
    async with moving(platform):
        yield await open_chain_desk(platform)
    await node.close()


async def test_the_contract_gives_the_reason_that_we_give_as_far_as_it_enforces(
    chain_desk: ChainDesk,
) -> None:
    desk, chance = chain_desk, random.Random(7)
    users = [await desk.investor() for _ in range(9)]
    await desk.register()
    for user in users[:5]:
        await desk.mint(user, GIVEN)
    await desk.freeze(users[0])
    for user in users[2:-1]:
        await disturb(desk, user, chance)
    users.append(await desk.user())  # of whom nobody has heard
    await desk.register()
    seen = set()
    for (sender, receiver), amount in product(permutations(users, 2), (1, GIVEN + 1)):
        seen.add(await _compared(desk, sender, receiver, amount))
    await desk.pause()
    await desk.register_pauses()
    seen.add(await _compared(desk, users[1], users[2], 1))
    assert seen >= set(ON_CHAIN.values()) | {Reason.NONE}


async def _compared(desk: ChainDesk, sender: UserId, receiver: UserId, amount: int) -> Reason:
    async with desk.db.transaction() as tx:
        told = await compliance.preview(tx, Operation.TRANSFER, desk.token, sender, receiver, amount)
    enforced = [ON_CHAIN[reason] for _, reason in told.checks if reason in ON_CHAIN]
    expected = enforced[0] if enforced else Reason.NONE
    assert await desk.chain_says(sender, receiver, amount) == expected
    if expected is not Reason.NONE:
        assert told.reason is not Reason.NONE, "the platform would let through what the chain refuses"
    return expected
