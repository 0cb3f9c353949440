"""Who may trade a pair's token, as its matcher knows it: judged when somebody first appears, again when compliance
has decided something, when the token's rules have changed, or when a standing has run out. The commit checks the
versions that this knowledge stands on."""

import heapq
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from deedbook import compliance
from deedbook.compliance import Standing, TokenRules
from deedbook.infra.database import Database
from deedbook.kernel.ids import TokenId, UserId

REFRESH_S = 0.5
OVERLAP = timedelta(seconds=20)
"""A decision is dated when its transaction began and is visible when it ends: look back further than any lasts."""


class Parties:
    """The standing of everybody who has an order in the book, by the text of their id."""

    def __init__(self, db: Database, token_id: TokenId) -> None:
        self._db = db
        self._token_id = token_id
        self._ends: list[tuple[datetime, str]] = []
        self._barred: set[str] = set()
        self._refreshed_at = 0.0
        self._seen_until: datetime | None = None
        self.standing: dict[str, Standing] = {}
        self.rules = TokenRules()

    async def know(self, users: Iterable[str], moment: datetime) -> None:
        """Judge those who are new, whose standing has run out, or about whom something was decided; under new rules
        everybody."""
        wanted = {user_id for user_id in users if not self._holds(user_id, moment)}
        due = time.monotonic() - self._refreshed_at > REFRESH_S
        if not wanted and not due:
            return
        async with self._db.reading() as reads:
            if due and self._seen_until is not None:
                changed = await compliance.changed_since(reads, self._token_id, self._seen_until - OVERLAP)
                wanted |= {
                    str(user_id)
                    for user_id, versions in changed.items()
                    if (known := self.standing.get(str(user_id))) is not None
                    and (known.record_version, known.profile_version) != versions
                }
            asked = [UserId(UUID(user_id)) for user_id in sorted(wanted)]
            found, rules = await compliance.standings(reads, self._token_id, asked)
            if rules.version != self.rules.version and self.standing:
                # All others were judged by the former rules, which the commit does not see.
                asked = [UserId(UUID(user_id)) for user_id in sorted(wanted | self.standing.keys())]
                found, rules = await compliance.standings(reads, self._token_id, asked)
        self.rules = rules
        if due:
            self._seen_until = moment
            self._refreshed_at = time.monotonic()
        for user_id, standing in found.items():
            self._learn(str(user_id), standing, moment)

    def take_barred(self, moment: datetime) -> set[str]:
        """Those who have lost their standing since this was asked last."""
        while self._ends and self._ends[0][0] <= moment:
            _, user_id = heapq.heappop(self._ends)
            if not self._holds(user_id, moment):
                self._barred.add(user_id)
        barred, self._barred = self._barred, set()
        return barred

    def may_trade(self, user_id: str, moment: datetime) -> bool:
        return self._holds(user_id, moment)

    def _holds(self, user_id: str, moment: datetime) -> bool:
        standing = self.standing.get(user_id)
        return standing is not None and standing.holds_at(moment)

    def _learn(self, user_id: str, standing: Standing, moment: datetime) -> None:
        self.standing[user_id] = standing
        if not standing.holds_at(moment):
            self._barred.add(user_id)
        elif standing.until is not None:
            heapq.heappush(self._ends, (standing.until, user_id))
