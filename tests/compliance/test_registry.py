"""The chain hears what compliance decides: on a real EVM, once, whoever dies when."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from deedbook import chain, compliance
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.identities import IdentityUpdate
from deedbook.chain.terms import Call
from deedbook.compliance import Accreditation, KycStatus, Reason, RecordChange, Registrar, registry
from deedbook.identity.terms import Address
from deedbook.infra import failpoints
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.infra.failpoints import FailpointHit
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.contracts import NEVER_EXPIRES
from deedbook.integrations.sapphire.registry import SapphireRegistry
from tests.compliance.chain_desk import TIMEOUT_S, ChainDesk, open_chain_desk
from tests.support.fake_chain import CHAIN_ID
from tests.support.platform import Platform, moving, open_platform


@pytest.fixture(scope="module")
async def founded(db: Database, anvil: EmbeddedAnvil) -> AsyncIterator[Platform]:
    """A platform whose lane is moved all the time."""
    node = SapphireClient(anvil.url)
    platform = await open_platform(db, node, anvil)
    await platform.found()
    async with moving(platform):
        yield platform
    await node.close()


@pytest.fixture
async def desk(founded: Platform) -> ChainDesk:
    return await open_chain_desk(founded)


async def test_an_approval_reaches_the_registry_once(desk: ChainDesk) -> None:
    next_year = datetime.now(UTC) + timedelta(days=365)
    user_id = await desk.investor(expires_at=next_year, accreditation=Accreditation.INSTITUTIONAL)
    for _ in range(2):
        await desk.register(user_id)
    assert await desk.identity(user_id) == (True, b"LU", 2, int(next_year.timestamp()), False)
    assert await desk.asked(f"identity-{user_id}") == ["-3-identities confirmed"]


async def test_an_approval_without_an_end_never_ends(desk: ChainDesk) -> None:
    user_id = await desk.investor(jurisdiction=None)
    await desk.register()
    assert await desk.identity(user_id) == (True, b"ZZ", 1, NEVER_EXPIRES, False)


async def test_a_freeze_stops_vault_and_platform_for_the_same_reason(desk: ChainDesk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.register()
    assert await desk.chain_says(user_id, other) == await desk.judge(user_id, other, 0) == Reason.NONE
    await desk.freeze(user_id)
    await desk.register(user_id)
    assert await desk.chain_says(user_id, other) == await desk.judge(user_id, other, 0)
    assert await desk.chain_says(other, user_id) == await desk.judge(other, user_id, 0)
    assert await desk.chain_says(other, user_id) == Reason.RECEIVER_FROZEN
    await desk.freeze(user_id, frozen=False)
    await desk.register(user_id)
    assert await desk.chain_says(user_id, other) == Reason.NONE


async def test_a_renewed_kyc_does_not_thaw_on_the_chain(desk: ChainDesk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.freeze(user_id)
    await desk.register()
    await desk.set_record(user_id, RecordChange(expires_at=datetime.now(UTC) + timedelta(days=9)))
    await desk.register()
    assert await desk.chain_says(user_id, other) == Reason.SENDER_FROZEN


async def test_an_expiry_stops_vault_and_platform_for_the_same_reason(desk: ChainDesk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.register()
    async with desk.db.transaction() as tx:
        await tx.execute(
            "UPDATE compliance_records SET expires_at = now() - interval '1 minute' WHERE user_id = $1",
            user_id,
        )
        assert await compliance.expire_due(tx, await tx.now()) == 1
    await desk.register()
    assert await desk.chain_says(user_id, other) == await desk.judge(user_id, other, 0)
    assert await desk.chain_says(user_id, other) == Reason.KYC_EXPIRED


@pytest.mark.parametrize("status", [KycStatus.REJECTED, KycStatus.PENDING])
async def test_who_loses_an_approval_loses_it_on_the_chain(desk: ChainDesk, status: KycStatus) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.register()
    await desk.set_record(user_id, RecordChange(kyc_status=status))
    await desk.register()
    assert await desk.chain_says(user_id, other) == Reason.KYC_MISSING


async def test_who_is_sanctioned_is_no_longer_verified(desk: ChainDesk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.sanction(user_id)
    await desk.register()
    assert await desk.chain_says(user_id, other) == Reason.KYC_MISSING
    await desk.sanction(user_id, sanctioned=False)
    await desk.register()
    assert await desk.chain_says(user_id, other) == Reason.NONE


async def test_an_issuer_keeps_what_the_deployment_wrote_until_compliance_decides(desk: ChainDesk) -> None:
    written = await desk.identity(desk.issuer)
    assert written == (True, b"ZZ", 0, NEVER_EXPIRES, False)
    await desk.freeze(desk.issuer)
    await desk.register()
    assert await desk.identity(desk.issuer) == (*written[:4], True)
    await desk.freeze(desk.issuer, frozen=False)
    await desk.set_record(desk.issuer, RecordChange(kyc_status=KycStatus.PENDING))
    await desk.register()
    assert await desk.identity(desk.issuer) == written
    await desk.set_record(desk.issuer, RecordChange(kyc_status=KycStatus.REJECTED))
    await desk.register()
    assert (await desk.identity(desk.issuer))[0] is False


async def test_many_accounts_are_told_of_in_one_call_freezes_first(desk: ChainDesk) -> None:
    users = [await desk.investor() for _ in range(6)]
    await desk.freeze(users[4])
    await desk.freeze(users[5])
    await desk.register()
    assert [(await desk.identity(user))[4] for user in users] == [False] * 4 + [True] * 2
    assert all([(await desk.identity(user))[0] for user in users])
    frozen_first = f"identity-{users[4]}"
    assert await desk.asked(frozen_first) == ["-3-freeze confirmed", "-3-identities confirmed"]


POINTS = ["registry.beforeCommit", "registry.afterRequest", "registry.afterFinal"]


@pytest.mark.parametrize("point", POINTS)
async def test_the_chain_hears_once_when_a_worker_dies_at(desk: ChainDesk, point: str) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.register(other)
    await desk.freeze(user_id)
    failpoints.arm(f"{point}=raise:1")
    with pytest.raises(FailpointHit):
        await desk.register(user_id)
    failpoints.arm("")
    await desk.register(user_id)
    assert await desk.chain_says(user_id, other) == Reason.SENDER_FROZEN
    assert await desk.asked(f"identity-{user_id}") == ["-3-freeze confirmed", "-3-identities confirmed"]


class _Garbled(SapphireRegistry):
    """Words that the contract undoes."""

    def set_frozen(self, registry: Address, accounts: object, frozen: bool) -> Call:
        return Call(registry, b"\xde\xad\xbe\xef", 60_000)


async def test_what_was_undone_is_asked_for_again_in_full(desk: ChainDesk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.register(other)
    await desk.freeze(user_id)
    garbled = Registrar(desk.platform.node, _Garbled(), CHAIN_ID, desk.platform.signer.address)
    with pytest.raises(TransactionReverted):
        await registry.register(desk.db, garbled, user_id, TIMEOUT_S)
    await desk.register(user_id)
    assert await desk.chain_says(user_id, other) == Reason.SENDER_FROZEN
    assert await desk.asked(f"identity-{user_id}") == [
        "-3-freeze reverted",
        "-3-identities confirmed",
        "-4-freeze confirmed",
        "-4-identities confirmed",
    ]


async def test_a_thaw_is_said_when_the_freeze_before_it_is_still_under_way(desk: ChainDesk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.register()
    await desk.freeze(user_id)
    failpoints.arm("registry.afterRequest=raise:1")
    with pytest.raises(FailpointHit):
        await desk.register(user_id)
    failpoints.arm("")
    await desk.freeze(user_id, frozen=False)
    await desk.register(user_id)
    assert await desk.chain_says(user_id, other) == Reason.NONE
    assert (await desk.identity(user_id))[4] is False


# Pauses


async def test_a_token_is_paused_and_resumed_as_often_as_was_said(desk: ChainDesk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    await desk.register()
    await desk.pause()
    await desk.register_pauses()
    assert await desk.chain_says(user_id, other) == await desk.judge(user_id, other, 0) == Reason.PAUSED
    await desk.pause(paused=False)
    await desk.pause()
    await desk.pause(paused=False)
    for _ in range(2):
        await desk.register_pauses()
    assert await desk.chain_says(user_id, other) == await desk.judge(user_id, other, 0) == Reason.NONE
    assert len(await desk.asked(f"pause-{desk.token}")) == 4


@pytest.mark.parametrize("point", ["pause.afterRequest", "pause.afterFinal"])
async def test_a_token_is_paused_once_when_a_worker_dies_at(desk: ChainDesk, point: str) -> None:
    await desk.pause()
    failpoints.arm(f"{point}=raise:1")
    with pytest.raises(FailpointHit):
        await desk.register_pauses()
    failpoints.arm("")
    await desk.register_pauses()
    assert await desk.asked(f"pause-{desk.token}") == ["-1-1 confirmed"]


async def test_a_pause_by_another_hand_is_taken_as_it_is(desk: ChainDesk) -> None:
    words = SapphireRegistry()
    async with desk.db.transaction() as tx:
        await chain.request(
            tx, f"by-hand-{desk.token}", desk.platform.signer.address, words.set_paused(desk.contract, True)
        )
    await chain.wait_final(desk.db, f"by-hand-{desk.token}", TIMEOUT_S)
    await desk.pause()
    await desk.register_pauses()
    assert await desk.asked(f"pause-{desk.token}") == []
    assert await words.is_paused(desk.platform.node, desk.contract)


def test_an_update_holds_what_the_registry_takes() -> None:
    update = IdentityUpdate(Address("0x" + "11" * 20), True, "LU", 1, None)
    assert len(SapphireRegistry().set_identities(Address("0x" + "22" * 20), [update]).data) > 4
