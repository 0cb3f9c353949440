"""Standings, records and rules as screens show them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from deedbook.compliance import store
from deedbook.compliance.store import read_record
from deedbook.compliance.terms import KycStatus, Record, TokenFacts, TokenRules
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import TokenId, UserId

Place = tuple[datetime, UUID, UUID]
"""Where a record stands among those that end: its end, its user and its token."""
BEFORE_ALL: Place = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0), UUID(int=0))


@dataclass(frozen=True)
class AccountStanding:
    """How an account stands, whatever its records say."""

    user_id: UserId
    account: Address
    frozen: bool
    frozen_reason: str | None
    sanctioned: bool
    screened_at: datetime | None


@dataclass(frozen=True)
class ShownStanding(AccountStanding):
    """How a user stands with compliance. `on_chain` says whether the chain has heard of all of it."""

    on_chain: bool
    records: tuple[Record, ...]


async def standing(tx: Tx, user_id: UserId) -> ShownStanding | None:
    """How a user stands; `None`: there is no such user."""
    row = await tx.fetchrow(
        """
        SELECT u.user_id, u.account, COALESCE(p.frozen, false) AS frozen, p.frozen_reason,
               COALESCE(p.sanctioned, false) AS sanctioned, p.screened_at,
               COALESCE(p.registered_version = p.version, true) AS on_chain
        FROM users u LEFT JOIN compliance_profiles p USING (user_id) WHERE u.user_id = $1
        """,
        user_id,
    )
    if row is None:
        return None
    records = sorted(await store.records(tx, user_id), key=lambda record: record.token_id)
    return ShownStanding(**dict(row), records=tuple(records))


async def restricted(db: Database, after: UUID | None, limit: int) -> list[AccountStanding]:
    """Accounts that are frozen or on the sanctions list, in the order of their users."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT user_id, account, frozen, frozen_reason, sanctioned, screened_at FROM compliance_profiles "
            "WHERE (frozen OR sanctioned) AND ($1::uuid IS NULL OR user_id > $1) ORDER BY user_id LIMIT $2",
            after,
            limit,
        )
    return [AccountStanding(**dict(row)) for row in rows]


async def records(
    db: Database,
    status: KycStatus | None,
    after: tuple[UUID, UUID] | None,
    limit: int,
) -> list[Record]:
    """Records in the order of their users and tokens, after the given one."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {store.RECORD} FROM compliance_records
            WHERE ($1::text IS NULL OR kyc_status = $1)
              AND ($2::uuid IS NULL OR (user_id, token_id) > ($2, $3::uuid))
            ORDER BY user_id, token_id LIMIT $4
            """,
            status.value if status else None,
            after[0] if after else None,
            after[1] if after else None,
            limit,
        )
    return [read_record(row) for row in rows]


async def ending(
    db: Database,
    status: KycStatus | None,
    before: datetime,
    after: Place | None,
    limit: int,
) -> list[Record]:
    """Records that end before a moment, the earliest first, after the given place."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {store.RECORD} FROM compliance_records
            WHERE ($1::text IS NULL OR kyc_status = $1) AND expires_at < $2
              AND (expires_at, user_id, token_id) > ($3, $4::uuid, $5::uuid)
            ORDER BY expires_at, user_id, token_id LIMIT $6
            """,
            status.value if status else None,
            before,
            *(after or BEFORE_ALL),
            limit,
        )
    return [read_record(row) for row in rows]


def place(record: Record) -> Place:
    """Where a record stands that has an end."""
    assert record.expires_at is not None, "it ends"
    return record.expires_at, record.user_id, record.token_id


async def rules(tx: Tx, token_id: TokenId) -> tuple[TokenFacts, TokenRules] | None:
    """A token and its rules; `None`: there is no such token."""
    token = await store.token(tx, token_id)
    return (token, await store.rules(tx, token_id)) if token is not None else None
