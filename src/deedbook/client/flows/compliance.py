"""Who may hold what, as compliance decides it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import ComplianceRecord, ComplianceRules, Standing
from deedbook.client.flow import Flow, Session
from deedbook.client.flows.asking import as_body, get, page, segment, send
from deedbook.client.flows.people import token
from deedbook.client.operations import Page


def set_compliance(
    session: Session,
    user_id: UUID | str,
    token_name: str,
    *,
    kyc_status: str | None = None,
    kyc_level: int | None = None,
    whitelisted: bool | None = None,
    accreditation: str | None = None,
    accreditation_expires_at: datetime | None = None,
    jurisdiction: str | None = None,
    expires_at: datetime | None = None,
    version: int | None = None,
) -> Flow[ComplianceRecord]:
    """Decide of a user for a token. What is not named stays as it is."""
    of = yield from token(session, token_name)
    decided = {
        "token_id": of.id,
        "kyc_status": kyc_status,
        "kyc_level": kyc_level,
        "whitelisted": whitelisted,
        "accreditation": accreditation,
        "accreditation_expires_at": accreditation_expires_at,
        "jurisdiction": jurisdiction,
        "expires_at": expires_at,
    }
    path = f"/tokens/compliance/{segment(user_id)}"
    return (yield from send(session, ComplianceRecord, path, as_body(decided), version=version))


def standing(session: Session, user_id: UUID | str) -> Flow[Standing]:
    """How a user stands with compliance."""
    return (yield from get(session, Standing, f"/tokens/compliance/{segment(user_id)}"))


def freeze(session: Session, user_id: UUID | str, reason: str) -> Flow[Standing]:
    """Freeze a user's account: nothing moves, and orders end."""
    return (yield from send(session, Standing, f"/compliance/{segment(user_id)}/freeze", {"reason": reason}))


def unfreeze(session: Session, user_id: UUID | str, reason: str) -> Flow[Standing]:
    """Take a freeze back."""
    return (
        yield from send(session, Standing, f"/compliance/{segment(user_id)}/unfreeze", {"reason": reason})
    )


def records(
    session: Session,
    cursor: str | None,
    *,
    status: str | None = None,
    expiring_before: datetime | None = None,
) -> Flow[Page[ComplianceRecord]]:
    """The records of everybody."""
    path = "/compliance/records"
    return (
        yield from page(
            session, ComplianceRecord, path, cursor, status=status, expiring_before=expiring_before
        )
    )


def rules(session: Session, token_name: str) -> Flow[ComplianceRules]:
    """What a token asks of those who hold it."""
    of = yield from token(session, token_name)
    return (yield from get(session, ComplianceRules, f"/tokens/{of.id}/rules"))


def set_rules(
    session: Session,
    token_name: str,
    *,
    min_kyc_level: int = 0,
    accreditation_required: bool = False,
    allowed_jurisdictions: Collection[str] = (),
    blocked_jurisdictions: Collection[str] = (),
    max_holders: int | None = None,
    max_ownership: Amount | None = None,
    lock_up_days: int = 0,
    version: int | None = None,
) -> Flow[ComplianceRules]:
    """Say what a token asks of those who hold it. What is not named has no limit."""
    of = yield from token(session, token_name)
    asked = {
        "min_kyc_level": min_kyc_level,
        "accreditation_required": accreditation_required,
        "allowed_jurisdictions": sorted(allowed_jurisdictions),
        "blocked_jurisdictions": sorted(blocked_jurisdictions),
        "max_holders": max_holders,
        "max_ownership": None if max_ownership is None else amount_text(max_ownership),
        "lock_up_days": lock_up_days,
    }
    path, body = f"/tokens/{of.id}/rules", as_body(asked)
    return (yield from send(session, ComplianceRules, path, body, method="PUT", version=version))
