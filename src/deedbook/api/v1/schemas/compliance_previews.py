"""Bodies about what compliance would say: of an operation, and of a user whose record is changed."""

from deedbook.api.v1.schemas.common import Answer, Moment
from deedbook.compliance import Preview, Reason, Rehearsal, Standing


class CheckAnswer(Answer):
    """What one check says; `reason` 0 is nothing against it."""

    check: str
    reason: int


class PreviewAnswer(Answer):
    """What the operation would be told now: allowed, or the number of the first reason against it. `checks` are
    those about the token and about the parties that the caller may ask about."""

    allowed: bool
    reason: int
    name: str
    checks: list[CheckAnswer]

    @classmethod
    def of(cls, preview: Preview, *, sides: frozenset[str]) -> "PreviewAnswer":
        return cls(
            allowed=preview.reason is Reason.NONE,
            reason=preview.reason.value,
            name=preview.reason.name,
            checks=[
                CheckAnswer(check=check, reason=reason.value)
                for check, reason in preview.checks
                if "." not in check or check.partition(".")[0] in sides
            ],
        )


class TradingAnswer(Answer):
    """Whether a token may be traded, or the number of the first reason against it; until when, where that ends by
    itself."""

    allowed: bool
    reason: int
    name: str
    until: Moment | None

    @classmethod
    def of(cls, standing: Standing) -> "TradingAnswer":
        reason = standing.reason
        allowed = reason is Reason.NONE
        until = standing.until if allowed else None
        return cls(allowed=allowed, reason=reason.value, name=reason.name, until=until)


class RecordPreviewAnswer(Answer):
    """Whether a user may trade a token now, and with the record changed."""

    before: TradingAnswer
    after: TradingAnswer

    @classmethod
    def of(cls, told: Rehearsal) -> "RecordPreviewAnswer":
        return cls(before=TradingAnswer.of(told.before), after=TradingAnswer.of(told.after))
