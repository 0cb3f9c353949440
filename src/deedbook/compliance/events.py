"""Facts of this room. They say what was decided, and nothing personal of whom."""

from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import TokenId, UserId


@fact("compliance.record_changed", stream="user_id", audience=Audience.USER, exported=True)
class RecordChanged(Fact):
    """What compliance knows of a user for a token changed: KYC, whitelist, accreditation or an expiry."""

    user_id: UserId
    token_id: TokenId
    kyc_status: str
    kyc_level: int
    whitelisted: bool
    record_version: int


@fact("compliance.expired", stream="user_id", audience=Audience.USER, exported=True)
class ComplianceExpired(Fact):
    """A user's KYC for a token has run out."""

    user_id: UserId
    token_id: TokenId
    record_version: int


@fact("compliance.account_frozen", stream="user_id", audience=Audience.USER, exported=True)
class AccountFrozen(Fact):
    """Nothing of this account moves until it is thawed."""

    user_id: UserId
    reason: str


@fact("compliance.account_unfrozen", stream="user_id", audience=Audience.USER, exported=True)
class AccountUnfrozen(Fact):
    """What this account holds may move again."""

    user_id: UserId
    reason: str


@fact("compliance.screened", stream="user_id", audience=Audience.OPERATORS, exported=True)
class AccountScreened(Fact):
    """An account was compared with the sanctions lists, or compliance decided about it."""

    user_id: UserId
    sanctioned: bool
    reason: str


@fact("compliance.note_written", stream="user_id", audience=Audience.OPERATORS)
class NoteWritten(Fact):
    """An officer has written down something about a case. It stays in the sealed record, and goes nowhere else."""

    user_id: UserId
    text: str


@fact("compliance.rules_changed", stream="token_id", exported=True)
class RulesChanged(Fact):
    """A token asks for something else of those who hold it."""

    token_id: TokenId
    rules_version: int


@fact("compliance.token_paused", stream="token_id", exported=True)
class TokenPausedFact(Fact):
    """Nothing of this token moves until it is resumed."""

    token_id: TokenId
    reason: str


@fact("compliance.token_unpaused", stream="token_id", exported=True)
class TokenUnpausedFact(Fact):
    """The token may move again."""

    token_id: TokenId
    reason: str
