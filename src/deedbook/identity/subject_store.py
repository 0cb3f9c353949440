"""SQL of people whom issuers vouch for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deedbook.identity.terms import Address, Caller, Role, VouchedFor
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import UserId

_CALLERS = """
    SELECT s.subject_id, s.user_id, u.account, u.entity_id, extract(epoch FROM s.ended_at)::float AS ended_at,
           ARRAY(SELECT role FROM user_roles r WHERE r.user_id = s.user_id) AS roles
    FROM oidc_subjects s LEFT JOIN users u USING (user_id)
    WHERE s.subject_id = ANY ($1::uuid[]) AND u.disabled_at IS NULL
"""


@dataclass(frozen=True)
class Subject:
    """Somebody by their issuer's name for them; `user_id` once they have bound a wallet."""

    subject_id: UUID
    issuer: str
    subject: str
    user_id: UserId | None


async def find(db: Database, issuer: str, subject: str) -> Subject | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT subject_id, issuer, subject, user_id FROM oidc_subjects WHERE (issuer, subject) = ($1, $2)",
            issuer,
            subject,
        )
    return _subject(row)


async def named(db: Database, subject_id: UUID) -> Subject | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT subject_id, issuer, subject, user_id FROM oidc_subjects WHERE subject_id = $1", subject_id
        )
    return _subject(row)


async def add(db: Database, subject_id: UUID, issuer: str, subject: str) -> Subject:
    """Note somebody down; whoever was noted down first where two come at once."""
    await db.statement(
        "INSERT INTO oidc_subjects (subject_id, issuer, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        subject_id,
        issuer,
        subject,
    )
    found = await find(db, issuer, subject)
    assert found is not None, "nobody is taken out again"
    return found


async def lock(tx: Tx, subject_id: UUID) -> Subject | None:
    return _subject(
        await tx.fetchrow(
            "SELECT subject_id, issuer, subject, user_id FROM oidc_subjects WHERE subject_id = $1 FOR UPDATE",
            subject_id,
        )
    )


async def bind(tx: Tx, subject_id: UUID, user_id: UserId) -> None:
    await tx.execute(
        "UPDATE oidc_subjects SET user_id = $2, bound_at = now() WHERE subject_id = $1", subject_id, user_id
    )


async def end(tx: Tx, subject_id: UUID) -> None:
    await tx.execute("UPDATE oidc_subjects SET ended_at = now() WHERE subject_id = $1", subject_id)


async def callers(db: Database, shown: Sequence[tuple[UUID, VouchedFor]]) -> list[Caller | None]:
    """Who these are now, in their order; `None` for one whose account is closed, or who has signed out since."""
    async with db.reading() as connection:
        rows = await connection.fetch(_CALLERS, [subject_id for subject_id, _ in shown])
    found = {row["subject_id"]: row for row in rows}
    return [_caller(subject_id, vouched, found.get(subject_id)) for subject_id, vouched in shown]


async def caller_in(tx: Tx, subject_id: UUID, vouched: VouchedFor) -> Caller | None:
    """The same of one, as this transaction sees them."""
    return _caller(subject_id, vouched, await tx.fetchrow(_CALLERS, [subject_id]))


def _caller(subject_id: UUID, vouched: VouchedFor, row: Any) -> Caller | None:
    # A token says its moment in whole seconds: one of the second in which they signed out is over too.
    if row is None or (row["ended_at"] is not None and vouched.issued_at <= row["ended_at"]):
        return None
    user_id = UserId(UUID(int=(row["user_id"] or subject_id).int))
    roles = frozenset(Role(role) for role in row["roles"])
    account = Address(row["account"] or "")
    return Caller(user_id, account, row["entity_id"], roles, subject_id, vouched=vouched)


def _subject(row: Any) -> Subject | None:
    if row is None:
        return None
    user_id = UserId(UUID(int=row["user_id"].int)) if row["user_id"] else None
    return Subject(UUID(int=row["subject_id"].int), row["issuer"], row["subject"], user_id)
