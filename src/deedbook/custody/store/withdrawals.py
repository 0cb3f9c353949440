"""SQL of withdrawals: requests, approvals, limits, lists of addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from deedbook.custody.terms import Limits, Listed, Signed, Verdict, Withdrawal, WithdrawalId, WithdrawalStatus
from deedbook.identity import SignedAction
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.ids import TokenId, UserId

COLUMNS = """withdrawal_id, user_id, account, token_id, amount, destination, status, approvals_needed, reason,
    expires_at, tx_hash, version, created_at, updated_at"""


@dataclass(frozen=True)
class Destinations:
    """How a user restricts where their money goes."""

    allow_list_only: bool
    open_from: datetime | None


async def add(tx: Tx, withdrawal: Withdrawal, action: SignedAction) -> Withdrawal:
    row = await tx.fetchrow(
        f"""
        INSERT INTO withdrawal_requests (withdrawal_id, user_id, account, token_id, amount, destination, status,
                                         approvals_needed, digest, signature, signed_text, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING {COLUMNS}
        """,
        withdrawal.withdrawal_id,
        withdrawal.user_id,
        withdrawal.account,
        withdrawal.token_id,
        withdrawal.amount,
        withdrawal.destination,
        withdrawal.status.value,
        withdrawal.approvals_needed,
        action.digest,
        action.signature,
        orjson.dumps(dict(action.text)).decode(),
        withdrawal.expires_at,
    )
    return withdrawal_of(row)


async def lock(tx: Tx, withdrawal_id: WithdrawalId) -> Withdrawal | None:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM withdrawal_requests WHERE withdrawal_id = $1 FOR UPDATE", withdrawal_id
    )
    return withdrawal_of(row) if row else None


async def signed(tx: Tx, withdrawal_id: WithdrawalId) -> Signed:
    """What was signed for this withdrawal, for the contract."""
    row = await tx.fetchrow(
        "SELECT signed_text, signature FROM withdrawal_requests WHERE withdrawal_id = $1", withdrawal_id
    )
    assert row is not None
    return Signed(row["signed_text"], row["signature"])


async def save(tx: Tx, withdrawal: Withdrawal) -> Withdrawal:
    """Write where it stands now, under the next version."""
    row = await tx.fetchrow(
        f"UPDATE withdrawal_requests SET status = $2, reason = $3, tx_hash = $4, version = version + 1, "
        f"updated_at = now() WHERE withdrawal_id = $1 RETURNING {COLUMNS}",
        withdrawal.withdrawal_id,
        withdrawal.status.value,
        withdrawal.reason,
        withdrawal.tx_hash,
    )
    return withdrawal_of(row)


async def take_turn(tx: Tx, user_id: UserId, token_id: TokenId) -> None:
    """One withdrawal of a user and token at a time is measured against the limit."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('withdrawal ' || $1::text || ' ' || $2::text, 0))",
        str(user_id),
        str(token_id),
    )


async def left_lately(tx: Tx, user_id: UserId, token_id: TokenId) -> int:
    """What a user has taken out during 24 hours, with what is about to leave, however long ago it was asked for."""
    return int(
        await tx.fetchval(
            "SELECT COALESCE(sum(amount), 0) FROM withdrawal_requests WHERE user_id = $1 AND token_id = $2 "
            "AND status NOT IN ('REJECTED', 'FAILED', 'CANCELLED') "
            "AND (status <> 'COMPLETED' OR updated_at > now() - interval '24 hours')",
            user_id,
            token_id,
        )
    )


async def add_approval(
    tx: Tx, withdrawal_id: WithdrawalId, approver: str, verdict: Verdict, reason: str
) -> bool:
    """Record what an approver said; `False` when they have spoken before."""
    return (
        await tx.fetchval(
            "INSERT INTO withdrawal_approvals (withdrawal_id, approver, decision, reason) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT DO NOTHING RETURNING approver",
            withdrawal_id,
            approver,
            verdict.value,
            reason,
        )
        is not None
    )


async def approvals(tx: Tx, withdrawal_id: WithdrawalId) -> int:
    """How many have approved."""
    return int(
        await tx.fetchval(
            "SELECT count(*) FROM withdrawal_approvals WHERE withdrawal_id = $1 AND decision = 'approved'",
            withdrawal_id,
        )
    )


async def stale(
    tx: Tx, statuses: Sequence[WithdrawalStatus], older_than_s: int, limit: int
) -> list[WithdrawalId]:
    """Withdrawals that have stood there for long, the oldest first."""
    rows = await tx.fetch(
        "SELECT withdrawal_id FROM withdrawal_requests WHERE status = ANY ($1) "
        "AND updated_at < now() - make_interval(secs => $2) ORDER BY created_at LIMIT $3",
        [status.value for status in statuses],
        older_than_s,
        limit,
    )
    return [WithdrawalId(row["withdrawal_id"]) for row in rows]


async def lock_expired(tx: Tx, now: datetime, limit: int) -> list[Withdrawal]:
    """Withdrawals whose signature expired before somebody approved."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM withdrawal_requests WHERE status = 'PENDING_APPROVAL' AND expires_at < $1 "
        "ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        now,
        limit,
    )
    return [withdrawal_of(row) for row in rows]


async def limits(tx: Tx, token_id: TokenId) -> Limits | None:
    row = await tx.fetchrow(
        "SELECT automatic_up_to, four_eyes_above, daily_limit FROM withdrawal_limits WHERE token_id = $1",
        token_id,
    )
    return Limits(*(int(value) for value in row.values())) if row else None


async def set_limits(tx: Tx, token_id: TokenId, limits: Limits, by: UserId) -> None:
    await tx.execute(
        """
        INSERT INTO withdrawal_limits (token_id, automatic_up_to, four_eyes_above, daily_limit, updated_by)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (token_id) DO UPDATE SET automatic_up_to = $2, four_eyes_above = $3, daily_limit = $4,
            updated_by = $5, updated_at = now()
        """,
        token_id,
        limits.automatic_up_to,
        limits.four_eyes_above,
        limits.daily_limit,
        by,
    )


async def destinations(tx: Tx, user_id: UserId, *, lock: bool = False) -> Destinations:
    row = await tx.fetchrow(
        "SELECT allow_list_only, open_from FROM withdrawal_settings WHERE user_id = $1"
        + (" FOR UPDATE" if lock else ""),
        user_id,
    )
    return Destinations(row["allow_list_only"], row["open_from"]) if row else Destinations(False, None)


async def set_destinations(tx: Tx, user_id: UserId, wanted: Destinations) -> None:
    await tx.execute(
        "INSERT INTO withdrawal_settings (user_id, allow_list_only, open_from) VALUES ($1, $2, $3) "
        "ON CONFLICT (user_id) DO UPDATE SET allow_list_only = $2, open_from = $3, updated_at = now()",
        user_id,
        wanted.allow_list_only,
        wanted.open_from,
    )


async def is_listed(tx: Tx, user_id: UserId, address: Address) -> bool:
    """Whether the address is on the list and was for long enough."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM withdrawal_addresses WHERE user_id = $1 AND address = $2 "
            "AND usable_from <= now())",
            user_id,
            address,
        )
    )


async def add_address(tx: Tx, user_id: UserId, wanted: Listed, most: int) -> bool:
    """List an address that is not listed; `False` when the list is full."""
    if await tx.fetchval("SELECT count(*) FROM withdrawal_addresses WHERE user_id = $1", user_id) >= most:
        return False
    await tx.execute(
        "INSERT INTO withdrawal_addresses (user_id, address, label, usable_from) VALUES ($1, $2, $3, $4)",
        user_id,
        wanted.address,
        wanted.label,
        wanted.usable_from,
    )
    return True


async def listed(tx: Tx, user_id: UserId, address: Address) -> Listed | None:
    """An address of the user's list, which nobody else changes until the commit."""
    await tx.execute("SELECT 1 FROM users WHERE user_id = $1 FOR NO KEY UPDATE", user_id)
    row = await tx.fetchrow(
        "SELECT address, label, usable_from FROM withdrawal_addresses WHERE user_id = $1 AND address = $2",
        user_id,
        address,
    )
    return Listed(**dict(row)) if row else None


async def remove_address(tx: Tx, user_id: UserId, address: Address) -> bool:
    return (
        await tx.fetchval(
            "DELETE FROM withdrawal_addresses WHERE user_id = $1 AND address = $2 RETURNING address",
            user_id,
            address,
        )
        is not None
    )


def withdrawal_of(row: Any) -> Withdrawal:
    fields = dict(row)
    return Withdrawal(
        **{**fields, "amount": int(fields["amount"]), "status": WithdrawalStatus(fields["status"])}
    )
