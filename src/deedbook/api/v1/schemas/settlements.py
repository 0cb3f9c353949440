"""Bodies about settlements."""

from typing import Any
from uuid import UUID

from deedbook.api.v1.schemas.common import Answer, Moment
from deedbook.api.v1.schemas.custody import OnChainAnswer
from deedbook.settlement.views import Summary


class SettlementAnswer(Answer):
    """Where a trade stands on the chain. `reason` says why it waits or has failed; `txHash` is the transaction that has
    settled it, `onChain` the one that is about to."""

    trade_id: UUID
    trading_pair_id: UUID
    pair: str
    status: str
    reason: str | None
    tx_hash: str | None
    executed_at: Moment
    submitted_at: Moment | None
    finished_at: Moment | None
    on_chain: OnChainAnswer | None = None

    @classmethod
    def of(cls, row: dict[str, Any], on_chain: OnChainAnswer | None = None) -> "SettlementAnswer":
        return cls(**_shared(row), on_chain=on_chain)


class SettlementDeskAnswer(SettlementAnswer):
    """The same for operators: whose it is, in which batch, how often it was sent, and when it is looked at again."""

    buyer_id: UUID
    seller_id: UUID
    batch_id: UUID | None
    sends: int
    next_look_at: Moment | None

    @classmethod
    def of(cls, row: dict[str, Any], on_chain: OnChainAnswer | None = None) -> "SettlementDeskAnswer":
        return cls(
            **_shared(row),
            on_chain=on_chain,
            buyer_id=row["buyer_id"],
            seller_id=row["seller_id"],
            batch_id=row["batch_id"],
            sends=row["sends"],
            next_look_at=row["not_before"],
        )


class SettlementSummaryAnswer(Answer):
    """Settlement in figures. Lag is from match to final, in seconds, of the last batches; gas is theirs too."""

    by_status: dict[str, int]
    failures_by_reason: dict[str, int]
    waiting_by_reason: dict[str, int]
    open_batches: int
    oldest_open_s: float
    settled: int
    gas_per_trade: int | None
    lag_p50_s: float
    lag_p99_s: float

    @classmethod
    def of(cls, told: Summary) -> "SettlementSummaryAnswer":
        return cls(
            by_status=told.by_status,
            failures_by_reason=told.failures,
            waiting_by_reason=told.waiting_by_reason,
            open_batches=told.batches_open,
            oldest_open_s=told.oldest_open_s,
            settled=told.settled,
            gas_per_trade=told.gas_per_trade,
            lag_p50_s=told.lag_p50_s,
            lag_p99_s=told.lag_p99_s,
        )


def _shared(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "trade_id": row["trade_id"],
        "trading_pair_id": row["pair_id"],
        "pair": row["symbol"],
        "status": row["status"],
        "reason": row["reason"],
        "tx_hash": row["tx_hash"],
        "executed_at": row["executed_at"],
        "submitted_at": row["submitted_at"],
        "finished_at": row["finished_at"],
    }
