"""Bodies about compliance: records, standings, rules."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from deedbook.api.v1.schemas.common import Amount, Answer, Body, Id, Line, Moment, PositiveAmount, Text
from deedbook.compliance import (
    Accreditation,
    Applicant,
    KycStatus,
    Operation,
    Record,
    RecordChange,
    TokenRules,
)
from deedbook.compliance.terms import MAX_KYC_LEVEL, MAX_LOCK_UP_DAYS, TokenFacts
from deedbook.compliance.views import AccountStanding, ShownStanding
from deedbook.identity import checksum_address
from deedbook.kernel.amounts import MalformedAmount, to_text, to_units
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import UserId

MAX_JURISDICTIONS = 250
_MOMENT = re.compile(r"(20|21)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_COUNTRY = r"^[A-Z]{2}$"


def _moment(value: Any) -> Any:
    """RFC 3339 with a zone, in this century or the next: `fromisoformat` alone would take dates and weeks too."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("a moment is RFC 3339 with a zone, such as 2027-01-31T12:00:00Z")
    return datetime.fromisoformat(value).astimezone(UTC)


GivenMoment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_MOMENT.pattern}$"}),
]
Country = Annotated[str, Field(strict=True, pattern=_COUNTRY, examples=["LU"])]
Why = Annotated[Text, Field(min_length=1, max_length=1000, examples=["The passport was reported stolen"])]


class SetRecord(Body):
    """What compliance decided of a user for a token. What is not named stays as it is; null takes it away."""

    token_id: Id
    kyc_status: Annotated[KycStatus, Field(examples=["APPROVED"])] | None = None
    kyc_level: Annotated[int, Field(strict=True, ge=0, le=MAX_KYC_LEVEL)] | None = None
    whitelisted: Annotated[bool, Field(strict=True)] | None = None
    accreditation: Accreditation | None = None
    accreditation_expires_at: GivenMoment | None = None
    jurisdiction: Country | None = None
    expires_at: GivenMoment | None = None

    def command(self) -> RecordChange:
        """The change. Null means something for moments and the jurisdiction alone."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"token_id"}}
        nothing = [name for name in _NEVER_NULL if name in given and given[name] is None]
        if nothing:
            errors = tuple(FieldError(f"/{_WIRE[name]}", "null", "this is never null") for name in nothing)
            raise Invalid("some fields are never null", errors=errors)
        return RecordChange(**given)


_NEVER_NULL = ("kyc_status", "kyc_level", "whitelisted", "accreditation")
_WIRE = {name: str(field.alias) for name, field in SetRecord.model_fields.items()}


class Verify(Body):
    """Whom the KYC provider is to check. This goes to the provider and is erased with its answer."""

    token_id: Id
    legal_name: Annotated[Line, Field(min_length=1, max_length=200, examples=["Ada Lovelace"])]
    country: Country
    document_ids: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=100, examples=["passport-L01X00T47"])]],
        Field(max_length=20, default_factory=list),
    ]

    def command(self) -> Applicant:
        return Applicant(self.legal_name, self.country, tuple(self.document_ids))


class Because(Body):
    """Why."""

    reason: Why


class WriteNote(Body):
    """Something about a case."""

    text: Annotated[
        Text, Field(min_length=1, max_length=4000, examples=["Called the bank: the account is theirs"])
    ]


class Screen(Body):
    """Whether an account may be served at all, and why."""

    sanctioned: Annotated[bool, Field(strict=True)]
    reason: Why


class SetRules(Body):
    """What a token asks of those who hold it. What is not named has no limit. `maxOwnership` in whole tokens."""

    min_kyc_level: Annotated[int, Field(strict=True, ge=0, le=MAX_KYC_LEVEL)] = 0
    accreditation_required: Annotated[bool, Field(strict=True)] = False
    allowed_jurisdictions: Annotated[list[Country], Field(max_length=MAX_JURISDICTIONS, default_factory=list)]
    blocked_jurisdictions: Annotated[list[Country], Field(max_length=MAX_JURISDICTIONS, default_factory=list)]
    max_holders: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None
    max_ownership: PositiveAmount | None = None
    lock_up_days: Annotated[int, Field(strict=True, ge=0, le=MAX_LOCK_UP_DAYS)] = 0

    def command(self, token: TokenFacts) -> TokenRules:
        return TokenRules(
            min_kyc_level=self.min_kyc_level,
            accreditation_required=self.accreditation_required,
            allowed_jurisdictions=frozenset(self.allowed_jurisdictions),
            blocked_jurisdictions=frozenset(self.blocked_jurisdictions),
            max_holders=self.max_holders,
            max_ownership=_units(self.max_ownership, token, "/maxOwnership"),
            lock_up_days=self.lock_up_days,
        )


class PreviewOperation(Body):
    """An operation that is only asked about. A mint and a deposit have no `fromUserId`; a withdrawal has a `toUserId`
    only when it goes to another user's account."""

    operation: Annotated[Operation, Field(examples=["TRANSFER"])]
    from_user_id: Id | None = None
    to_user_id: Id | None = None
    amount: Annotated[PositiveAmount, Field(examples=["12.5"])]

    def parties(self) -> tuple[UserId | None, UserId | None]:
        """Sender and receiver, as the operation has them.

        Raises:
            Invalid: one is missing, or one too many.
        """
        to_another = self.to_user_id not in (None, self.from_user_id)
        wanted = {
            "/fromUserId": (self.from_user_id, self.operation not in (Operation.MINT, Operation.DEPOSIT)),
            "/toUserId": (self.to_user_id, self.operation is not Operation.WITHDRAWAL or to_another),
        }
        errors = tuple(
            FieldError(pointer, *(("missing", "name the party") if needed else ("unknown", "there is none")))
            for pointer, (named, needed) in wanted.items()
            if (named is not None) is not needed
        )
        if errors:
            raise Invalid("the parties are not those of this operation", errors=errors)
        sender, receiver = self.from_user_id, self.to_user_id
        return UserId(sender) if sender else None, UserId(receiver) if receiver else None

    def units(self, token: TokenFacts) -> int:
        units = _units(self.amount, token, "/amount")
        assert units is not None
        return units


class RecordAnswer(Answer):
    """What compliance knows of a user for a token. The ETag is `version`, for If-Match."""

    user_id: UUID
    token_id: UUID
    kyc_status: KycStatus
    kyc_level: int
    whitelisted: bool
    accreditation: Accreditation
    accreditation_expires_at: Moment | None
    jurisdiction: str | None
    expires_at: Moment | None
    provider: str
    provider_reference: str
    version: int
    updated_at: Moment

    @classmethod
    def of(cls, record: Record) -> "RecordAnswer":
        return cls(**vars(record))


class _AccountAnswer(Answer):
    user_id: UUID
    account: str
    frozen: bool
    frozen_reason: str | None
    sanctioned: bool
    screened_at: Moment | None


class StandingAnswer(_AccountAnswer):
    """How a user stands with compliance. `onChain` says whether the chain has heard of all of it."""

    on_chain: bool
    records: list[RecordAnswer]

    @classmethod
    def of(cls, standing: ShownStanding) -> "StandingAnswer":
        told = {
            "account": checksum_address(standing.account),
            "records": [RecordAnswer.of(record) for record in standing.records],
        }
        return cls(**{**vars(standing), **told})


class RestrictedAnswer(_AccountAnswer):
    """An account that is stopped."""

    @classmethod
    def of(cls, found: AccountStanding) -> "RestrictedAnswer":
        return cls(**{**vars(found), "account": checksum_address(found.account)})


class RulesAnswer(Answer):
    """What a token asks of those who hold it; nothing, where it was not issued here (`regulated` false)."""

    token_id: UUID
    regulated: bool
    min_kyc_level: int
    accreditation_required: bool
    allowed_jurisdictions: list[str]
    blocked_jurisdictions: list[str]
    max_holders: int | None
    max_ownership: Amount | None
    lock_up_days: int
    paused: bool
    version: int

    @classmethod
    def of(cls, shown: tuple[TokenFacts, TokenRules]) -> "RulesAnswer":
        token, rules = shown
        cap = rules.max_ownership
        told = {
            "allowed_jurisdictions": sorted(rules.allowed_jurisdictions),
            "blocked_jurisdictions": sorted(rules.blocked_jurisdictions),
            "max_ownership": None if cap is None else to_text(cap, token.decimals),
        }
        return cls(**{**vars(rules), **told}, token_id=token.token_id, regulated=token.regulated)


def _units(text: str | None, token: TokenFacts, pointer: str) -> int | None:
    try:
        return None if text is None else to_units(text, token.decimals)
    except MalformedAmount as error:
        problem = FieldError(pointer, "bad_amount", str(error))
        raise Invalid("the amount does not fit the token", errors=(problem,)) from None
