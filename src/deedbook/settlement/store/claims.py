"""SQL of a failed trade's lines, and of claims: what accounts owe because they have passed on what it gave them."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from deedbook.infra.database import Tx
from deedbook.kernel.ids import TokenId
from deedbook.ledger import AccountId
from deedbook.settlement.model import Balance, Claim
from deedbook.trading.terms import TradeId


async def lines_of(tx: Tx, trade_id: TradeId) -> dict[Balance, int]:
    """What a trade has moved in the ledger."""
    rows = await tx.fetch(
        "SELECT account_id, token_id, sum(amount) AS amount FROM ledger_lines WHERE posting_id = $1 GROUP BY 1, 2",
        trade_id,
    )
    return {(AccountId(row["account_id"]), TokenId(row["token_id"])): int(row["amount"]) for row in rows}


async def lock_claims(tx: Tx, balances: Collection[Balance]) -> dict[Balance, list[Claim]]:
    """What these accounts owe, the oldest first, nobody else's to change until the commit."""
    rows = await tx.fetch(
        """
        SELECT c.trade_id, c.account_id, c.token_id, c.amount FROM settlement_claims c
        JOIN unnest($1::uuid[], $2::uuid[]) AS b (account_id, token_id) USING (account_id, token_id)
        WHERE c.amount > 0 ORDER BY c.account_id, c.token_id, c.created_at, c.trade_id FOR UPDATE OF c
        """,
        [account_id for account_id, _ in balances],
        [token_id for _, token_id in balances],
    )
    found: dict[Balance, list[Claim]] = defaultdict(list)
    for row in rows:
        key = AccountId(row["account_id"]), TokenId(row["token_id"])
        found[key].append(Claim(TradeId(row["trade_id"]), *key, int(row["amount"])))
    return found


async def raise_claims(tx: Tx, claims: Sequence[Claim]) -> None:
    await tx.executemany(
        "INSERT INTO settlement_claims (trade_id, account_id, token_id, raised, amount) VALUES ($1, $2, $3, $4, $4)",
        [(claim.trade_id, claim.account_id, claim.token_id, claim.amount) for claim in claims],
    )


async def pay_claim(tx: Tx, paid: Claim) -> int:
    """Write that so much of a claim is paid; what is left of it."""
    return int(
        await tx.fetchval(
            "UPDATE settlement_claims SET amount = amount - $4, updated_at = now() "
            "WHERE trade_id = $1 AND account_id = $2 AND token_id = $3 RETURNING amount",
            paid.trade_id,
            paid.account_id,
            paid.token_id,
            paid.amount,
        )
    )


async def owing(tx: Tx, limit: int) -> list[Balance]:
    """Accounts that owe something, and have some of it now or have set some of it aside."""
    rows = await tx.fetch(
        "SELECT DISTINCT c.account_id, c.token_id FROM settlement_claims c "
        "JOIN user_balances b ON (b.user_id, b.token_id) = (c.account_id, c.token_id) "
        "WHERE c.amount > 0 AND b.available + b.locked > 0 ORDER BY 1, 2 LIMIT $1",
        limit,
    )
    return [(AccountId(row["account_id"]), TokenId(row["token_id"])) for row in rows]


async def owes(tx: Tx, account_id: AccountId, token_id: TokenId) -> bool:
    """Whether an account owes something of this token."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM settlement_claims WHERE account_id = $1 AND token_id = $2 AND amount > 0)",
            account_id,
            token_id,
        )
    )
