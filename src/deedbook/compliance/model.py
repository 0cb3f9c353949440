"""Rules of compliance, pure: what is judged, and what the chain's identity registry should say of an account."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum

from deedbook.chain.identities import IdentityUpdate
from deedbook.compliance.terms import (
    Accreditation,
    KycStatus,
    Operation,
    Profile,
    Record,
    RecordChange,
    TokenRules,
    Unchanged,
)
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import TokenId, UserId

UNKNOWN_JURISDICTION = "ZZ"
"""ISO 3166 keeps it for private use. An entry without any would look as if it had never been written."""


class Side(Enum):
    """Which of the two parties."""

    SENDER = "sender"
    RECEIVER = "receiver"


@dataclass(frozen=True)
class Party:
    """One side of an operation, with everything that a rule looks at. Amounts in base units.

    `holding` is all that the account has; `spendable` what it may still give for this operation: at admission what
    is available, at execution also what is held, since the operation's own hold is in there. `received_lately` came
    in within the lock-up. `is_issuer`: of this token, who distributes it rather than invests.
    """

    frozen: bool = False
    sanctioned: bool = False
    record: Record | None = None
    is_issuer: bool = False
    holding: int = 0
    spendable: int = 0
    received_lately: int = 0


@dataclass(frozen=True)
class Case:
    """One operation to judge. A side of `None` is the house or a wallet outside: there is nobody to check.

    `regulated` is true for RWA tokens: all others are looked at for freezes, balance and sanctions alone.
    `holders` counts who holds some of the token, without its issuer.
    """

    operation: Operation
    regulated: bool
    rules: TokenRules
    sender: Party | None
    receiver: Party | None
    amount: int
    holders: int
    now: datetime

    def party(self, side: Side) -> Party | None:
        return self.sender if side is Side.SENDER else self.receiver


_TOLD = ("kyc_status", "accreditation", "accreditation_expires_at", "jurisdiction", "expires_at")
_CLASSES = {Accreditation.NONE: 0, Accreditation.ACCREDITED: 1, Accreditation.INSTITUTIONAL: 2}


def has_lapsed(record: Record, now: datetime) -> bool:
    """Whether it was approved and is so no longer."""
    match record.kyc_status:
        case KycStatus.EXPIRED:
            return True
        case KycStatus.APPROVED:
            return record.expires_at is not None and record.expires_at <= now
        case _:
            return False


def statement_of(
    profile: Profile, records: Sequence[Record], *, stated_before: bool, now: datetime
) -> IdentityUpdate | None:
    """What the registry should say; `None` leaves what it says as it is.

    Nothing is said of an account that compliance never decided on: an issuer is entered when a token is deployed,
    and a KYC that is merely asked for must not undo that. An identity that has lapsed stays with its past expiry,
    so that the chain gives the reason that we give: expired, not missing.
    """
    decided = [record for record in records if record.kyc_status is not KycStatus.PENDING]
    if not decided and not profile.sanctioned and not stated_before:
        return None
    approved = [r for r in decided if r.kyc_status is KycStatus.APPROVED and not has_lapsed(r, now)]
    lapsed = [record for record in decided if has_lapsed(record, now)]
    if profile.sanctioned or not (approved or lapsed):
        return IdentityUpdate(profile.account, False, UNKNOWN_JURISDICTION, 0, 0)
    best = max(approved or lapsed, key=_end)
    ends_at = best.expires_at if approved else min(now, best.expires_at or now)
    return IdentityUpdate(
        profile.account,
        True,
        best.jurisdiction or UNKNOWN_JURISDICTION,
        max(_accreditation(record, now) for record in approved or lapsed),
        int(ends_at.timestamp()) if ends_at is not None else None,
    )


def changed(record: Record, change: RecordChange, now: datetime) -> Record:
    """The record with what is to change about it.

    Who is rejected is also off the whitelist: a later approval by the KYC provider must not let them in by itself.

    Raises:
        Invalid: an approval that has expired already.
    """
    given = {
        field.name: value
        for field in fields(change)
        if not isinstance(value := getattr(change, field.name), Unchanged)
    }
    after = replace(record, **given)
    if after.accreditation is Accreditation.NONE:
        after = replace(after, accreditation_expires_at=None)
    match after.kyc_status:
        case KycStatus.APPROVED if has_lapsed(after, now):
            problem = FieldError("/expiresAt", "in_the_past", "an approval ends in the future")
            raise Invalid("the approval would have expired already", errors=(problem,))
        case KycStatus.EXPIRED:
            return replace(after, expires_at=min(now, after.expires_at or now))
        case KycStatus.REJECTED:
            return replace(after, whitelisted=False)
        case _:
            return after


def blank(user_id: UserId, token_id: TokenId, now: datetime) -> Record:
    """A record of somebody about whom nothing is known."""
    return Record(
        user_id=user_id,
        token_id=token_id,
        kyc_status=KycStatus.PENDING,
        kyc_level=0,
        whitelisted=False,
        accreditation=Accreditation.NONE,
        accreditation_expires_at=None,
        jurisdiction=None,
        expires_at=None,
        provider="",
        provider_reference="",
        version=0,
        updated_at=now,
    )


def expired(record: Record) -> Record:
    """The record once its approval has run out; the whitelist and the rest of it wait for the renewal."""
    return replace(record, kyc_status=KycStatus.EXPIRED)


def is_told_alike(before: Record, after: Record) -> bool:
    """Whether the chain would be told the same of both."""
    return all(getattr(before, name) == getattr(after, name) for name in _TOLD)


def _end(record: Record) -> float:
    """When a record ends; one without an expiry ends last."""
    return float("inf") if record.expires_at is None else record.expires_at.timestamp()


def _accreditation(record: Record, now: datetime) -> int:
    ends_at = record.accreditation_expires_at
    return 0 if ends_at is not None and ends_at <= now else _CLASSES[record.accreditation]
