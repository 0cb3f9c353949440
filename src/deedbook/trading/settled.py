"""What settlement says of trades: where each stands on the chain, and whether a pair takes new orders meanwhile."""

from collections.abc import Sequence
from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId, TokenId, UserId, new_uuid
from deedbook.trading import store
from deedbook.trading.spec import PairSpec


async def spec_of(tx: Tx, pair_id: PairId) -> PairSpec:
    """What the pair of a trade trades by."""
    spec = await store.spec_within(tx, pair_id)
    assert spec is not None, "a trade's pair is never removed"
    return spec


async def mark(tx: Tx, trade_ids: Sequence[UUID], status: str, tx_hash: str | None = None) -> None:
    """Show where these trades stand."""
    await tx.execute(
        "UPDATE trades SET settlement_status = $2, tx_hash = $3 WHERE trade_id = ANY ($1)",
        trade_ids,
        status,
        tx_hash,
    )


async def set_congested(tx: Tx, pair_id: PairId, congested: bool) -> bool:
    """Whether the pair takes cancels alone until the chain has caught up; `False` when nothing changed."""
    return (
        await tx.fetchval(
            "UPDATE trading_pairs SET congested = $2 WHERE pair_id = $1 AND congested <> $2 RETURNING pair_id",
            pair_id,
            congested,
        )
        is not None
    )


async def tell(tx: Tx, pair_id: PairId, facts: Sequence[str]) -> None:
    """Tell live events of a pair. They are none of its matcher's, and have no number in its sequence."""
    await tx.execute(
        "INSERT INTO trading_facts (batch_id, pair_id, facts) VALUES ($1, $2, $3)",
        new_uuid(),
        pair_id,
        "\n".join(facts),
    )


async def end_orders_holding(tx: Tx, user_id: UserId, token_id: TokenId) -> int:
    """Ask for the end of a user's living orders that have set some of this token aside; how many."""
    told = await tx.execute(
        """
        INSERT INTO order_commands (pair_id, kind, order_id, why)
        SELECT o.pair_id, 'CANCEL', o.order_id, 'CANCELLED' FROM orders o JOIN trading_pairs p USING (pair_id)
        WHERE o.user_id = $1 AND o.living
          AND CASE o.side WHEN 'BUY' THEN p.quote_token_id ELSE p.base_token_id END = $2
          AND NOT EXISTS (SELECT 1 FROM order_commands c
                          WHERE c.order_id = o.order_id AND c.kind = 'CANCEL' AND c.match_seq IS NULL)
        ORDER BY o.order_number
        """,
        user_id,
        token_id,
    )
    return int(told.rsplit(" ", 1)[1])
