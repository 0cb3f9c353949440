"""SQL of what the vault can pay out of an account: without what trades have brought and the chain has not settled."""

from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import TokenId, UserId


async def covered(tx: Tx, user_id: UserId, token_id: TokenId, but: UUID) -> int:
    """What an account has in the vault beyond what is spoken for: without proceeds of trades that are not settled, and
    without what other withdrawals and transfers are taking out already. `but` is the operation that asks.

    What trades have sold stays counted out: it may leave the vault before their proceeds enter.
    """
    return int(
        await tx.fetchval(
            """
            SELECT COALESCE((SELECT available + locked FROM user_balances WHERE user_id = $1 AND token_id = $2), 0)
                 - COALESCE((SELECT sum(amount) FROM unsettled_moves
                             WHERE account_id = $1 AND token_id = $2 AND amount > 0), 0)
                 - COALESCE((SELECT sum(amount) FROM withdrawal_requests
                             WHERE user_id = $1 AND token_id = $2 AND withdrawal_id <> $3
                               AND status IN ('PROCESSING', 'SUBMITTED', 'UNKNOWN')), 0)
                 - COALESCE((SELECT sum(amount) FROM transfers t
                             WHERE from_user_id = $1 AND token_id = $2 AND transfer_id <> $3
                               AND (status IN ('SUBMITTED', 'UNKNOWN') OR (status = 'PENDING' AND EXISTS (
                                   SELECT 1 FROM chain_transactions c WHERE c.key = 'transfer-' || t.transfer_id)))), 0)
            """,
            user_id,
            token_id,
            but,
        )
    )


async def not_sent(tx: Tx, user_id: UserId, token_id: TokenId) -> list[tuple[str, UUID]]:
    """Withdrawals and transfers of a user that nothing was asked of the chain for, the newest first."""
    rows = await tx.fetch(
        """
        SELECT * FROM (
            SELECT 'withdrawal' AS kind, withdrawal_id AS id, created_at FROM withdrawal_requests
            WHERE user_id = $1 AND token_id = $2 AND status IN ('PENDING_APPROVAL', 'APPROVED')
            UNION ALL
            SELECT 'transfer', transfer_id, created_at FROM transfers t
            WHERE from_user_id = $1 AND token_id = $2 AND status = 'PENDING' AND NOT EXISTS (
                SELECT 1 FROM chain_transactions c WHERE c.key = 'transfer-' || t.transfer_id)) AS open
        ORDER BY created_at DESC LIMIT 50
        """,
        user_id,
        token_id,
    )
    return [(row["kind"], row["id"]) for row in rows]
