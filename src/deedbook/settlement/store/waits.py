"""SQL of trades that were refused and are looked at again."""

from deedbook.infra.database import Tx
from deedbook.trading.terms import TradeId


async def look_at_once(tx: Tx, trade_id: TradeId) -> str | None:
    """Forget that a trade was refused; why it was."""
    reason: str | None = await tx.fetchval(
        "SELECT reason FROM trade_settlements WHERE trade_id = $1 AND status = 'PENDING'", trade_id
    )
    await tx.execute(
        "UPDATE trade_settlements SET reason = NULL, refused_at = NULL, not_before = NULL, looks = 0, "
        "updated_at = now() WHERE trade_id = $1 AND status = 'PENDING'",
        trade_id,
    )
    return reason
