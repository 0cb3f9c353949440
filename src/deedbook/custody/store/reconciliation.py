"""SQL of reconciliation: what the books say at one moment, and the runs that compared it with the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from deedbook.chain.watch_store import CURSOR
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import TokenId

CHANGED_LINES = 1000
SAMPLE = 100
_GAIN = """CASE e.event_name WHEN 'deposited' THEN 1 WHEN 'mint_credited' THEN 1 WHEN 'withdrawn' THEN -1
                WHEN 'burn_debited' THEN -1 ELSE 0 END"""


@dataclass(frozen=True)
class TokenBooks:
    """What the books say of a token: what all hold, what nobody was given or charged, what the vault owes, and what
    of it has been read from the chain and waits for its effect. In base units."""

    token_id: TokenId
    symbol: str
    token: Address
    held: int
    suspense: int
    owed: int
    in_flight: int


@dataclass(frozen=True)
class AccountBooks:
    """The same of one address in the vault. `unsettled` is what trades have moved in the ledger and not yet in the
    vault as far as it was read, and what the account owes because of one that failed."""

    token: Address
    account: Address
    held: int
    in_flight: int
    unsettled: int

    @property
    def due(self) -> int:
        """What the vault should keep for it."""
        return self.held + self.in_flight - self.unsettled


@dataclass(frozen=True)
class LastRun:
    """Where the run before ended."""

    exact: bool
    seen_tx_id: int
    rotated_to: UUID | None


async def cursor(connection: Any, chain_id: int) -> tuple[int, str] | None:
    """The block up to which the vault's events were read."""
    row = await connection.fetchrow(
        "SELECT block_number, block_hash FROM chain_cursors WHERE chain_id = $1 AND name = $2",
        chain_id,
        CURSOR,
    )
    return (row["block_number"], row["block_hash"]) if row is not None else None


async def tokens(connection: Any, chain_id: int) -> list[TokenBooks]:
    """All tokens that stand on the chain."""
    rows = await connection.fetch(
        f"""
        SELECT t.token_id, t.symbol, t.contract_address AS token,
               COALESCE((SELECT sum(b.available + b.locked) FROM user_balances b
                         WHERE b.token_id = t.token_id), 0) AS held,
               COALESCE(l.suspense, 0) AS suspense, -COALESCE(l.chain, 0) AS owed, COALESCE(f.gain, 0) AS in_flight
        FROM tokens t
        LEFT JOIN (
            SELECT l.token_id, sum(l.amount) FILTER (WHERE a.kind = 'suspense') AS suspense,
                   sum(l.amount) FILTER (WHERE a.kind = 'chain') AS chain
            FROM ledger_accounts a JOIN ledger_lines l USING (account_id)
            WHERE a.kind IN ('chain', 'suspense') GROUP BY l.token_id) AS l USING (token_id)
        LEFT JOIN (
            SELECT e.args ->> 'token' AS token, sum({_GAIN} * (e.args ->> 'amount')::numeric) AS gain
            FROM blockchain_events e WHERE e.chain_id = $1 AND NOT e.processed AND NOT e.orphaned
            GROUP BY 1) AS f ON f.token = t.contract_address
        WHERE t.chain_id = $1 AND t.contract_address IS NOT NULL
        ORDER BY t.symbol LIMIT 5000
        """,
        chain_id,
    )
    return [
        TokenBooks(
            row["token_id"],
            row["symbol"],
            Address(row["token"]),
            *(int(row[name]) for name in ("held", "suspense", "owed", "in_flight")),
        )
        for row in rows
    ]


async def last_run(connection: Any, chain_id: int) -> LastRun | None:
    row = await connection.fetchrow(
        "SELECT exact, seen_tx_id::text::bigint AS seen_tx_id, rotated_to FROM reconciliation_runs "
        "WHERE chain_id = $1 ORDER BY created_at DESC LIMIT 1",
        chain_id,
    )
    return LastRun(**row) if row is not None else None


async def changed(connection: Any, after: int) -> tuple[list[tuple[UUID, UUID]], int]:
    """Balances with new lines since, as (account, token), and from which transaction on the next look begins: what is
    under way may come out with an older one than we have seen. Each transaction is looked at whole."""
    rows = await connection.fetch(
        "SELECT account_id, token_id, tx_id::text::bigint AS tx FROM ledger_lines "
        "WHERE tx_id >= $1::text::xid8 ORDER BY ledger_lines.tx_id FETCH FIRST ($2) ROWS WITH TIES",
        str(after),
        CHANGED_LINES,
    )
    found = list(dict.fromkeys((row["account_id"], row["token_id"]) for row in rows))
    settled = int(await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
    return found, settled if len(rows) < CHANGED_LINES else min(settled, rows[-1]["tx"] + 1)


async def broken(connection: Any, chain_id: int) -> list[tuple[UUID, UUID]]:
    """Balances that the run before found broken, as (account, token): a break is no better for looking elsewhere."""
    rows = await connection.fetch(
        """
        SELECT a.account_id, t.token_id FROM jsonb_to_recordset((
            SELECT breaks FROM reconciliation_runs WHERE chain_id = $1 ORDER BY created_at DESC LIMIT 1
        )) AS b (token text, account text)
        JOIN ledger_accounts a ON a.vault_address = b.account JOIN tokens t ON t.contract_address = b.token
        """,
        chain_id,
    )
    return [(row["account_id"], row["token_id"]) for row in rows]


async def sample(connection: Any, after: UUID | None) -> tuple[list[tuple[UUID, UUID]], UUID | None]:
    """The next balances in turn, each account's all together, and where the turn goes on; from the beginning again
    after the last."""
    rows = await connection.fetch(
        "SELECT user_id, token_id FROM user_balances WHERE $1::uuid IS NULL OR user_id > $1 "
        "ORDER BY user_id FETCH FIRST ($2) ROWS WITH TIES",
        after,
        SAMPLE,
    )
    return [(row["user_id"], row["token_id"]) for row in rows], (
        rows[-1]["user_id"] if len(rows) >= SAMPLE else None
    )


async def accounts(
    connection: Any, chain_id: int, balances: Sequence[tuple[UUID, UUID]]
) -> list[AccountBooks]:
    """What the books say of the addresses behind these balances, and of those that events in flight touch."""
    rows = await connection.fetch(
        """
        WITH moves AS (
            SELECT e.args ->> 'token' AS token, m.account, sum(m.change * (e.args ->> 'amount')::numeric) AS in_flight
            FROM blockchain_events e CROSS JOIN LATERAL (VALUES
                (e.args ->> 'account', CASE WHEN e.event_name IN ('deposited', 'mint_credited') THEN 1
                                            WHEN e.event_name IN ('deposit_relayed', 'trade_settled') THEN 0
                                            ELSE -1 END),
                (CASE WHEN e.event_name IN ('transferred', 'forced_move', 'balance_recovered')
                      THEN e.args ->> 'counterparty' END, 1)) AS m (account, change)
            WHERE e.chain_id = $1 AND NOT e.processed AND NOT e.orphaned AND m.account IS NOT NULL
            GROUP BY 1, 2
        ), wanted AS (
            SELECT t.token_id, t.contract_address AS token, a.vault_address AS account
            FROM unnest($2::uuid[], $3::uuid[]) AS w (account_id, token_id)
            JOIN ledger_accounts a USING (account_id) JOIN tokens t USING (token_id)
            WHERE a.vault_address IS NOT NULL AND t.contract_address IS NOT NULL AND t.chain_id = $1
            UNION
            SELECT t.token_id, m.token, m.account FROM moves m JOIN tokens t ON t.contract_address = m.token
        ), unsettled AS (
            SELECT u.token_id, a.vault_address AS account, sum(u.amount) AS unsettled
            FROM unsettled_moves u JOIN ledger_accounts a USING (account_id) GROUP BY 1, 2
        )
        SELECT w.token, w.account, COALESCE(m.in_flight, 0) AS in_flight, COALESCE(u.unsettled, 0) AS unsettled,
               COALESCE((
            SELECT sum(b.available + b.locked) FROM ledger_accounts a JOIN user_balances b ON b.user_id = a.account_id
            WHERE a.vault_address = w.account AND b.token_id = w.token_id), 0) AS held
        FROM wanted w LEFT JOIN moves m USING (token, account) LEFT JOIN unsettled u USING (token_id, account)
        ORDER BY w.token, w.account
        """,
        chain_id,
        [account_id for account_id, _ in balances],
        [token_id for _, token_id in balances],
    )
    return [
        AccountBooks(
            Address(row["token"]),
            Address(row["account"]),
            *(int(row[name]) for name in ("held", "in_flight", "unsettled")),
        )
        for row in rows
    ]


async def add_run(
    tx: Tx,
    run_id: UUID,
    chain_id: int,
    block_number: int,
    exact: bool,
    found: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    accounts_compared: int,
    seen_tx_id: int,
    rotated_to: UUID | None,
) -> None:
    await tx.execute(
        "INSERT INTO reconciliation_runs (run_id, chain_id, block_number, exact, tokens, breaks, accounts, "
        "seen_tx_id, rotated_to) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::xid8, $9)",
        run_id,
        chain_id,
        block_number,
        exact,
        orjson.dumps(found[0]).decode(),
        orjson.dumps(found[1]).decode(),
        accounts_compared,
        str(seen_tx_id),
        rotated_to,
    )


async def runs(db: Database, before: tuple[Any, UUID] | None, limit: int) -> list[dict[str, Any]]:
    """Runs, newest first."""
    moment, run_id = before or (None, None)
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT run_id, chain_id, block_number, exact, tokens, breaks, accounts, created_at "
            "FROM reconciliation_runs WHERE $1::timestamptz IS NULL OR (created_at, run_id) < ($1, $2) "
            "ORDER BY created_at DESC, run_id DESC LIMIT $3",
            moment,
            run_id,
            limit,
        )
    return [dict(row) for row in rows]
