"""Investors are let in one by one: compliance puts each on the token's whitelist. Its issuer need not be on it."""

from dataclasses import dataclass

from deedbook.compliance.model import Case, Side
from deedbook.compliance.terms import Reason


@dataclass(frozen=True)
class Whitelist:
    side: Side

    @property
    def name(self) -> str:
        return f"{self.side.value}.whitelist"

    def judge(self, case: Case) -> Reason:
        party = case.party(self.side)
        if not case.regulated or party is None or party.is_issuer:
            return Reason.NONE
        listed = party.record is not None and party.record.whitelisted
        return Reason.NONE if listed else Reason.NOT_WHITELISTED
