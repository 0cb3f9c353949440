"""What happened to somebody's orders and trades, in the order of commits: what private feeds tell, and tell again.

An event's place is the transaction that wrote it and its number among that account's events there. Both are the same
however often, and by whom, they are read; later ones have higher places (see `infra.outbox` for why it is so).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database

SHIFT = 16
"""So many bits of a place count the account's events of one transaction."""
_USER = '"userId":"'
_USER_AT = len(_USER)


@dataclass(frozen=True)
class AccountEvent:
    """One event of one account, as the JSON text that was written."""

    user_id: str
    seq: int
    text: str


@dataclass(frozen=True)
class AccountEvents:
    """A page of events. Everything up to and including the transaction `up_to` was looked at."""

    events: list[AccountEvent]
    up_to: int
    more: bool


async def settled_until(db: Database) -> int:
    """The newest transaction before which nothing is under way any more."""
    async with db.reading() as connection:
        found = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1")
    return int(found)


async def events_after(db: Database, tx: int, *, limit: int, user_id: UUID | None = None) -> AccountEvents:
    """The events after a transaction, of one account or of all, from at most `limit` batches."""
    async with db.reading() as connection:
        rows = await connection.fetch(_EVENTS, str(tx), limit, f'{_USER}{user_id}"' if user_id else "")
    batches = [row for row in rows if row["tx"] is not None]
    more = len(batches) == limit
    up_to = rows[0]["horizon"] - 1
    if more:
        # The last transaction of the page may go on beyond it.
        up_to = batches[-1]["tx"] - 1
        batches = [row for row in batches if row["tx"] <= up_to]
        if not batches:
            # One transaction has written more than a page: it is read whole.
            return await events_after(db, tx, limit=limit * 2, user_id=user_id)
    return AccountEvents(list(_numbered(batches, str(user_id) if user_id else None)), max(up_to, tx), more)


_EVENTS = """
    WITH settled AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon)
    SELECT s.horizon::text::bigint AS horizon, b.tx, b.facts
    FROM settled s LEFT JOIN LATERAL (
        SELECT tx_id::text::bigint AS tx, position, CASE WHEN strpos(facts, $3) > 0 THEN facts END AS facts
        FROM trading_facts WHERE tx_id > $1::text::xid8 AND tx_id < s.horizon
        ORDER BY tx_id, position LIMIT $2) AS b ON true
    ORDER BY b.tx, b.position
"""


def _numbered(batches: Sequence[Any], only: str | None) -> list[AccountEvent]:
    found: list[AccountEvent] = []
    counts: dict[tuple[str, int], int] = {}
    for row in batches:
        for line in (row["facts"] or "").split("\n"):
            start = line.find(_USER) + _USER_AT
            user_id = line[start : start + 36]
            if not line or (only is not None and user_id != only):
                continue
            number = counts[user_id, row["tx"]] = counts.get((user_id, row["tx"]), 0) + 1
            found.append(AccountEvent(user_id, (row["tx"] << SHIFT) + number, line))
    return found
