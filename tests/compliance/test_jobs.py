"""From a decision to the chain through the jobs, as workers run them: one decision, one effect, everywhere."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from deedbook import compliance
from deedbook.compliance import Operation, Reason, Registrar, jobs
from deedbook.compliance.errors import ComplianceExpired, SenderFrozen
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.kernel.events import Fact
from deedbook.kernel.ids import UserId
from deedbook.kernel.jobs import Job, handlers_of
from tests.compliance.chain_desk import ChainDesk, open_chain_desk
from tests.support.fake_kyc import FakeKyc
from tests.support.platform import Platform, moving, open_platform

GIVEN = 1000


@dataclass(frozen=True)
class Resources:
    """What a worker hands to this room's jobs."""

    db: Database
    registrar: Registrar
    kyc: FakeKyc


@pytest.fixture(scope="module")
async def founded(db: Database, anvil: EmbeddedAnvil) -> AsyncIterator[Platform]:
    node = SapphireClient(anvil.url)
    platform = await open_platform(db, node, anvil)
    await platform.found()
    async with moving(platform):
        yield platform
    await node.close()


@pytest.fixture
async def desk(founded: Platform) -> ChainDesk:
    return await open_chain_desk(founded)


async def carry_out(desk: ChainDesk, since: int, *about: Any) -> list[str]:
    """Run what listens to the facts that were told since, twice each; the names of the jobs."""
    listeners = {spec.fact.spec.event_type: spec for spec in handlers_of(jobs) if spec.fact is not None}
    resources, ran = Resources(desk.db, desk.registrar, FakeKyc()), []
    for fact in (await desk.facts(*about))[since:]:
        spec = listeners.get(fact["event_type"])
        if spec is None:
            continue
        for _ in range(2):
            await spec.run(resources, Job("job", spec.kind.name, fact["payload"]))
        ran.append(spec.kind.name)
    return ran


async def two_investors(desk: ChainDesk) -> tuple[UserId, UserId]:
    """Two who may trade with each other; the first has something."""
    first, second = await desk.investor(), await desk.investor()
    await carry_out(desk, 0, first, second)
    await desk.mint(first, GIVEN)
    return first, second


async def test_a_freeze_stops_the_investor_here_and_on_the_chain(desk: ChainDesk) -> None:
    user_id, other = await two_investors(desk)
    told = len(await desk.facts(user_id))
    assert await desk.chain_says(user_id, other, GIVEN) == Reason.NONE
    await desk.freeze(user_id)
    assert await carry_out(desk, told, user_id) == ["register-freeze"]
    assert await desk.chain_says(user_id, other, GIVEN) == Reason.SENDER_FROZEN
    async with desk.db.transaction() as tx:
        for operation, receiver in ((Operation.WITHDRAWAL, None), (Operation.TRANSFER, other)):
            with pytest.raises(SenderFrozen) as refused:
                await compliance.require_eligible(
                    tx, operation, desk.token, user_id, receiver, GIVEN, executing=True
                )
            assert refused.value.extra == {"reason": "2"}
    await desk.freeze(user_id, frozen=False)
    assert await carry_out(desk, told + 1, user_id) == ["register-thaw"]
    assert await desk.chain_says(user_id, other, GIVEN) == Reason.NONE


async def test_an_expiry_stops_the_investor_here_and_on_the_chain(desk: ChainDesk) -> None:
    user_id, other = await two_investors(desk)
    told = len(await desk.facts(user_id))
    async with desk.db.transaction() as tx:
        await tx.execute(
            "UPDATE compliance_records SET expires_at = now() - interval '1 minute' WHERE user_id = $1",
            user_id,
        )
    resources = Resources(desk.db, desk.registrar, FakeKyc())
    for _ in range(2):
        await jobs.expire_records(resources, Job("tick", "expire-compliance", {}))
    assert await carry_out(desk, told, user_id) == ["register-expired-identity"]
    assert await desk.chain_says(user_id, other, GIVEN) == Reason.KYC_EXPIRED
    async with desk.db.transaction() as tx:
        with pytest.raises(ComplianceExpired):
            await compliance.require_eligible(
                tx, Operation.WITHDRAWAL, desk.token, user_id, None, GIVEN, executing=True
            )


async def test_the_sweeper_brings_what_no_job_of_a_fact_has_brought(desk: ChainDesk) -> None:
    users = [await desk.investor() for _ in range(3)]
    await desk.freeze(users[0])
    await desk.pause()
    resources = Resources(desk.db, desk.registrar, FakeKyc())
    for _ in range(2):
        await jobs.register_remaining(resources, Job("tick", "register-identities", {}))
        await jobs.register_remaining_pauses(resources, Job("tick", "register-pauses", {}))
    assert [(await desk.identity(user))[0] for user in users] == [True] * 3
    assert (await desk.identity(users[0]))[4] is True
    assert await desk.chain_says(users[1], users[2]) == Reason.PAUSED


async def test_a_pause_and_its_end_are_jobs_of_their_facts(desk: ChainDesk) -> None:
    await desk.pause()
    await desk.pause(paused=False)
    assert await carry_out(desk, 0, desk.token) == ["register-pause", "register-unpause"]
    assert len(await desk.asked(f"pause-{desk.token}")) == 2


def test_every_fact_that_the_chain_should_hear_has_a_listener() -> None:
    heard: set[type[Fact]] = {spec.fact for spec in handlers_of(jobs) if spec.fact is not None}
    told = {
        value
        for value in vars(compliance.events).values()
        if isinstance(value, type) and issubclass(value, Fact) and value is not Fact
    }
    ours_alone = {compliance.events.RulesChanged, compliance.events.NoteWritten}
    assert told - heard == ours_alone, (
        "the chain has no place for the platform's rules, nor for officers' notes"
    )
