"""Deposits, withdrawals and transfers as screens show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.chain.views import Depth
from deedbook.chain.watch_store import CURSOR
from deedbook.custody.store.deposits import COLUMNS as DEPOSIT
from deedbook.custody.store.deposits import deposit_of
from deedbook.custody.store.transfers import COLUMNS as TRANSFER
from deedbook.custody.store.transfers import transfer_of
from deedbook.custody.store.withdrawals import COLUMNS as WITHDRAWAL
from deedbook.custody.store.withdrawals import Destinations, withdrawal_of
from deedbook.custody.terms import Deposit, DepositId, Listed, Transfer, Withdrawal, WithdrawalStatus
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId

After = tuple[datetime, UUID] | None


@dataclass(frozen=True)
class InToken:
    """How amounts of the token beside it are written."""

    symbol: str
    decimals: int


async def deposits(db: Database, user_id: UserId, after: After, limit: int) -> list[tuple[Deposit, InToken]]:
    """A user's deposits, newest first."""
    query = f"""
        SELECT {DEPOSIT} FROM deposits
        WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (created_at, deposit_id) < ($2, $3))
        ORDER BY created_at DESC, deposit_id DESC LIMIT $4
    """
    rows = await _rows(db, query, "created_at DESC, deposit_id DESC", user_id, *_parts(after), limit)
    return [(deposit_of(row), token) for row, token in rows]


async def deposit(db: Database, deposit_id: UUID) -> tuple[Deposit, InToken] | None:
    rows = await _rows(db, f"SELECT {DEPOSIT} FROM deposits WHERE deposit_id = $1", "1", deposit_id)
    return next(((deposit_of(row), token) for row, token in rows), None)


async def withdrawals(
    db: Database, user_id: UserId | None, status: WithdrawalStatus | None, after: After, limit: int
) -> list[tuple[Withdrawal, InToken]]:
    """Withdrawals of one user, or of all, newest first."""
    query = f"""
        SELECT {WITHDRAWAL} FROM withdrawal_requests
        WHERE ($1::uuid IS NULL OR user_id = $1) AND ($2::text IS NULL OR status = $2)
          AND ($3::timestamptz IS NULL OR (created_at, withdrawal_id) < ($3, $4))
        ORDER BY created_at DESC, withdrawal_id DESC LIMIT $5
    """
    wanted = status.value if status is not None else None
    order = "created_at DESC, withdrawal_id DESC"
    rows = await _rows(db, query, order, user_id, wanted, *_parts(after), limit)
    return [(withdrawal_of(row), token) for row, token in rows]


async def withdrawal(db: Database, withdrawal_id: UUID) -> tuple[Withdrawal, InToken] | None:
    query = f"SELECT {WITHDRAWAL} FROM withdrawal_requests WHERE withdrawal_id = $1"
    rows = await _rows(db, query, "1", withdrawal_id)
    return next(((withdrawal_of(row), token) for row, token in rows), None)


async def transfers(
    db: Database, user_id: UserId, after: After, limit: int
) -> list[tuple[Transfer, InToken]]:
    """What a user has given and was given, newest first."""
    page = """
        SELECT {columns} FROM transfers
        WHERE {side} = $1 AND ($2::timestamptz IS NULL OR (created_at, transfer_id) < ($2, $3))
        ORDER BY created_at DESC, transfer_id DESC LIMIT $4
    """
    sides = [page.format(columns=TRANSFER, side=side) for side in ("from_user_id", "to_user_id")]
    order = "created_at DESC, transfer_id DESC"
    query = f"SELECT * FROM (({sides[0]}) UNION ALL ({sides[1]})) AS sides ORDER BY {order} LIMIT $4"
    rows = await _rows(db, query, order, user_id, *_parts(after), limit)
    return [(transfer_of(row), token) for row, token in rows]


async def transfer(db: Database, transfer_id: UUID) -> tuple[Transfer, InToken] | None:
    rows = await _rows(db, f"SELECT {TRANSFER} FROM transfers WHERE transfer_id = $1", "1", transfer_id)
    return next(((transfer_of(row), token) for row, token in rows), None)


async def destinations(db: Database, user_id: UserId) -> tuple[Destinations, list[Listed]]:
    """How a user restricts where their money goes, and their list."""
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT allow_list_only, open_from FROM withdrawal_settings WHERE user_id = $1", user_id
        )
        rows = await connection.fetch(
            "SELECT address, label, usable_from FROM withdrawal_addresses WHERE user_id = $1 ORDER BY created_at, "
            "address LIMIT 1000",
            user_id,
        )
    wanted = Destinations(row["allow_list_only"], row["open_from"]) if row else Destinations(False, None)
    return wanted, [Listed(**dict(listed)) for listed in rows]


async def arriving(db: Database, chain_id: int, user_id: UserId, account: Address) -> dict[DepositId, Depth]:
    """How deep lies what this user's own wallet has sent and the vault has told of. It is for the deposits that it will
    be credited to: the oldest of the same token and amount that nobody brings for them."""
    async with db.reading() as connection:
        rows = await connection.fetch(_ARRIVING, chain_id, CURSOR, user_id, account)
    return {row["deposit_id"]: Depth(row["tx_hash"], row["confirmations"]) for row in rows}


_ARRIVING = """
    WITH waiting AS (
        SELECT deposit_id, token_id, amount,
               row_number() OVER (PARTITION BY token_id, amount ORDER BY created_at, deposit_id) AS turn
        FROM deposits WHERE user_id = $3 AND status = 'REQUESTED' AND NOT relayed
    ), seen AS (
        SELECT t.token_id, (e.args ->> 'amount')::numeric AS amount, e.tx_hash,
               c.block_number - e.block_number + 1 AS confirmations,
               row_number() OVER (PARTITION BY t.token_id, e.args ->> 'amount'
                                  ORDER BY e.block_number, e.log_index) AS turn
        FROM blockchain_events e JOIN tokens t ON t.contract_address = e.args ->> 'token'
        JOIN chain_cursors c ON c.chain_id = e.chain_id AND c.name = $2
        WHERE e.chain_id = $1 AND NOT e.processed AND NOT e.orphaned AND e.event_name = 'deposited'
          AND e.args ->> 'account' = $4 AND NOT EXISTS (
            SELECT 1 FROM blockchain_events told
            WHERE (told.chain_id, told.tx_hash, told.event_name) = (e.chain_id, e.tx_hash, 'deposit_relayed'))
    )
    SELECT deposit_id, tx_hash, confirmations FROM waiting JOIN seen USING (token_id, amount, turn)
"""


async def balances_of(db: Database, user_ids: list[UUID]) -> list[dict[str, Any]]:
    """What these users have of every token that they ever had."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT b.user_id, b.token_id, b.available, b.locked, t.decimals FROM user_balances b "
            "JOIN tokens t USING (token_id) WHERE b.user_id = ANY ($1)",
            user_ids,
        )
    return [dict(row) for row in rows]


_SIGNED = {
    "deposit": ("Deposit", "deposits", "deposit_id", "user_id"),
    "withdrawal": ("Withdrawal", "withdrawal_requests", "withdrawal_id", "user_id"),
    "transfer": ("Transfer", "transfers", "transfer_id", "from_user_id"),
}


async def signed_of(
    db: Database, kind: str, action_id: UUID, user_id: UserId
) -> tuple[str, dict[str, Any], str] | None:
    """What this user has signed for a deposit, withdrawal or transfer: the name of its type, its text and its hash.
    `None` where nothing was, or another has: who is given something sees no signature of who gives."""
    if kind not in _SIGNED:
        return None
    struct, table, key, signer = _SIGNED[kind]
    async with db.reading() as connection:
        row = await connection.fetchrow(
            f"SELECT signed_text, digest FROM {table} "
            f"WHERE ({key}, {signer}) = ($1, $2) AND signed_text IS NOT NULL AND digest IS NOT NULL",
            action_id,
            user_id,
        )
    return (struct, row["signed_text"], "0x" + bytes(row["digest"]).hex()) if row else None


async def _rows(db: Database, query: str, order: str, *values: Any) -> list[tuple[dict[str, Any], InToken]]:
    """The rows of a query, each with the token that its amounts are of."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"SELECT page.*, t.symbol, t.decimals FROM ({query}) AS page JOIN tokens t USING (token_id) "
            f"ORDER BY {order.replace('created_at', 'page.created_at')}",
            *values,
        )
    found = []
    for row in rows:
        fields = dict(row)
        found.append((fields, InToken(fields.pop("symbol"), fields.pop("decimals"))))
    return found


def _parts(after: After) -> tuple[datetime | None, UUID | None]:
    return after if after is not None else (None, None)
