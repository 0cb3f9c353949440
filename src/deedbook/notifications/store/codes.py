"""SQL of codes that were sent, so that nobody has very many sent, and nobody gets very many."""

import hashlib
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId
from deedbook.notifications.terms import Channel


class Sent(NamedTuple):
    """How many codes somebody has had sent, how many went to the address, whoever asked, and how many to all."""

    by_user: int
    to_address: int
    in_all: int


async def lately(tx: Tx, user_id: UserId, channel: Channel, address: str, since: datetime) -> Sent:
    """Those since a moment. Nobody counts for this user or this address until the commit."""
    mark = _hash(channel, address)
    await tx.execute("SELECT FROM users WHERE user_id = $1 FOR NO KEY UPDATE", user_id)
    await tx.execute("SELECT pg_advisory_xact_lock($1)", int.from_bytes(mark[:8], "big", signed=True))
    row = await tx.fetchrow(
        """
        SELECT count(*) FILTER (WHERE user_id = $1 AND channel = $2) AS by_user,
               count(*) FILTER (WHERE address_hash = $3) AS to_address,
               (SELECT count(*) FROM contact_codes WHERE channel = $2 AND sent_at > $4) AS in_all
        FROM contact_codes WHERE sent_at > $4 AND (user_id = $1 OR address_hash = $3)
        """,
        user_id,
        channel.value,
        mark,
        since,
    )
    assert row is not None, "counting always answers"
    return Sent(row["by_user"], row["to_address"], row["in_all"])


async def add(tx: Tx, challenge_id: UUID, user_id: UserId, channel: Channel, address: str) -> None:
    """Note that a code goes there."""
    await tx.execute(
        "INSERT INTO contact_codes (challenge_id, user_id, channel, address_hash) VALUES ($1, $2, $3, $4)",
        challenge_id,
        user_id,
        channel.value,
        _hash(channel, address),
    )


async def remove_old(tx: Tx, before: datetime, limit: int) -> int:
    """Forget codes from before a moment; how many, at most the limit."""
    told = await tx.execute(
        "DELETE FROM contact_codes WHERE challenge_id IN "
        "(SELECT challenge_id FROM contact_codes WHERE sent_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(told.rsplit(" ", 1)[1])


def _hash(channel: Channel, address: str) -> bytes:
    return hashlib.sha256(f"{channel.value} {address.lower()}".encode()).digest()
