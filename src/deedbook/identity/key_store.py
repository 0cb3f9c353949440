"""SQL of API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

from deedbook.identity.terms import Address, Caller, KeyId, KeyTerms, Role, Scope
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import TokenId, UserId


@dataclass(frozen=True)
class ApiKey:
    """A key as its owner sees it."""

    key_id: KeyId
    user_id: UserId
    name: str
    terms: KeyTerms
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    last_used_from: str | None
    revoked_at: datetime | None

    def audited(self) -> dict[str, Any]:
        """What an auditor compares."""
        cap = self.terms.daily_notional
        return {
            "name": self.name,
            "scopes": sorted(scope.value for scope in self.terms.scopes),
            "networks": [str(network) for network in self.terms.networks],
            "ordersPerMinute": self.terms.orders_per_minute,
            "dailyNotional": None if cap is None else str(cap),
            "expiresAt": self.expires_at,
            "revokedAt": self.revoked_at,
        }


@dataclass(frozen=True)
class Secret:
    """What a presented key is compared with."""

    key_id: KeyId
    user_id: UserId
    secret_hash: bytes
    expires_at: datetime


@dataclass(frozen=True)
class Use:
    """That a key was used: when last, and from where."""

    key_id: UUID
    at: datetime
    address: str


_TERMS = "scopes, networks, orders_per_minute, daily_notional"
_COLUMNS = (
    f"key_id, user_id, name, {_TERMS}, created_at, expires_at, last_used_at, last_used_from, revoked_at"
)


async def count_living(tx: Tx, user_id: UserId) -> int:
    """How many keys of theirs are not over. Nobody makes another one until the commit."""
    await tx.execute("SELECT FROM users WHERE user_id = $1 FOR NO KEY UPDATE", user_id)
    count: int = await tx.fetchval(
        "SELECT count(*) FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()",
        user_id,
    )
    return count


async def add(
    tx: Tx, key_id: KeyId, user_id: UserId, name: str, secret_hash: bytes, terms: KeyTerms, life: timedelta
) -> ApiKey:
    row = await tx.fetchrow(
        f"""
        INSERT INTO api_keys (key_id, user_id, name, secret_hash, {_TERMS}, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9) RETURNING {_COLUMNS}
        """,
        key_id,
        user_id,
        name,
        secret_hash,
        sorted(scope.value for scope in terms.scopes),
        [str(network) for network in terms.networks],
        terms.orders_per_minute,
        terms.daily_notional,
        life,
    )
    return _key(row)


async def lock(tx: Tx, user_id: UserId, key_id: KeyId) -> ApiKey | None:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM api_keys WHERE (key_id, user_id) = ($1, $2) FOR UPDATE", key_id, user_id
    )
    return _key(row) if row else None


async def end(tx: Tx, key_id: KeyId) -> ApiKey:
    row = await tx.fetchrow(
        f"UPDATE api_keys SET revoked_at = now() WHERE key_id = $1 RETURNING {_COLUMNS}", key_id
    )
    return _key(row)


async def keys_of(
    db: Database, user_id: UserId, after: tuple[datetime, UUID] | None, limit: int
) -> list[ApiKey]:
    """The keys of a user, the newest first, those that are over too."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_COLUMNS} FROM api_keys
            WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (created_at, key_id) < ($2, $3::uuid))
            ORDER BY created_at DESC, key_id DESC LIMIT $4
            """,
            user_id,
            *(after or (None, None)),
            limit,
        )
    return [_key(row) for row in rows]


async def is_key_of(db: Database, user_id: UserId, key_id: UUID) -> bool:
    """Whether this is, or was, a key of theirs."""
    async with db.reading() as connection:
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM api_keys WHERE user_id = $1 AND key_id = $2)", user_id, key_id
            )
        )


async def secret_of(db: Database, key_id: KeyId) -> Secret | None:
    """What a living key is compared with."""
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT user_id, secret_hash, expires_at FROM api_keys "
            "WHERE key_id = $1 AND revoked_at IS NULL AND expires_at > now()",
            key_id,
        )
    if row is None:
        return None
    # The driver's UUID is a class of its own, which orjson does not write: orders are told in it.
    user_id = UserId(UUID(int=row["user_id"].int))
    return Secret(key_id, user_id, row["secret_hash"], row["expires_at"])


async def callers(db: Database, keys: Sequence[tuple[UserId, UUID]]) -> list[Caller | None]:
    """The callers whose keys these are, in their order, with roles as they are now; `None` for one that is over."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT k.key_id, k.user_id, u.account, u.entity_id, {_TERMS},
                   ARRAY(SELECT role FROM user_roles r WHERE r.user_id = u.user_id) AS roles
            FROM api_keys k JOIN users u USING (user_id)
            WHERE k.key_id = ANY ($1) AND k.revoked_at IS NULL AND k.expires_at > now() AND u.disabled_at IS NULL
            """,
            [key_id for _, key_id in keys],
        )
    found = {(row["user_id"], row["key_id"]): row for row in rows}
    return [_caller(*key, found.get(key)) for key in keys]


async def note_uses(db: Database, uses: Sequence[Use]) -> None:
    """Note when keys were last used. An older note never replaces a newer one."""
    await db.statement(
        """
        UPDATE api_keys k SET last_used_at = u.at, last_used_from = u.address
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS u (key_id, at, address)
        WHERE k.key_id = u.key_id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)
        """,
        [use.key_id for use in uses],
        [use.at for use in uses],
        [use.address for use in uses],
    )


async def charge(db: Database, key_id: UUID, cap: int, token_id: TokenId, notional: int) -> date | None:
    """Count so much, unless it would be more than the cap; the day on which it counts."""
    rows = await db.statement(
        """
        INSERT INTO api_key_days AS d (key_id, day, token_id, used)
        VALUES ($1, (now() AT TIME ZONE 'UTC')::date, $2, $3::numeric)
        ON CONFLICT (key_id, day, token_id) DO UPDATE SET used = d.used + excluded.used
        WHERE d.used + excluded.used <= $4::numeric RETURNING day
        """,
        key_id,
        token_id,
        notional,
        cap,
    )
    return rows[0]["day"] if rows else None


async def give_back(db: Database, key_id: UUID, day: date, token_id: TokenId, notional: int) -> None:
    await db.statement(
        "UPDATE api_key_days SET used = used - $4::numeric WHERE (key_id, day, token_id) = ($1, $2, $3)",
        key_id,
        day,
        token_id,
        notional,
    )


async def remove_expired(tx: Tx) -> None:
    """Remove what can never be used again; bounded."""
    await tx.execute(
        "DELETE FROM api_key_days WHERE (key_id, day, token_id) IN "
        "(SELECT key_id, day, token_id FROM api_key_days WHERE day < now() - interval '30 days' LIMIT 5000)"
    )


def _key(row: Any) -> ApiKey:
    fields = dict(row)
    return ApiKey(**{name: fields[name] for name in fields.keys() - _OF_TERMS}, terms=_terms(row))


_OFFICES = frozenset({Role.COMPLIANCE, Role.ADMIN, Role.OPERATOR})
"""What no key carries: by it one looks at what is one's own, whatever one may look at in person."""
_OF_TERMS = {"scopes", "networks", "orders_per_minute", "daily_notional"}


def _terms(row: Any) -> KeyTerms:
    cap = row["daily_notional"]
    return KeyTerms(
        frozenset(Scope(scope) for scope in row["scopes"]),
        tuple(ip_network(network) for network in row["networks"]),
        row["orders_per_minute"],
        None if cap is None else int(cap),
    )


def _caller(user_id: UserId, key_id: UUID, row: Any) -> Caller | None:
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row["roles"]) - _OFFICES
    return Caller(user_id, Address(row["account"]), row["entity_id"], roles, key_id, _terms(row))
