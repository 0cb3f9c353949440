"""SQL of this room: users, roles, sign-in nonces, sessions, signing keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from deedbook.identity.access import SigningKey, public_pem
from deedbook.identity.terms import Address, Caller, Role
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import EntityId, UserId

if TYPE_CHECKING:
    from deedbook.identity.actions import SignedAction


@dataclass(frozen=True)
class User:
    """A user as stored."""

    user_id: UserId
    account: Address
    entity_id: EntityId | None
    display_name: str
    created_at: datetime
    roles: frozenset[Role]


@dataclass(frozen=True)
class Session:
    """A session named by a refresh token; `reused` says that the token is not, or no longer, its newest."""

    session_id: UUID
    user_id: UserId
    expires_at: datetime
    revoked: bool
    reused: bool


@dataclass(frozen=True)
class SealedKey:
    """A signing key as it rests in the database."""

    kid: str
    sealed: bytes
    created_at: datetime


_USER = """
    SELECT u.user_id, u.account, u.entity_id, u.display_name, u.created_at,
           COALESCE(array_agg(r.role) FILTER (WHERE r.role IS NOT NULL), '{}') AS roles
    FROM users u LEFT JOIN user_roles r USING (user_id)
"""


async def add_nonce(tx: Tx, nonce: str, ttl_s: int) -> datetime:
    expires_at = await tx.fetchval(
        "INSERT INTO sign_in_nonces (nonce, expires_at) VALUES ($1, now() + make_interval(secs => $2)) "
        "RETURNING expires_at",
        nonce,
        float(ttl_s),
    )
    assert isinstance(expires_at, datetime)
    return expires_at


async def use_nonce(tx: Tx, nonce: str) -> bool:
    """Use a nonce up; `False` when it is unknown, used or over. One of many concurrent users wins."""
    return (
        await tx.fetchval(
            "UPDATE sign_in_nonces SET used_at = now() "
            "WHERE nonce = $1 AND used_at IS NULL AND expires_at > now() RETURNING nonce",
            nonce,
        )
        is not None
    )


async def ensure_user(tx: Tx, user_id: UserId, account: Address) -> tuple[UserId, bool]:
    """The user that signs in with this wallet, made when absent; and whether it was made."""
    linked = await tx.fetchval("SELECT user_id FROM user_wallets WHERE address = $1", account)
    if linked is not None:
        return UserId(linked), False
    made = await tx.fetchval(
        "INSERT INTO users (user_id, account) VALUES ($1, $2) ON CONFLICT (account) DO NOTHING RETURNING user_id",
        user_id,
        account,
    )
    if made is None:
        return UserId(await tx.fetchval("SELECT user_id FROM users WHERE account = $1", account)), False
    await tx.execute("INSERT INTO user_wallets (address, user_id) VALUES ($1, $2)", account, user_id)
    return user_id, True


async def add_role(tx: Tx, user_id: UserId, role: Role, granted_by: str) -> bool:
    """Give a role; `False` when the user has it already."""
    return (
        await tx.fetchval(
            "INSERT INTO user_roles (user_id, role, granted_by) VALUES ($1, $2, $3) "
            "ON CONFLICT DO NOTHING RETURNING role",
            user_id,
            role.value,
            granted_by,
        )
        is not None
    )


async def set_entity(tx: Tx, user_id: UserId, entity_id: EntityId, display_name: str) -> None:
    await tx.execute(
        "UPDATE users SET entity_id = $2, display_name = COALESCE(NULLIF($3, ''), display_name) WHERE user_id = $1",
        user_id,
        entity_id,
        display_name,
    )


async def standing(tx: Tx, user_id: UserId) -> dict[str, Any]:
    """What an auditor compares of a user: roles, and for whom they act. Held as it is until the commit."""
    entity_id = await tx.fetchval("SELECT entity_id FROM users WHERE user_id = $1 FOR NO KEY UPDATE", user_id)
    rows = await tx.fetch("SELECT role FROM user_roles WHERE user_id = $1 ORDER BY role", user_id)
    return {"roles": [row["role"] for row in rows], "entityId": entity_id}


async def user(db: Database, user_id: UserId) -> User | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(_USER + "WHERE u.user_id = $1 GROUP BY u.user_id", user_id)
    if row is None:
        return None
    fields = dict(row)
    roles = frozenset(Role(role) for role in fields.pop("roles"))
    return User(**fields, roles=roles)


async def is_disabled(tx: Tx, user_id: UserId) -> bool:
    return bool(await tx.fetchval("SELECT disabled_at IS NOT NULL FROM users WHERE user_id = $1", user_id))


async def callers_of_sessions(db: Database, sessions: Sequence[tuple[UserId, UUID]]) -> list[Caller | None]:
    """The callers whose sessions these are, in their order, with roles as they are now; `None` for one that is over,
    or another's."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT s.session_id, s.user_id, u.account, u.entity_id,
                   ARRAY(SELECT role FROM user_roles r WHERE r.user_id = u.user_id) AS roles
            FROM sessions s JOIN users u USING (user_id)
            WHERE s.session_id = ANY ($1) AND s.revoked_at IS NULL AND s.expires_at > now()
              AND u.disabled_at IS NULL
            """,
            [session_id for _, session_id in sessions],
        )
    found = {(row["user_id"], row["session_id"]): row for row in rows}
    return [_caller(*session, found.get(session)) for session in sessions]


def _caller(user_id: UserId, session_id: UUID, row: Any) -> Caller | None:
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row["roles"])
    return Caller(user_id, Address(row["account"]), row["entity_id"], roles, session_id)


async def add_session(tx: Tx, session_id: UUID, user_id: UserId, refresh_hash: bytes, ttl_s: int) -> None:
    await tx.execute(
        "INSERT INTO sessions (session_id, user_id, refresh_hash, expires_at) "
        "VALUES ($1, $2, $3, now() + make_interval(secs => $4))",
        session_id,
        user_id,
        refresh_hash,
        float(ttl_s),
    )


async def lock_session(tx: Tx, session_id: UUID, refresh_hash: bytes) -> Session | None:
    """Find and lock a session, and compare its refresh token."""
    row = await tx.fetchrow(
        """
        SELECT session_id, user_id, expires_at, revoked_at IS NOT NULL OR expires_at <= now() AS revoked,
               refresh_hash <> $2 AS reused
        FROM sessions WHERE session_id = $1 FOR UPDATE
        """,
        session_id,
        refresh_hash,
    )
    return Session(**dict(row)) if row else None


async def rotate_refresh(tx: Tx, session_id: UUID, refresh_hash: bytes) -> None:
    await tx.execute(
        "UPDATE sessions SET refresh_hash = $2, refreshed_at = now() WHERE session_id = $1",
        session_id,
        refresh_hash,
    )


async def owns_session(tx: Tx, user_id: UserId, session_id: UUID) -> bool:
    """Whether this is a session of the user's that is not over. It ends by nobody else until the commit."""
    return (
        await tx.fetchval(
            "SELECT session_id FROM sessions "
            "WHERE (session_id, user_id) = ($1, $2) AND revoked_at IS NULL AND expires_at > now() FOR UPDATE",
            session_id,
            user_id,
        )
        is not None
    )


async def revoke_session(tx: Tx, session_id: UUID, reason: str) -> UserId | None:
    """End a session; `None` when it was over already."""
    user_id = await tx.fetchval(
        "UPDATE sessions SET revoked_at = now(), revoked_reason = $2 "
        "WHERE session_id = $1 AND revoked_at IS NULL RETURNING user_id",
        session_id,
        reason,
    )
    return UserId(user_id) if user_id else None


async def add_signing_key(tx: Tx, key: SigningKey, sealed: bytes) -> None:
    await tx.execute(
        "INSERT INTO signing_keys (kid, public_pem, sealed_private) VALUES ($1, $2, $3)",
        key.kid,
        public_pem(key),
        sealed,
    )


async def newest_signing_key(tx: Tx) -> SealedKey | None:
    row = await tx.fetchrow(
        "SELECT kid, sealed_private AS sealed, created_at FROM signing_keys WHERE retires_at IS NULL "
        "ORDER BY created_at DESC LIMIT 1"
    )
    return SealedKey(**dict(row)) if row else None


async def retire_signing_keys(tx: Tx, *, keep: str, after_s: int) -> None:
    """Let the other keys end once the last token they signed has."""
    await tx.execute(
        "UPDATE signing_keys SET retires_at = now() + make_interval(secs => $2) "
        "WHERE kid <> $1 AND retires_at IS NULL",
        keep,
        float(after_s),
    )


async def public_keys(db: Database) -> dict[str, str]:
    """The public keys, by `kid`, under which a token may still hold."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT kid, public_pem FROM signing_keys WHERE retires_at IS NULL OR retires_at > now()"
        )
    return {row["kid"]: row["public_pem"] for row in rows}


async def lock_signing_keys(tx: Tx) -> None:
    """One rotation at a time."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('signing_keys'))")


async def remove_expired(tx: Tx) -> None:
    """Remove what can never be used again. Bounded, so that it never holds a lock for long."""
    await tx.execute(
        "DELETE FROM sign_in_nonces WHERE nonce IN "
        "(SELECT nonce FROM sign_in_nonces WHERE expires_at < now() - interval '1 hour' LIMIT 5000)"
    )
    await tx.execute(
        "DELETE FROM sessions WHERE session_id IN "
        "(SELECT session_id FROM sessions WHERE expires_at < now() - interval '30 days' LIMIT 5000)"
    )
    await tx.execute("DELETE FROM signing_keys WHERE retires_at < now() - interval '1 day'")


async def add_signed_action(tx: Tx, action: "SignedAction", action_id: UUID) -> bool:
    """Use a nonce up; `False` when it was used before."""
    return (
        await tx.fetchval(
            """
            INSERT INTO signed_actions (account, nonce, action, action_id, digest, signature, signed_text, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING nonce
            """,
            action.account,
            action.nonce,
            action.struct.name,
            action_id,
            action.digest,
            action.signature,
            orjson.dumps(dict(action.text)).decode(),
            action.expires_at,
        )
        is not None
    )


async def action_of(tx: Tx, action: "SignedAction") -> UUID | None:
    """What was accepted under the digest of this action."""
    found: UUID | None = await tx.fetchval(
        "SELECT action_id FROM signed_actions WHERE (account, nonce, digest) = ($1, $2, $3)",
        action.account,
        action.nonce,
        action.digest,
    )
    return found


async def action_of_digest(tx: Tx, account: Address, digest: bytes) -> UUID | None:
    """What came of the text with this digest that this account has signed."""
    found: UUID | None = await tx.fetchval(
        "SELECT action_id FROM signed_actions WHERE account = $1 AND digest = $2", account, digest
    )
    return found


async def note_withdrawn(tx: Tx, account: Address, digest: bytes) -> None:
    """This account does not stand by the text with this digest: it is never taken in from now on."""
    await tx.execute(
        "INSERT INTO withdrawn_texts (account, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        account,
        digest,
    )


async def user_of_account(tx: Tx, account: Address) -> UserId | None:
    found = await tx.fetchval("SELECT user_id FROM users WHERE account = $1", account)
    return UserId(found) if found is not None else None


async def account_of_user(tx: Tx, user_id: UserId) -> Address | None:
    found = await tx.fetchval("SELECT account FROM users WHERE user_id = $1", user_id)
    return Address(found) if found is not None else None
