"""The words of this room: where a trade's settlement stands, batches, and the jobs that see them through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NewType
from uuid import UUID

from deedbook.chain.delivery import FeesFrom
from deedbook.identity.terms import Address
from deedbook.kernel.ids import PairId, TokenId, UserId
from deedbook.kernel.jobs import SETTLEMENT, JobKind
from deedbook.trading.terms import TradeId

BatchId = NewType("BatchId", UUID)


class SettlementStatus(Enum):
    """`UNKNOWN` says that the chain has not answered yet. The last two are final, and only the chain, or a refusal that
    it has told before anything was sent, leads there."""

    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    UNKNOWN = "UNKNOWN"
    SETTLED = "SETTLED"
    FAILED = "FAILED"


S = SettlementStatus
SENT = (S.SUBMITTED, S.UNKNOWN)
FINAL = (S.SETTLED, S.FAILED)
MOVES: Mapping[SettlementStatus, frozenset[SettlementStatus]] = {
    S.PENDING: frozenset({S.SUBMITTED, S.FAILED, S.SETTLED}),
    S.SUBMITTED: frozenset({S.UNKNOWN, S.SETTLED, S.PENDING}),
    S.UNKNOWN: frozenset({S.SETTLED, S.PENDING}),
    S.SETTLED: frozenset(),
    S.FAILED: frozenset(),
}
"""Back to `PENDING` goes what the chain has undone, or not done, for good: it is looked at again."""


class BatchStatus(Enum):
    """A batch that was `CARRIED` is in the chain for good; each of its trades has a fate of its own."""

    SUBMITTED = "SUBMITTED"
    UNKNOWN = "UNKNOWN"
    CARRIED = "CARRIED"
    REVERTED = "REVERTED"


@dataclass(frozen=True)
class Waiting:
    """A trade that waits for its batch, in the order in which trades settle. Amounts in base units."""

    trade_id: TradeId
    place: int
    pair_id: PairId
    buyer_id: UserId
    seller_id: UserId
    base_token_id: TokenId
    quote_token_id: TokenId
    buy_order_id: UUID
    sell_order_id: UUID
    base_amount: int
    quote_amount: int
    buyer_fee: int
    seller_fee: int
    executed_at: datetime
    sends: int
    looks: int
    batch_limit: int | None
    refused_at: datetime | None
    not_before: datetime | None

    def rests_at(self, now: datetime) -> bool:
        """Whether it was refused lately, and is not to be looked at yet."""
        return self.not_before is not None and self.not_before > now

    @property
    def keys(self) -> frozenset[tuple[UserId, TokenId]]:
        """The balances that it moves: trades that share one settle in their order."""
        return frozenset(
            (user_id, token_id)
            for user_id in (self.buyer_id, self.seller_id)
            for token_id in (self.base_token_id, self.quote_token_id)
        )


@dataclass(frozen=True)
class Batch:
    """A transaction that carries trades, as stored."""

    batch_id: BatchId
    number: int
    status: BatchStatus
    trades: int
    gas: int
    tx_hash: str | None
    block_number: int | None


@dataclass(frozen=True)
class PairToList:
    """A pair that the contract does not know yet."""

    pair_id: PairId
    symbol: str
    base: Address
    quote: Address
    fees_from: FeesFrom


@dataclass(frozen=True)
class Figures:
    """How trades are batched. `max_trades` bounds what one look takes up; gas and bytes bound what one transaction
    carries. The oldest waits `wait_each_s` for company for each batch under way, `max_wait_s` at most.
    `most_under_way` counts batches that are not in a block yet: fewer than nonces may be ahead of the chain's.
    `patience_s`: how long a refusal that waiting may mend is looked at again before it is final; a paused token is
    waited for as long as its trades can be settled at all."""

    max_trades: int = 64
    max_wait_s: float = 2.0
    wait_each_s: float = 1.0
    patience_s: float = 60.0
    most_under_way: int = 8
    max_sends: int = 8


DEFAULT_FIGURES = Figures()
SETTLE_BATCH = JobKind("settle-batch", SETTLEMENT)
ADVANCE_SETTLEMENT = JobKind("advance-settlement", SETTLEMENT)
