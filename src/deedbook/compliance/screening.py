"""Use cases: have somebody checked by the KYC provider, and write down what it found.

What the provider says changes KYC and accreditation and can put somebody on the list; it never whitelists, and
takes nobody off. The applicant's papers rest in one row until the answer is there, and are erased with it.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from deedbook.compliance import model, service, store
from deedbook.compliance.errors import CheckUnderWay, ComplianceRecordNotFound
from deedbook.compliance.ports import Applicant, KycReport, KycVerdict
from deedbook.compliance.terms import VERIFY_COMPLIANCE, KycStatus, Record
from deedbook.identity.terms import Caller, Role
from deedbook.infra.database import Database, Tx
from deedbook.kernel.events import SYSTEM
from deedbook.kernel.ids import TokenId, UserId, new_uuid


@dataclass(frozen=True)
class Application:
    """A check that was asked for and has no answer yet."""

    application_id: UUID
    user_id: UserId
    token_id: TokenId
    applicant: Applicant


async def request_check(
    tx: Tx, caller: Caller, user_id: UserId, token_id: TokenId, applicant: Applicant
) -> Record:
    """Have a user checked for a token, by themselves or by compliance. An approval stays until the answer is there.

    Raises:
        ComplianceRecordNotFound: another user's, for one who is not of compliance.
        CheckUnderWay: one check at a time.
        TokenNotFound · NotRegulated · UserNotFound: see there.
    """
    if caller.user_id != user_id and not caller.roles & {Role.COMPLIANCE}:
        raise ComplianceRecordNotFound
    await service.regulated(tx, token_id)
    await service.held_profile(tx, user_id)
    before = await store.record(tx, user_id, token_id, lock=True)
    application_id = new_uuid()
    papers = orjson.dumps(asdict(applicant)).decode()
    if not await store.add_application(tx, application_id, user_id, token_id, papers, caller.user_id):
        raise CheckUnderWay
    tx.enqueue(
        VERIFY_COMPLIANCE,
        f"{VERIFY_COMPLIANCE.name}-{application_id}",
        {"applicationId": str(application_id)},
    )
    if before is not None and before.kyc_status is not KycStatus.REJECTED:
        return before
    asked = before or model.blank(user_id, token_id, await tx.now())
    return await service.write_record(tx, before, replace(asked, kyc_status=KycStatus.PENDING), caller.actor)


async def open_application(db: Database, application_id: UUID) -> Application | None:
    """The application, as long as it has no answer."""
    row = await store.open_application(db, application_id)
    if row is None:
        return None
    papers: dict[str, Any] = row["applicant"]
    applicant = Applicant(papers["legal_name"], papers["country"], tuple(papers["document_ids"]))
    return Application(application_id, UserId(row["user_id"]), TokenId(row["token_id"]), applicant)


async def apply_report(tx: Tx, application: Application, provider: str, report: KycReport) -> None:
    """Write down what the provider found; a repeated call changes nothing."""
    if not await store.close_application(tx, application.application_id, "DECIDED"):
        return
    profile = await service.held_profile(tx, application.user_id)
    if report.listed and not profile.sanctioned:
        await service.set_sanctioned(tx, SYSTEM, application.user_id, True, f"found by {provider}")
    else:
        await store.set_screened(tx, application.user_id, profile.sanctioned)
    before = await store.record(tx, application.user_id, application.token_id, lock=True)
    # Rejected while the provider was looking: a person has decided, and the provider does not overrule them.
    if before is None or before.kyc_status is KycStatus.REJECTED:
        return
    after = _reported(before, provider, report)
    if after != before:
        await service.write_record(tx, before, after, SYSTEM)


async def give_up_check(tx: Tx, application_id: UUID) -> None:
    """Erase an application to which the provider gave no answer; the record stays as it is."""
    await store.close_application(tx, application_id, "FAILED")


def _reported(record: Record, provider: str, report: KycReport) -> Record:
    known = replace(record, provider=provider, provider_reference=report.reference)
    if report.listed or report.verdict is KycVerdict.REJECTED:
        return replace(known, kyc_status=KycStatus.REJECTED, whitelisted=False)
    match report.verdict:
        case KycVerdict.REVIEW:
            return known
        case _:
            return replace(
                known,
                kyc_status=KycStatus.APPROVED,
                kyc_level=report.level,
                accreditation=report.accreditation,
                accreditation_expires_at=report.accreditation_expires_at,
                jurisdiction=report.jurisdiction,
                expires_at=report.expires_at,
            )
