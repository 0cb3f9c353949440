"""Refusals of this room.

Refusal
├─ Ineligible                  one per reason; each says its number in `reason`
│   ├─ TokenPaused · SenderFrozen · ReceiverFrozen · Sanctioned
│   ├─ KycRequired · ComplianceExpired · NotWhitelisted
│   ├─ AccreditationRequired · AccreditationExpired · RestrictedLocation
│   └─ OwnershipCap · HolderLimit · LockUp
├─ ComplianceRecordNotFound    no such record, or another user's
├─ UserNotFound · TokenNotFound
├─ NotRegulated                only RWA tokens have rules
├─ ComplianceChanged           the record has changed since you looked (If-Match)
├─ UnknownCheck                the job names nobody
├─ CheckUnderWay               the KYC provider is being asked already
├─ RegistryNotDeployed         the identity registry does not stand on this chain yet
└─ KycUnavailable              the KYC provider gives no answer: nobody is approved meanwhile
"""

from deedbook.compliance.terms import Reason
from deedbook.kernel.errors import Kind, Refusal, Unavailable
from deedbook.ledger.errors import InsufficientFunds


class Ineligible(Refusal):
    """Compliance does not allow it."""

    kind = Kind.FORBIDDEN


class TokenPaused(Ineligible):
    code, title = "token_paused", "The token is paused"


class SenderFrozen(Ineligible):
    code, title = "sender_frozen", "The sender's account is frozen"


class ReceiverFrozen(Ineligible):
    code, title = "receiver_frozen", "The receiver's account is frozen"


class KycRequired(Ineligible):
    code, title = "kyc_required", "An approved KYC is required"


class ComplianceExpired(Ineligible):
    code, title = "compliance_expired", "The KYC has expired"


class NotWhitelisted(Ineligible):
    code, title = "not_whitelisted", "Not on the token's whitelist"


class AccreditationRequired(Ineligible):
    code, title = "accreditation_required", "The token is for accredited investors"


class AccreditationExpired(Ineligible):
    code, title = "accreditation_expired", "The accreditation has expired"


class Sanctioned(Ineligible):
    code, title = "sanctioned", "The account may not be served"


class OwnershipCap(Ineligible):
    code, title = "ownership_cap", "Nobody may hold that much of the token"


class HolderLimit(Ineligible):
    code, title = "holder_limit", "The token has as many holders as it may have"


class LockUp(Ineligible):
    code, title = "lock_up", "What was received lately is still locked up"


class RestrictedLocation(Ineligible):
    code, title = "restricted_location", "The token is not offered in this jurisdiction"


class ComplianceRecordNotFound(Refusal):
    code, kind, title = "compliance_record_not_found", Kind.ABSENT, "There is no such compliance record"


class UserNotFound(Refusal):
    code, kind, title = "user_not_found", Kind.ABSENT, "There is no such user"


class TokenNotFound(Refusal):
    code, kind, title = "token_not_found", Kind.ABSENT, "There is no such token"


class NotRegulated(Refusal):
    code, kind, title = "not_regulated", Kind.CONFLICT, "Only RWA tokens are under compliance"


class ComplianceChanged(Refusal):
    code, kind, title = "compliance_changed", Kind.STALE, "This has changed since you looked"


class CheckUnderWay(Refusal):
    code, kind, title = "check_under_way", Kind.CONFLICT, "The KYC provider is being asked already"


class UnknownCheck(Refusal):
    code, kind, title = "unknown_check", Kind.ABSENT, "The job is not one of ours"


class KycUnavailable(Unavailable):
    code, title = "kyc_unavailable", "The KYC provider does not answer"


class RegistryNotDeployed(Unavailable):
    code, title = "registry_not_deployed", "The identity registry is not deployed on this chain"


_REFUSALS: dict[Reason, type[Refusal]] = {
    Reason.PAUSED: TokenPaused,
    Reason.SENDER_FROZEN: SenderFrozen,
    Reason.RECEIVER_FROZEN: ReceiverFrozen,
    Reason.BALANCE: InsufficientFunds,
    Reason.KYC_MISSING: KycRequired,
    Reason.KYC_EXPIRED: ComplianceExpired,
    Reason.NOT_WHITELISTED: NotWhitelisted,
    Reason.ACCREDITATION_MISSING: AccreditationRequired,
    Reason.ACCREDITATION_EXPIRED: AccreditationExpired,
    Reason.SANCTIONED: Sanctioned,
    Reason.OWNERSHIP_CAP: OwnershipCap,
    Reason.HOLDER_COUNT: HolderLimit,
    Reason.LOCK_UP: LockUp,
    Reason.JURISDICTION: RestrictedLocation,
}


def refusal(reason: Reason, about: str = "") -> Refusal:
    """The refusal of a reason, with its number; `about` names the party that it concerns."""
    kind = _REFUSALS[reason]
    detail = f"{kind.title} ({about})" if about else ""
    return kind(detail, extra={"reason": str(reason.value)})
