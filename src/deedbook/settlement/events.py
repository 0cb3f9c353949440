"""Facts of this room, for operators and for what follows from them. The parties themselves hear the live events
`trade.settled` and `trade.settlement_failed`."""

from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import PairId, TokenId, UserId
from deedbook.ledger import AccountId
from deedbook.settlement.terms import BatchId
from deedbook.trading.terms import TradeId

_OPERATORS = Audience.OPERATORS


@fact("settlement.submitted", stream="batch_id", audience=_OPERATORS)
class SettlementSubmitted(Fact):
    """A transaction that carries these trades was asked for."""

    batch_id: BatchId
    trade_ids: tuple[TradeId, ...]


@fact("settlement.doubted", stream="batch_id", audience=_OPERATORS)
class SettlementInDoubt(Fact):
    """The chain has not answered in time. It may answer yet."""

    batch_id: BatchId


@fact("settlement.carried", stream="batch_id", audience=_OPERATORS)
class SettlementCarried(Fact):
    """The transaction is final; the contract's events say what became of each trade."""

    batch_id: BatchId
    tx_hash: str


@fact("settlement.reverted", stream="batch_id", audience=_OPERATORS)
class SettlementReverted(Fact):
    """The transaction was undone for good; its trades are tried again, in smaller batches."""

    batch_id: BatchId
    reason: str


@fact("settlement.settled", stream="trade_id", audience=_OPERATORS)
class SettlementDone(Fact):
    """The vault has moved both legs and both fees of a trade."""

    trade_id: TradeId
    trading_pair_id: PairId
    buyer_id: UserId
    seller_id: UserId
    tx_hash: str


@fact("settlement.not_settled", stream="trade_id", audience=_OPERATORS)
class SettlementUndone(Fact):
    """The transaction that carried a trade has not settled it, for good; it is looked at again."""

    trade_id: TradeId
    batch_id: BatchId
    reason: str


@fact("settlement.failed", stream="trade_id", audience=_OPERATORS)
class SettlementFailed(Fact):
    """A trade will never settle. New ledger lines have given both sides back what it took."""

    trade_id: TradeId
    trading_pair_id: PairId
    buyer_id: UserId
    seller_id: UserId
    reason: str


@fact("settlement.claim_raised", stream="trade_id", audience=_OPERATORS)
class SettlementClaimRaised(Fact):
    """An account has passed on what a failed trade had given it: it owes so much, and suspense stands in for it.
    Amount in base units."""

    trade_id: TradeId
    account_id: AccountId
    token_id: TokenId
    amount: str


@fact("settlement.claim_settled", stream="trade_id", audience=_OPERATORS)
class SettlementClaimPaid(Fact):
    """So much of a claim was taken from what the account has now. Amounts in base units."""

    trade_id: TradeId
    account_id: AccountId
    token_id: TokenId
    amount: str
    left: str


@fact("settlement.retried", stream="trade_id", audience=_OPERATORS)
class SettlementRetried(Fact):
    """An operator had a trade that waits looked at again at once."""

    trade_id: TradeId
    operator_id: UserId


@fact("settlement.pair_listed", stream="trading_pair_id", audience=_OPERATORS)
class SettlementPairListed(Fact):
    """The contract knows the pair by the symbol that orders are signed with."""

    trading_pair_id: PairId
    symbol: str


@fact("settlement.backlog_changed", stream="trading_pair_id")
class SettlementBacklogChanged(Fact):
    """A pair takes cancels alone because too many of its trades wait for the chain, or takes orders again."""

    trading_pair_id: PairId
    congested: bool
    unsettled: int
