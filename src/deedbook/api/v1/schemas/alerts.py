"""Bodies about what stands out."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from deedbook.api.v1.schemas.common import Amount, Answer, Moment
from deedbook.custody.throughput import Passage
from deedbook.identity import checksum_address
from deedbook.kernel.amounts import to_text
from deedbook.trading.conduct import Conduct


class AlertKind(StrEnum):
    """What stands out. `SELF_TRADES`: orders keep ending because they met the same user's. `TAKEN_BACK`: nearly all of
    many orders were cancelled unfilled. `IN_AND_OUT`: nearly all that came is handed on again, to a wallet or to
    another account."""

    SELF_TRADES = "SELF_TRADES"
    TAKEN_BACK = "TAKEN_BACK"
    IN_AND_OUT = "IN_AND_OUT"


class AlertAnswer(Answer):
    """Something to look into, of one user: `count` of so many `orders`, or so much of a token that came and went."""

    kind: AlertKind
    user_id: UUID
    account: str
    count: int | None = None
    orders: int | None = None
    symbol: str | None = None
    brought_in: Amount | None = None
    taken_out: Amount | None = None
    first_at: Moment
    last_at: Moment

    @classmethod
    def of_conduct(cls, found: Conduct) -> "list[AlertAnswer]":
        told: dict[str, Any] = {
            "user_id": found.user_id,
            "account": checksum_address(found.account),
            "orders": found.orders,
            "first_at": found.first_at,
            "last_at": found.last_at,
        }
        alerts = []
        if found.meets_itself:
            alerts.append(cls(kind=AlertKind.SELF_TRADES, count=found.self_trades, **told))
        if found.takes_back:
            alerts.append(cls(kind=AlertKind.TAKEN_BACK, count=found.taken_back, **told))
        return alerts

    @classmethod
    def of_passage(cls, found: Passage) -> "AlertAnswer":
        return cls(
            kind=AlertKind.IN_AND_OUT,
            user_id=found.user_id,
            account=checksum_address(found.account),
            symbol=found.symbol,
            brought_in=to_text(found.brought_in, found.decimals),
            taken_out=to_text(found.taken_out, found.decimals),
            first_at=found.first_at,
            last_at=found.last_at,
        )


class AlertsAnswer(Answer):
    """What stands out since a moment, the latest first."""

    since: Moment
    alerts: list[AlertAnswer]
