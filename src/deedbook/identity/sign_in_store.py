"""SQL of what lets a user in: sessions that a wallet began, and people elsewhere who act for the user's account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.identity.subject_store import Subject
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import UserId


@dataclass(frozen=True)
class SignIn:
    """A session, or with `issuer` and `subject` whom that issuer vouches for. Those go on until they are ended."""

    sign_in_id: UUID
    issuer: str | None
    subject: str | None
    began_at: datetime
    last_at: datetime | None
    expires_at: datetime | None


async def of_user(
    db: Database, user_id: UserId, after: tuple[datetime, UUID] | None, limit: int
) -> list[SignIn]:
    """By what this user is let in now, the newest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT * FROM (
                SELECT session_id AS sign_in_id, NULL AS issuer, NULL AS subject, created_at AS began_at,
                       refreshed_at AS last_at, expires_at
                FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
                UNION ALL
                SELECT subject_id, issuer, subject, bound_at, NULL, NULL FROM oidc_subjects WHERE user_id = $1
            ) AS living
            WHERE $2::timestamptz IS NULL OR (began_at, sign_in_id) < ($2, $3::uuid)
            ORDER BY began_at DESC, sign_in_id DESC LIMIT $4
            """,
            user_id,
            *(after or (None, None)),
            limit,
        )
    return [_sign_in(row) for row in rows]


async def release(tx: Tx, user_id: UserId, subject_id: UUID, new_id: UUID) -> Subject | None:
    """Let somebody whom an issuer vouches for act for this user no longer; `None` where they do not.

    They are called anew: their old id may be the user's, under which they would go on to read.
    """
    row = await tx.fetchrow(
        "UPDATE oidc_subjects SET subject_id = $3, user_id = NULL, bound_at = NULL, ended_at = now() "
        "WHERE subject_id = $2 AND user_id = $1 RETURNING issuer, subject",
        user_id,
        subject_id,
        new_id,
    )
    return Subject(new_id, row["issuer"], row["subject"], None) if row else None


def _sign_in(row: Any) -> SignIn:
    return SignIn(**{**dict(row), "sign_in_id": UUID(int=row["sign_in_id"].int)})
