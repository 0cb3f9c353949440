"""The words of this room: reasons, KYC, accreditation, operations, and what is recorded of users and tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum

from deedbook.identity.terms import Address
from deedbook.kernel.ids import TokenId, UserId
from deedbook.kernel.jobs import COMPLIANCE, HOUSEKEEPING, JobKind

MAX_KYC_LEVEL = 9
MAX_LOCK_UP_DAYS = 3660

VERIFY_COMPLIANCE = JobKind(
    "verify-compliance", COMPLIANCE, repeat_by="ask anew: POST /tokens/compliance/{userId}/verify"
)
REGISTER_CHANGED = JobKind("register-identity", COMPLIANCE)
REGISTER_EXPIRED = JobKind("register-expired-identity", COMPLIANCE)
REGISTER_FROZEN = JobKind("register-freeze", COMPLIANCE)
REGISTER_THAWED = JobKind("register-thaw", COMPLIANCE)
REGISTER_SCREENED = JobKind("register-screening", COMPLIANCE)
REGISTER_REMAINING = JobKind("register-identities", COMPLIANCE)
REGISTER_PAUSE = JobKind("register-pause", COMPLIANCE)
REGISTER_UNPAUSE = JobKind("register-unpause", COMPLIANCE)
REGISTER_REMAINING_PAUSES = JobKind("register-pauses", COMPLIANCE)
EXPIRE_RECORDS = JobKind("expire-compliance", HOUSEKEEPING)


class Reason(IntEnum):
    """Why not. The contracts use the same numbers (`Restriction.sol`); a number is never used again."""

    NONE = 0
    PAUSED = 1
    SENDER_FROZEN = 2
    RECEIVER_FROZEN = 3
    BALANCE = 4
    KYC_MISSING = 10
    KYC_EXPIRED = 11
    NOT_WHITELISTED = 12
    ACCREDITATION_MISSING = 13
    ACCREDITATION_EXPIRED = 14
    SANCTIONED = 30
    OWNERSHIP_CAP = 50
    HOLDER_COUNT = 51
    LOCK_UP = 60
    JURISDICTION = 70


class KycStatus(Enum):
    """Where somebody's KYC for a token stands. Only `APPROVED` lets anything through, until it expires."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class Accreditation(Enum):
    """What sort of investor somebody was proven to be."""

    NONE = "none"
    ACCREDITED = "accredited"
    INSTITUTIONAL = "institutional"


class Operation(Enum):
    """What is judged. Who enters with no sender (mint, deposit) or leaves with no receiver (a withdrawal to one's own
    wallet) is judged alone; the other side is a wallet, which the contract judges, or the house. A withdrawal to
    another user's account has both."""

    MINT = "MINT"
    TRANSFER = "TRANSFER"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    TRADE = "TRADE"


@dataclass(frozen=True)
class Record:
    """What compliance knows of a user for one token. `provider_reference` is the KYC provider's name for the check;
    nothing personal is kept here."""

    user_id: UserId
    token_id: TokenId
    kyc_status: KycStatus
    kyc_level: int
    whitelisted: bool
    accreditation: Accreditation
    accreditation_expires_at: datetime | None
    jurisdiction: str | None
    expires_at: datetime | None
    provider: str
    provider_reference: str
    version: int
    updated_at: datetime


class Unchanged(Enum):
    """Says of a field that it stays as it is, where `None` would mean something."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True)
class RecordChange:
    """What is to change about a record; what is not named stays."""

    kyc_status: KycStatus | Unchanged = UNCHANGED
    kyc_level: int | Unchanged = UNCHANGED
    whitelisted: bool | Unchanged = UNCHANGED
    accreditation: Accreditation | Unchanged = UNCHANGED
    accreditation_expires_at: datetime | Unchanged | None = UNCHANGED
    jurisdiction: str | Unchanged | None = UNCHANGED
    expires_at: datetime | Unchanged | None = UNCHANGED


@dataclass(frozen=True)
class Profile:
    """What holds for a user whatever the token. `version` rises with everything that the chain should hear of."""

    user_id: UserId
    account: Address
    frozen: bool
    sanctioned: bool
    version: int
    registered_version: int


@dataclass(frozen=True)
class TokenFacts:
    """What this room needs to know of a token."""

    token_id: TokenId
    symbol: str
    decimals: int
    regulated: bool
    issuer: UserId | None
    contract: Address | None


@dataclass(frozen=True)
class Pledge:
    """What is under way to somebody, in base units. `is_new`: they hold nothing of the token yet."""

    amount: int
    is_new: bool


@dataclass(frozen=True)
class TokenRules:
    """What a token asks of those who hold it. `max_ownership` in base units; `None` and empty mean no limit."""

    min_kyc_level: int = 0
    accreditation_required: bool = False
    allowed_jurisdictions: frozenset[str] = frozenset()
    blocked_jurisdictions: frozenset[str] = frozenset()
    max_holders: int | None = None
    max_ownership: int | None = None
    lock_up_days: int = 0
    paused: bool = False
    version: int = 0

    @property
    def counts(self) -> bool:
        """Whether holdings of others, or of the receiver, decide: then executions take their turn."""
        return self.max_holders is not None or self.max_ownership is not None
