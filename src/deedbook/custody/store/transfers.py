"""SQL of transfers between accounts."""

from collections.abc import Sequence
from typing import Any

import orjson

from deedbook.custody.terms import Signed, Transfer, TransferId, TransferStatus
from deedbook.identity import SignedAction
from deedbook.infra.database import Tx

COLUMNS = """transfer_id, from_user_id, to_user_id, token_id, amount, status, reason, expires_at, tx_hash, created_at,
    updated_at"""


async def add(tx: Tx, transfer: Transfer, action: SignedAction) -> Transfer:
    row = await tx.fetchrow(
        f"""
        INSERT INTO transfers (transfer_id, from_user_id, to_user_id, token_id, amount, status, digest, signature,
                               signed_text, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING {COLUMNS}
        """,
        transfer.transfer_id,
        transfer.from_user_id,
        transfer.to_user_id,
        transfer.token_id,
        transfer.amount,
        transfer.status.value,
        action.digest,
        action.signature,
        orjson.dumps(dict(action.text)).decode(),
        transfer.expires_at,
    )
    return transfer_of(row)


async def lock(tx: Tx, transfer_id: TransferId) -> Transfer | None:
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM transfers WHERE transfer_id = $1 FOR UPDATE", transfer_id)
    return transfer_of(row) if row else None


async def signed(tx: Tx, transfer_id: TransferId) -> Signed:
    """What was signed for this transfer, for the contract."""
    row = await tx.fetchrow(
        "SELECT signed_text, signature FROM transfers WHERE transfer_id = $1", transfer_id
    )
    assert row is not None
    return Signed(row["signed_text"], row["signature"])


async def save(tx: Tx, transfer: Transfer) -> Transfer:
    row = await tx.fetchrow(
        f"UPDATE transfers SET status = $2, reason = $3, tx_hash = $4, updated_at = now() WHERE transfer_id = $1 "
        f"RETURNING {COLUMNS}",
        transfer.transfer_id,
        transfer.status.value,
        transfer.reason,
        transfer.tx_hash,
    )
    return transfer_of(row)


async def stale(
    tx: Tx, statuses: Sequence[TransferStatus], older_than_s: int, limit: int
) -> list[TransferId]:
    """Transfers that have stood there for long, the oldest first."""
    rows = await tx.fetch(
        "SELECT transfer_id FROM transfers WHERE status = ANY ($1) "
        "AND updated_at < now() - make_interval(secs => $2) ORDER BY created_at LIMIT $3",
        [status.value for status in statuses],
        older_than_s,
        limit,
    )
    return [TransferId(row["transfer_id"]) for row in rows]


def transfer_of(row: Any) -> Transfer:
    fields = dict(row)
    return Transfer(**{**fields, "amount": int(fields["amount"]), "status": TransferStatus(fields["status"])})
