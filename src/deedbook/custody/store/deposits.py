"""SQL of deposits."""

from datetime import datetime
from typing import Any

import orjson

from deedbook.chain.vault import Permit
from deedbook.custody.terms import Deposit, DepositId, DepositStatus, Signed
from deedbook.identity import SignedAction
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.ids import TokenId, UserId

COLUMNS = """deposit_id, user_id, account, token_id, amount, credited, status, relayed, expires_at, error, tx_hash,
    created_at, updated_at"""


async def add_requested(
    tx: Tx,
    deposit_id: DepositId,
    user_id: UserId,
    token_id: TokenId,
    amount: int,
    action: SignedAction,
    relayed: bool,
    permit: Permit | None,
) -> Deposit:
    """Write down a deposit that was announced."""
    row = await tx.fetchrow(
        f"""
        INSERT INTO deposits (deposit_id, user_id, account, token_id, amount, status, digest, signature, signed_text,
                              relayed, permit, expires_at)
        VALUES ($1, $2, $3, $4, $5, 'REQUESTED', $6, $7, $8, $9, $10, $11) RETURNING {COLUMNS}
        """,
        deposit_id,
        user_id,
        action.account,
        token_id,
        amount,
        action.digest,
        action.signature,
        orjson.dumps(dict(action.text)).decode(),
        relayed,
        None if permit is None else orjson.dumps(_stored(permit)).decode(),
        action.expires_at,
    )
    return deposit_of(row)


async def add_credited(
    tx: Tx,
    deposit_id: DepositId,
    user_id: UserId,
    account: Address,
    token_id: TokenId,
    amount: int,
    key: tuple[int, str, int],
) -> Deposit:
    """Write down a deposit that nobody announced."""
    row = await tx.fetchrow(
        f"""
        INSERT INTO deposits (deposit_id, user_id, account, token_id, amount, credited, status, chain_id, tx_hash,
                              ordinal)
        VALUES ($1, $2, $3, $4, $5, $5, 'CREDITED', $6, $7, $8) RETURNING {COLUMNS}
        """,
        deposit_id,
        user_id,
        account,
        token_id,
        amount,
        *key,
    )
    return deposit_of(row)


async def lock(tx: Tx, deposit_id: DepositId) -> Deposit | None:
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM deposits WHERE deposit_id = $1 FOR UPDATE", deposit_id)
    return deposit_of(row) if row else None


async def signed(tx: Tx, deposit_id: DepositId) -> tuple[Signed, Permit | None]:
    """What was signed for this deposit, for the contract."""
    row = await tx.fetchrow(
        "SELECT signed_text, signature, permit FROM deposits WHERE deposit_id = $1", deposit_id
    )
    assert row is not None
    return Signed(row["signed_text"], row["signature"]), _permit(row["permit"])


async def lock_of_digest(tx: Tx, digest: bytes) -> Deposit | None:
    """The announced deposit with this digest, while it is not credited."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM deposits WHERE digest = $1 AND status <> 'CREDITED' FOR UPDATE", digest
    )
    return deposit_of(row) if row else None


async def lock_oldest_open(tx: Tx, user_id: UserId, token_id: TokenId, amount: int) -> Deposit | None:
    """The deposit that was announced first and waits for just this amount from the user's own transaction."""
    row = await tx.fetchrow(
        f"""
        SELECT {COLUMNS} FROM deposits
        WHERE user_id = $1 AND token_id = $2 AND amount = $3 AND status = 'REQUESTED' AND NOT relayed
        ORDER BY created_at, deposit_id LIMIT 1 FOR UPDATE
        """,
        user_id,
        token_id,
        amount,
    )
    return deposit_of(row) if row else None


async def save(tx: Tx, deposit: Deposit) -> None:
    await tx.execute(
        "UPDATE deposits SET status = $2, error = $3, tx_hash = $4, updated_at = now() WHERE deposit_id = $1",
        deposit.deposit_id,
        deposit.status.value,
        deposit.error,
        deposit.tx_hash,
    )


async def credit(tx: Tx, deposit_id: DepositId, credited: int, key: tuple[int, str, int]) -> None:
    """Write down what arrived, and by which event."""
    await tx.execute(
        "UPDATE deposits SET status = 'CREDITED', credited = $2, chain_id = $3, tx_hash = $4, ordinal = $5, "
        "error = NULL, updated_at = now() WHERE deposit_id = $1",
        deposit_id,
        credited,
        *key,
    )


async def stale_relayed(tx: Tx, older_than_s: int, limit: int) -> list[DepositId]:
    """Deposits whose transaction has been on its way for long, the oldest first."""
    rows = await tx.fetch(
        "SELECT deposit_id FROM deposits WHERE status = 'REQUESTED' AND relayed "
        "AND updated_at < now() - make_interval(secs => $1) ORDER BY created_at LIMIT $2",
        older_than_s,
        limit,
    )
    return [DepositId(row["deposit_id"]) for row in rows]


async def lock_expired(tx: Tx, now: datetime, limit: int) -> list[Deposit]:
    """Announced deposits that nobody can bring any more; what is relayed ends with its transaction instead."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM deposits WHERE status = 'REQUESTED' AND NOT relayed AND expires_at < $1 "
        "ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        now,
        limit,
    )
    return [deposit_of(row) for row in rows]


def deposit_of(row: Any) -> Deposit:
    fields = dict(row)
    credited = fields.pop("credited")
    return Deposit(
        **{**fields, "amount": int(fields["amount"]), "status": DepositStatus(fields["status"])},
        credited=int(credited) if credited is not None else None,
    )


def _stored(permit: Permit) -> dict[str, Any]:
    return {
        "value": str(permit.value),
        "deadline": permit.deadline,
        "v": permit.v,
        "r": permit.r.hex(),
        "s": permit.s.hex(),
    }


def _permit(stored: dict[str, Any] | None) -> Permit | None:
    if stored is None:
        return None
    r, s = bytes.fromhex(stored["r"]), bytes.fromhex(stored["s"])
    return Permit(int(stored["value"]), stored["deadline"], stored["v"], r, s)
