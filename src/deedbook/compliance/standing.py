"""How many users stand with one token, all at once: for who judges thousands of trades a second and then makes
sure, in the transaction that writes them, that nothing was decided otherwise meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deedbook.compliance import rules, store
from deedbook.compliance.errors import TokenNotFound
from deedbook.compliance.model import Case, Party
from deedbook.compliance.terms import Operation, Profile, Reason, Record, TokenRules
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
    token, asked, now, users = found
    standings = {}
    for user_id, (profile, written) in users.items():
        record = written if token.regulated else None
        party = Party(
            frozen=profile is not None and profile.frozen,
            sanctioned=profile is not None and profile.sanctioned,
            record=record,
            is_issuer=user_id == token.issuer,
            holding=0,
            spendable=0,
            received_lately=0,
        )
        case = Case(Operation.TRADE, token.regulated, asked, party, None, 0, 0, now)
        reason, _ = rules.judge(case)
        standings[user_id] = _standing(reason, profile, record, asked, is_issuer=party.is_issuer)
    return standings, asked


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
