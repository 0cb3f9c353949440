"""Bodies about balances and statements. Amounts in whole tokens, exact."""

from typing import Any
from uuid import UUID

from deedbook.api.v1.schemas.common import Answer, Moment
from deedbook.kernel.amounts import to_text


class BalanceAnswer(Answer):
    """What somebody has of a token: `available` can be spent, `locked` is set aside, `total` is both."""

    token_id: UUID
    symbol: str
    available: str
    locked: str
    total: str

    @classmethod
    def of(cls, row: dict[str, Any]) -> "BalanceAnswer":
        available, locked, decimals = int(row["available"]), int(row["locked"]), row["decimals"]
        return cls(
            token_id=row["token_id"],
            symbol=row["symbol"],
            available=to_text(available, decimals),
            locked=to_text(locked, decimals),
            total=to_text(available + locked, decimals),
        )


class LineTradeAnswer(Answer):
    """The trade that made a line, or that a line undoes because it will never settle. `price` is that of one base token
    of the pair in `priceSymbol`. `fee` is in the line's own token, and taken of its `amount` already; below zero where
    it was given back; null where the fee of this side is taken in the pair's other token."""

    id: UUID
    pair: str
    side: str
    price: str
    price_symbol: str
    fee: str | None


class LineAnswer(Answer):
    """A line of my ledger: what changed, why, and what I had of this token after it. `trade` is null for everything
    that is none."""

    id: int
    posting_id: UUID
    kind: str
    token_id: UUID
    symbol: str
    amount: str
    balance: str
    created_at: Moment
    trade: LineTradeAnswer | None

    @classmethod
    def of(cls, row: dict[str, Any], trade: dict[str, Any] | None) -> "LineAnswer":
        return cls(
            id=row["line_id"],
            posting_id=row["posting_id"],
            kind=row["kind"],
            token_id=row["token_id"],
            symbol=row["symbol"],
            amount=to_text(int(row["amount"]), row["decimals"]),
            balance=to_text(int(row["balance"]), row["decimals"]),
            created_at=row["created_at"],
            trade=LineTradeAnswer.model_validate(trade) if trade else None,
        )
