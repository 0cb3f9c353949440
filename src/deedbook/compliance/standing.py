"""How many users stand with one token, all at once: for who judges thousands of trades a second and then makes
sure, in the transaction that writes them, that nothing was decided otherwise meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deedbook.compliance import model, rules, store
from deedbook.compliance.errors import NotRegulated, TokenNotFound
from deedbook.compliance.model import Case, Party
from deedbook.compliance.store import Known, Surroundings
from deedbook.compliance.terms import Operation, Profile, Reason, Record, RecordChange, TokenRules
from deedbook.infra.database import Reads
from deedbook.kernel.ids import TokenId, UserId


@dataclass(frozen=True)
class Standing:
    """Whether a user may trade the token at all, by the rules that look at one party; before `until`, and for
    as long as record and profile are at these versions (0: there is none). No cap holds for the token's issuer."""

    reason: Reason
    until: datetime | None
    record_version: int
    profile_version: int
    is_issuer: bool = False

    def holds_at(self, moment: datetime) -> bool:
        return self.reason is Reason.NONE and (self.until is None or moment < self.until)


@dataclass(frozen=True)
class Rehearsal:
    """How a user stands with a token before a change of their record, and after it."""

    before: Standing
    after: Standing


async def standings(
    reads: Reads, token_id: TokenId, user_ids: Sequence[UserId]
) -> tuple[dict[UserId, Standing], TokenRules]:
    """How these users stand, and the token's rules that say so. One round trip.

    Raises:
        TokenNotFound: there is no such token.
    """
    found = await store.surroundings(reads, token_id, user_ids)
    if found is None:
        raise TokenNotFound
    return {user_id: _judged(found, user_id, known) for user_id, known in found.users.items()}, found.rules


async def rehearse(reads: Reads, user_id: UserId, token_id: TokenId, change: RecordChange) -> Rehearsal:
    """How a user stands, and would stand with a record that is changed so. Nothing is changed.

    Raises:
        TokenNotFound: there is no such token.
        NotRegulated: nobody has a record for it.
        Invalid: see `model.changed`.
    """
    found = await store.surroundings(reads, token_id, [user_id])
    if found is None:
        raise TokenNotFound
    if not found.token.regulated:
        raise NotRegulated(f"{found.token.symbol} was not issued here")
    known, now = found.users[user_id], found.now
    wanted = model.changed(known.record or model.blank(user_id, token_id, now), change, now)
    return Rehearsal(_judged(found, user_id, known), _judged(found, user_id, known._replace(record=wanted)))


def _judged(found: Surroundings, user_id: UserId, known: Known) -> Standing:
    """What the rules that look at one party say of somebody."""
    token, profile = found.token, known.profile
    record = known.record if token.regulated else None
    party = Party(
        frozen=profile is not None and profile.frozen,
        sanctioned=profile is not None and profile.sanctioned,
        record=record,
        is_issuer=user_id == token.issuer,
        holding=0,
        spendable=0,
        received_lately=0,
    )
    case = Case(Operation.TRADE, token.regulated, found.rules, party, None, 0, 0, found.now)
    reason, _ = rules.judge(case)
    return _standing(reason, profile, record, found.rules, is_issuer=party.is_issuer)


def _standing(
    reason: Reason, profile: Profile | None, record: Record | None, asked: TokenRules, *, is_issuer: bool
) -> Standing:
    ends = [record.expires_at] if record else []
    if record and asked.accreditation_required:
        ends.append(record.accreditation_expires_at)
    return Standing(
        reason,
        min((end for end in ends if end is not None), default=None),
        record.version if record else 0,
        profile.version if profile else 0,
        is_issuer,
    )


async def changed_since(reads: Reads, token_id: TokenId, moment: datetime) -> dict[UserId, tuple[int, int]]:
    """The versions of record and profile of those about whom something was decided since."""
    return await store.versions_since(reads, token_id, moment)
