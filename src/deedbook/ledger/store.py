"""SQL of this room: balances, lines and holds. Money moves through `ledger_apply` alone."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId, TokenId
from deedbook.ledger.errors import InsufficientFunds, NoSuchHold, PostingExists
from deedbook.ledger.model import Delta, Hold, Line
from deedbook.ledger.terms import TREASURY, AccountId, AccountKind, HoldOwner

INSUFFICIENT = "DL002"


async def apply(tx: Tx, lines: Sequence[Line], deltas: Sequence[Delta]) -> None:
    """Change the balances and write the lines that explain it, or nothing at all.

    Raises:
        InsufficientFunds: a balance would fall below zero.
        PostingExists: one of the postings was made before. The transaction cannot go on after either.
    """
    try:
        await tx.execute(
            "SELECT ledger_apply($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [line.posting_id for line in lines],
            [line.kind.value for line in lines],
            [line.account_id for line in lines],
            [line.token_id for line in lines],
            [line.amount for line in lines],
            [delta.account_id for delta in deltas],
            [delta.token_id for delta in deltas],
            [delta.available for delta in deltas],
            [delta.locked for delta in deltas],
        )
    except asyncpg.UniqueViolationError as error:
        raise PostingExists from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == INSUFFICIENT:
            raise InsufficientFunds from error
        raise


async def posted(tx: Tx, posting_id: UUID) -> bool:
    """Whether this posting was made."""
    return bool(
        await tx.fetchval("SELECT EXISTS (SELECT 1 FROM ledger_lines WHERE posting_id = $1)", posting_id)
    )


async def add_hold(tx: Tx, hold: Hold) -> bool:
    """Insert a hold; `False` when something is held for its owner already."""
    return (
        await tx.fetchval(
            "INSERT INTO holds (owner_type, owner_id, account_id, token_id, amount) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT DO NOTHING RETURNING owner_id",
            hold.owner.value,
            hold.owner_id,
            hold.account_id,
            hold.token_id,
            hold.amount,
        )
        is not None
    )


async def take_hold(tx: Tx, owner: HoldOwner, owner_id: UUID, amount: int | None) -> Hold:
    """Take `amount` out of a hold, or all of it; a hold that is used up is gone.

    Raises:
        NoSuchHold: there is none, or it is smaller.
    """
    row = await tx.fetchrow(
        "SELECT account_id, token_id, amount FROM holds WHERE owner_type = $1 AND owner_id = $2 FOR UPDATE",
        owner.value,
        owner_id,
    )
    if row is None or (amount is not None and amount > row["amount"]):
        raise NoSuchHold(f"nothing, or less, is held for {owner.value} {owner_id}")
    held = int(row["amount"])
    taken = held if amount is None else amount
    if taken == held:
        await tx.execute("DELETE FROM holds WHERE owner_type = $1 AND owner_id = $2", owner.value, owner_id)
    else:
        await tx.execute(
            "UPDATE holds SET amount = amount - $3 WHERE owner_type = $1 AND owner_id = $2",
            owner.value,
            owner_id,
            taken,
        )
    return Hold(owner, owner_id, AccountId(row["account_id"]), TokenId(row["token_id"]), taken)


async def balance(tx: Tx, account_id: AccountId, token_id: TokenId) -> tuple[int, int]:
    """Available and locked."""
    row = await tx.fetchrow(
        "SELECT available, locked FROM user_balances WHERE user_id = $1 AND token_id = $2",
        account_id,
        token_id,
    )
    return (int(row["available"]), int(row["locked"])) if row else (0, 0)


async def lock_available(
    tx: Tx, balances: Sequence[tuple[AccountId, TokenId]]
) -> dict[tuple[AccountId, TokenId], int]:
    """What is available in each of these balances, held so until the commit; locked in the order in which all lock."""
    rows = await tx.fetch(
        """
        SELECT b.user_id, b.token_id, b.available FROM user_balances b
        JOIN unnest($1::uuid[], $2::uuid[]) AS w (user_id, token_id) USING (user_id, token_id)
        ORDER BY b.user_id, b.token_id FOR NO KEY UPDATE OF b
        """,
        [account_id for account_id, _ in balances],
        [token_id for _, token_id in balances],
    )
    return {(AccountId(row["user_id"]), TokenId(row["token_id"])): int(row["available"]) for row in rows}


async def add_fee_account(tx: Tx, account_id: AccountId, pair_id: PairId) -> None:
    await tx.execute(
        "INSERT INTO ledger_accounts (account_id, kind, vault_address, pair_id) "
        "SELECT $1, 'fee', vault_address, $2 FROM ledger_accounts WHERE account_id = $3 ON CONFLICT DO NOTHING",
        account_id,
        pair_id,
        TREASURY,
    )


async def set_vault_address(tx: Tx, kinds: Sequence[AccountKind], vault_address: str) -> None:
    await tx.execute(
        "UPDATE ledger_accounts SET vault_address = $2 WHERE kind = ANY ($1) AND vault_address IS DISTINCT FROM $2",
        [kind.value for kind in kinds],
        vault_address,
    )


async def house_address(tx: Tx) -> Address | None:
    """At which address the vault keeps what is the platform's own, where that was said."""
    found = await tx.fetchval("SELECT vault_address FROM ledger_accounts WHERE account_id = $1", TREASURY)
    return Address(found) if found is not None else None


async def holders(tx: Tx, token_id: TokenId) -> int:
    """How many users hold some of this token."""
    return int(
        await tx.fetchval(
            "SELECT count(*) FROM user_balances b JOIN ledger_accounts a ON a.account_id = b.user_id "
            "WHERE b.token_id = $1 AND a.kind = 'user' AND b.available + b.locked > 0",
            token_id,
        )
    )


async def leaving(tx: Tx, account_id: AccountId, token_id: TokenId) -> int:
    """What is set aside there for withdrawals and transfers."""
    return int(
        await tx.fetchval(
            "SELECT COALESCE(sum(amount), 0) FROM holds WHERE account_id = $1 AND token_id = $2",
            account_id,
            token_id,
        )
    )


async def received_since(tx: Tx, account_id: AccountId, token_id: TokenId, days: int) -> int:
    """What came in during the last days: the lots that a lock-up of so many days still binds."""
    return int(
        await tx.fetchval(
            "SELECT COALESCE(sum(amount), 0) FROM ledger_lines WHERE account_id = $1 AND token_id = $2 "
            "AND amount > 0 AND created_at > now() - make_interval(days => $3)",
            account_id,
            token_id,
            days,
        )
    )


async def behind_checkpoint(tx: Tx, lines_each: int, limit: int) -> list[Any]:
    """Balances whose newest checkpoint lies more than so many lines back."""
    return await tx.fetch(
        """
        SELECT b.user_id AS account_id, b.token_id, COALESCE(c.line_id, 0) AS line_id, COALESCE(c.balance, 0) AS balance
        FROM user_balances b
        LEFT JOIN LATERAL (SELECT line_id, balance FROM ledger_checkpoints
                           WHERE account_id = b.user_id AND token_id = b.token_id
                           ORDER BY line_id DESC LIMIT 1) c ON true
        WHERE EXISTS (SELECT 1 FROM ledger_lines WHERE account_id = b.user_id AND token_id = b.token_id
                      AND line_id > COALESCE(c.line_id, 0) OFFSET $1)
        LIMIT $2
        """,
        lines_each,
        limit,
    )


async def add_checkpoint(
    tx: Tx, account_id: AccountId, token_id: TokenId, after: int, balance: int, lines: int
) -> None:
    """Write down the balance `lines` lines further on."""
    await tx.execute(
        """
        INSERT INTO ledger_checkpoints (account_id, token_id, line_id, balance)
        SELECT $1, $2, max(line_id), $4 + sum(amount)
        FROM (SELECT line_id, amount FROM ledger_lines WHERE account_id = $1 AND token_id = $2 AND line_id > $3
              ORDER BY line_id LIMIT $5) AS next
        HAVING count(*) = $5
        ON CONFLICT DO NOTHING
        """,
        account_id,
        token_id,
        after,
        balance,
        lines,
    )
