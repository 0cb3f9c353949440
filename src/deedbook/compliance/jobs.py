"""Jobs of this room: the chain hears what was decided, approvals run out, the KYC provider is asked."""

from uuid import UUID

from deedbook.compliance import registry, screening, service, telling
from deedbook.compliance.errors import UnknownCheck
from deedbook.compliance.events import (
    AccountFrozen,
    AccountScreened,
    AccountUnfrozen,
    ComplianceExpired,
    RecordChanged,
    TokenPausedFact,
    TokenUnpausedFact,
)
from deedbook.compliance.ports import ComplianceResources
from deedbook.compliance.terms import (
    EXPIRE_RECORDS,
    REGISTER_CHANGED,
    REGISTER_EXPIRED,
    REGISTER_FROZEN,
    REGISTER_PAUSE,
    REGISTER_REMAINING,
    REGISTER_REMAINING_PAUSES,
    REGISTER_SCREENED,
    REGISTER_THAWED,
    REGISTER_UNPAUSE,
    VERIFY_COMPLIANCE,
)
from deedbook.infra.database import Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.ids import TokenId, UserId, parse_uuid
from deedbook.kernel.jobs import Job, every, handles, on

REGISTER_TIMEOUT_S = 60.0
SWEEP_S = 60
ROUNDS = 20


@on(AccountFrozen, REGISTER_FROZEN, lengthy=True)
async def register_freeze(resources: ComplianceResources, job: Job) -> None:
    await _register(resources, job)


@on(AccountUnfrozen, REGISTER_THAWED, lengthy=True)
async def register_thaw(resources: ComplianceResources, job: Job) -> None:
    await _register(resources, job)


@on(AccountScreened, REGISTER_SCREENED, lengthy=True)
async def register_screening(resources: ComplianceResources, job: Job) -> None:
    await _register(resources, job)


@on(RecordChanged, REGISTER_CHANGED, lengthy=True)
async def register_identity(resources: ComplianceResources, job: Job) -> None:
    await _register(resources, job)


@on(ComplianceExpired, REGISTER_EXPIRED, lengthy=True)
async def register_expired(resources: ComplianceResources, job: Job) -> None:
    await _register(resources, job)


@every(SWEEP_S, REGISTER_REMAINING, lengthy=True)
async def register_remaining(resources: ComplianceResources, job: Job) -> None:
    """What no job of a fact has brought to the chain, in batches."""
    for _ in range(ROUNDS):
        await registry.register(resources.db, resources.registrar, None, REGISTER_TIMEOUT_S)
        async with resources.db.transaction() as tx:
            if not await telling.untold(tx, None, 1):
                return


@on(TokenPausedFact, REGISTER_PAUSE, lengthy=True)
async def register_pause(resources: ComplianceResources, job: Job) -> None:
    await _register_pauses(resources, TokenId(_id(job, "tokenId")))


@on(TokenUnpausedFact, REGISTER_UNPAUSE, lengthy=True)
async def register_unpause(resources: ComplianceResources, job: Job) -> None:
    await _register_pauses(resources, TokenId(_id(job, "tokenId")))


@every(SWEEP_S, REGISTER_REMAINING_PAUSES, lengthy=True)
async def register_remaining_pauses(resources: ComplianceResources, job: Job) -> None:
    for token_id in await telling.paused_anew(resources.db, ROUNDS):
        await _register_pauses(resources, token_id)


@every(SWEEP_S, EXPIRE_RECORDS, lengthy=True)
async def expire_records(resources: ComplianceResources, job: Job) -> None:
    for _ in range(ROUNDS):
        async with resources.db.transaction() as tx:
            ended = await service.expire_due(tx, await tx.now())
        if ended < service.EXPIRED_AT_ONCE:
            return


async def _give_up(tx: Tx, job: Job, error: str) -> None:
    await screening.give_up_check(tx, _id(job, "applicationId"))


@handles(VERIFY_COMPLIANCE, lengthy=True, on_failure=_give_up)
async def verify_compliance(resources: ComplianceResources, job: Job) -> None:
    """Ask the KYC provider about an applicant. Asked twice, it has checked once: the application's id is its key."""
    application = await screening.open_application(resources.db, _id(job, "applicationId"))
    if application is None:
        return
    report = await resources.kyc.check(application.application_id, application.applicant)
    await failpoint("verify.afterAnswer")
    async with resources.db.transaction() as tx:
        await screening.apply_report(tx, application, resources.kyc.name, report)
        await failpoint("verify.beforeCommit")


async def _register(resources: ComplianceResources, job: Job) -> None:
    user_id = UserId(_id(job, "userId"))
    await registry.register(resources.db, resources.registrar, user_id, REGISTER_TIMEOUT_S)


async def _register_pauses(resources: ComplianceResources, token_id: TokenId) -> None:
    await registry.register_pauses(resources.db, resources.registrar, token_id, REGISTER_TIMEOUT_S)


def _id(job: Job, name: str) -> UUID:
    found = parse_uuid(str(job.data.get(name, "")))
    if found is None:
        raise UnknownCheck(f"the job names no {name}")
    return found
