"""SQL of pledges: what is under way to whom, between an operation's execution and the vault's event."""

from uuid import UUID

from deedbook.compliance.terms import Pledge
from deedbook.infra.database import Tx
from deedbook.kernel.ids import TokenId, UserId


async def under_way(tx: Tx, token_id: TokenId, without: UUID | None) -> dict[UserId, Pledge]:
    """What is under way of a token, by receiver, but for one operation's own."""
    rows = await tx.fetch(
        """
        SELECT p.receiver, sum(p.amount) AS amount,
               bool_and(COALESCE(b.available + b.locked, 0) = 0) AS is_new
        FROM compliance_pledges p
        LEFT JOIN user_balances b ON (b.user_id, b.token_id) = (p.receiver, p.token_id)
        WHERE p.token_id = $1 AND p.operation_id IS DISTINCT FROM $2 GROUP BY p.receiver
        """,
        token_id,
        without,
    )
    return {UserId(row["receiver"]): Pledge(int(row["amount"]), row["is_new"]) for row in rows}


async def add(tx: Tx, operation_id: UUID, token_id: TokenId, receiver: UserId, amount: int) -> None:
    await tx.execute(
        "INSERT INTO compliance_pledges (operation_id, token_id, receiver, amount) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        operation_id,
        token_id,
        receiver,
        amount,
    )


async def remove(tx: Tx, operation_id: UUID) -> None:
    await tx.execute("DELETE FROM compliance_pledges WHERE operation_id = $1", operation_id)
