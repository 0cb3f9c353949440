"""Balances and statements as screens show them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database
from deedbook.ledger.terms import SUSPENSE


async def balances(db: Database, user_id: UUID) -> list[dict[str, Any]]:
    """What a user holds, by symbol."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT b.token_id, t.symbol, t.decimals, b.available, b.locked
            FROM user_balances b JOIN tokens t USING (token_id) WHERE b.user_id = $1 ORDER BY t.symbol LIMIT 1000
            """,
            user_id,
        )
    return [dict(row) for row in rows]


async def balances_of(db: Database, user_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """What these users hold of everything they ever held."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT b.user_id, b.token_id, t.symbol, t.decimals, b.available, b.locked
            FROM user_balances b JOIN tokens t USING (token_id) WHERE b.user_id = ANY ($1) ORDER BY t.symbol
            """,
            list(user_ids),
        )
    return [dict(row) for row in rows]


async def balance(db: Database, user_id: UUID, token_id: UUID) -> dict[str, Any] | None:
    """What a user holds of one token, zero where nothing was ever held; `None` for an unknown token."""
    async with db.reading() as connection:
        row = await connection.fetchrow(
            """
            SELECT t.token_id, t.symbol, t.decimals, COALESCE(b.available, 0) AS available,
                   COALESCE(b.locked, 0) AS locked
            FROM tokens t LEFT JOIN user_balances b ON b.token_id = t.token_id AND b.user_id = $1
            WHERE t.token_id = $2
            """,
            user_id,
            token_id,
        )
    return dict(row) if row else None


async def statement(
    db: Database, account_id: UUID, token_id: UUID | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Lines of an account, newest first, each with the balance of its token after it.

    The balance is derived: the newest checkpoint below the page, plus the lines in between (at most a thousand or
    two). The page is merged from one page per token, which the index gives in order, so that a long history costs
    no more than a short one.
    """
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            WITH page AS (
                SELECT l.* FROM user_balances b CROSS JOIN LATERAL (
                    SELECT line_id, posting_id, kind, token_id, amount, created_at FROM ledger_lines
                    WHERE account_id = b.user_id AND token_id = b.token_id
                      AND line_id < COALESCE($3::bigint, 9223372036854775807)
                    ORDER BY line_id DESC LIMIT $4) AS l
                WHERE b.user_id = $1 AND ($2::uuid IS NULL OR b.token_id = $2)
                ORDER BY l.line_id DESC LIMIT $4
            ), oldest AS (
                SELECT token_id, min(line_id) AS line_id FROM page GROUP BY token_id
            ), base AS (
                SELECT o.token_id, COALESCE(c.balance, 0) + COALESCE((
                    SELECT sum(l.amount) FROM ledger_lines l
                    WHERE l.account_id = $1 AND l.token_id = o.token_id
                      AND l.line_id > COALESCE(c.line_id, 0) AND l.line_id < o.line_id), 0) AS balance
                FROM oldest o LEFT JOIN LATERAL (
                    SELECT line_id, balance FROM ledger_checkpoints
                    WHERE account_id = $1 AND token_id = o.token_id AND line_id < o.line_id
                    ORDER BY line_id DESC LIMIT 1) c ON true
            )
            SELECT p.line_id, p.posting_id, p.kind, p.token_id, t.symbol, t.decimals, p.amount, p.created_at,
                   b.balance + sum(p.amount) OVER (PARTITION BY p.token_id ORDER BY p.line_id) AS balance
            FROM page p JOIN base b USING (token_id) JOIN tokens t USING (token_id) ORDER BY p.line_id DESC
            """,
            account_id,
            token_id,
            before,
            limit,
        )
    return [dict(row) for row in rows]


async def holders(db: Database, token_id: UUID, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Who holds a token in the vault, by user: a page of the cap table."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT b.user_id, a.kind, u.account, u.display_name, b.available, b.locked
            FROM user_balances b JOIN ledger_accounts a ON a.account_id = b.user_id
            LEFT JOIN users u ON u.user_id = b.user_id
            WHERE b.token_id = $1 AND b.available + b.locked > 0 AND ($2::uuid IS NULL OR b.user_id > $2)
            ORDER BY b.user_id LIMIT $3
            """,
            token_id,
            after,
            limit,
        )
    return [dict(row) for row in rows]


async def vault_total(db: Database, token_id: UUID) -> int:
    """What the vault owes of a token: all balances, and what suspense makes up for."""
    async with db.reading() as connection:
        return int(
            await connection.fetchval(
                """
                SELECT (SELECT COALESCE(sum(available + locked), 0) FROM user_balances WHERE token_id = $1)
                     + (SELECT COALESCE(sum(amount), 0) FROM ledger_lines WHERE account_id = $2 AND token_id = $1)
                """,
                token_id,
                SUSPENSE,
            )
        )
