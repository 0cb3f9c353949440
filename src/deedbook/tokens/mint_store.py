"""SQL of this room: mints."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import TokenId, UserId
from deedbook.tokens.terms import Mint, MintStatus

_SELECT = """
    SELECT m.mint_id, m.token_id, t.symbol, t.decimals, m.user_id, m.account, m.amount, m.status, m.requested_by,
           m.decided_by, m.reason, m.decision_reason, m.error, m.tx_hash, m.created_at, m.updated_at
    FROM mint_requests m JOIN tokens t USING (token_id)
"""


async def add(tx: Tx, mint: Mint) -> None:
    await tx.execute(
        "INSERT INTO mint_requests (mint_id, token_id, user_id, account, amount, status, requested_by, reason) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        mint.mint_id,
        mint.token_id,
        mint.user_id,
        mint.account,
        mint.amount,
        mint.status.value,
        mint.requested_by,
        mint.reason,
    )


async def save(tx: Tx, mint: Mint) -> Mint:
    """Write where a locked mint stands now."""
    saved_at = await tx.fetchval(
        "UPDATE mint_requests SET status = $2, decided_by = $3, decision_reason = $4, error = $5, tx_hash = $6, "
        "updated_at = now() WHERE mint_id = $1 RETURNING updated_at",
        mint.mint_id,
        mint.status.value,
        mint.decided_by,
        mint.decision_reason,
        mint.error,
        mint.tx_hash,
    )
    return replace(mint, updated_at=saved_at)


async def lock(tx: Tx, mint_id: UUID) -> Mint | None:
    """Load a mint and hold it against every other move until the commit."""
    return mint_of(await tx.fetchrow(f"{_SELECT} WHERE m.mint_id = $1 FOR UPDATE OF m", mint_id))


async def read(db: Database, mint_id: UUID) -> Mint | None:
    async with db.reading() as connection:
        return mint_of(await connection.fetchrow(f"{_SELECT} WHERE m.mint_id = $1", mint_id))


async def asked(db: Database, mint_ids: list[UUID]) -> dict[UUID, tuple[UserId, str]]:
    """Who has asked for these mints, and for how much."""
    async with db.reading() as connection:
        rows = await connection.fetch(f"{_SELECT} WHERE m.mint_id = ANY ($1)", mint_ids)
    found = [mint for row in rows if (mint := mint_of(row)) is not None]
    return {mint.mint_id: (mint.requested_by, mint.amount_text) for mint in found}


async def open_units(tx: Tx, token_id: TokenId) -> int:
    """How much of a token is asked for and not minted yet."""
    return int(
        await tx.fetchval(
            "SELECT COALESCE(sum(amount), 0) FROM mint_requests "
            "WHERE token_id = $1 AND status IN ('PENDING_APPROVAL', 'APPROVED', 'SUBMITTED')",
            token_id,
        )
    )


async def automatic_units_lately(tx: Tx, token_id: TokenId) -> int:
    """How much of a token the policy agreed to by itself during 24 hours."""
    return int(
        await tx.fetchval(
            "SELECT COALESCE(sum(amount), 0) FROM mint_requests WHERE token_id = $1 AND decided_by IS NULL "
            "AND status IN ('APPROVED', 'SUBMITTED', 'COMPLETED') AND created_at > now() - interval '24 hours'",
            token_id,
        )
    )


async def submitted_units(tx: Tx, token_id: TokenId) -> int:
    """How much of a token the chain was asked to mint and is not booked yet."""
    return int(
        await tx.fetchval(
            "SELECT COALESCE(sum(amount), 0) FROM mint_requests WHERE token_id = $1 AND status = 'SUBMITTED'",
            token_id,
        )
    )


async def unsettled(db: Database, older_than_s: float, limit: int) -> list[UUID]:
    """Mints that the chain was asked for some time ago and has not been seen to answer, the oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT mint_id FROM mint_requests WHERE status = 'SUBMITTED' AND tx_hash IS NULL "
            "AND updated_at < now() - make_interval(secs => $1) ORDER BY created_at LIMIT $2",
            older_than_s,
            limit,
        )
    return [row["mint_id"] for row in rows]


async def listing(
    db: Database,
    token_id: TokenId | None,
    status: MintStatus | None,
    after: tuple[Any, UUID] | None,
    limit: int,
) -> list[Mint]:
    """Mints of a token or of all, newest first, after the given position."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            {_SELECT} WHERE ($1::uuid IS NULL OR m.token_id = $1) AND ($2::text IS NULL OR m.status = $2)
                AND ($3::timestamptz IS NULL OR (m.created_at, m.mint_id) < ($3, $4::uuid))
            ORDER BY m.created_at DESC, m.mint_id DESC LIMIT $5
            """,
            token_id,
            status.value if status else None,
            after[0] if after else None,
            after[1] if after else None,
            limit,
        )
    return [mint for row in rows if (mint := mint_of(row)) is not None]


def mint_of(row: Any) -> Mint | None:
    if row is None:
        return None
    fields = dict(row)
    fields["status"] = MintStatus(fields["status"])
    fields["amount"] = int(fields["amount"])
    fields["token_id"], fields["account"] = TokenId(fields["token_id"]), Address(fields["account"])
    fields["user_id"], fields["requested_by"] = UserId(fields["user_id"]), UserId(fields["requested_by"])
    return Mint(**fields)
