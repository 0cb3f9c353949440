"""Bodies about reconciliation. Amounts are in the token's smallest unit, as text: exactness is the point."""

from typing import Any
from uuid import UUID

from deedbook.api.v1.schemas.common import Answer, Moment


class TokenFigures(Answer):
    """A token in the books and on the chain. The vault owes `owed` + `inFlight`, and holds at least that."""

    symbol: str
    token: str
    held: str
    suspense: str
    owed: str
    in_flight: str
    vault_owes: str
    vault_holds: str


class BreakAnswer(Answer):
    """A difference that nothing explains; `account` is empty where it is the token's total."""

    token: str
    account: str
    ledger: str
    chain: str
    difference: str
    explanation: str


class RunAnswer(Answer):
    """One comparison of ledger and vault. `accounts` is how many balances were compared beside the totals."""

    id: UUID
    chain_id: int
    block_number: int
    exact: bool
    tokens: list[TokenFigures]
    breaks: list[BreakAnswer]
    accounts: int
    created_at: Moment

    @classmethod
    def of(cls, row: dict[str, Any]) -> "RunAnswer":
        return cls.model_validate({**row, "id": row["run_id"]})


class RunRequested(Answer):
    """The job that compares."""

    job_id: str
