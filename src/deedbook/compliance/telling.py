"""SQL of what the chain was told: which version of a profile, which pause of a token, and under which key.

A profile's `version` is what should be said, `told_version` what was asked for, `registered_version` what is
final. `told_frozen` is what the last call about it says, null when that is not known.
"""

from dataclasses import dataclass
from typing import Any

from deedbook.compliance.terms import Profile
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import TokenId, UserId


@dataclass(frozen=True)
class Due:
    """A profile of which the chain should hear, and what it has heard."""

    profile: Profile
    told_frozen: bool | None
    told_identity: bool


@dataclass(frozen=True)
class PauseDue:
    """A token whose pauses and resumptions, counted together, are not all on the chain."""

    token_id: TokenId
    contract: Address
    pauses: int
    registered: int


async def untold(tx: Tx, user_id: UserId | None, limit: int) -> list[Due]:
    """Profiles with something new, freezes first, held until the commit; those that another holds are its matter.

    While an earlier call is under way it may still be undone, so nothing is taken as said.
    """
    rows = await tx.fetch(
        """
        SELECT user_id, account, frozen, sanctioned, version, registered_version, told_identity,
               CASE WHEN registered_version = told_version THEN told_frozen END AS told_frozen
        FROM compliance_profiles
        WHERE told_version < version AND ($1::uuid IS NULL OR user_id = $1)
        ORDER BY frozen DESC, updated_at, user_id LIMIT $2 FOR UPDATE SKIP LOCKED
        """,
        user_id,
        limit,
    )
    return [_due(dict(row)) for row in rows]


async def set_told(tx: Tx, due: Due, key: str, *, identity: bool) -> None:
    """Write down what was asked for, and under which key."""
    await tx.execute(
        """
        UPDATE compliance_profiles SET told_version = version, told_key = $2, told_frozen = frozen,
            told_identity = told_identity OR $3
        WHERE user_id = $1
        """,
        due.profile.user_id,
        key,
        identity,
    )


async def unregistered(db: Database, user_id: UserId | None, limit: int) -> list[str]:
    """The keys under which something was asked for that is not known to be final."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT told_key FROM compliance_profiles
            WHERE registered_version < told_version AND ($1::uuid IS NULL OR user_id = $1)
            GROUP BY told_key ORDER BY min(updated_at) LIMIT $2
            """,
            user_id,
            limit,
        )
    return [row["told_key"] for row in rows]


async def set_registered(tx: Tx, key: str) -> None:
    """What was asked for under this key is on the chain for good."""
    await tx.execute(
        "UPDATE compliance_profiles SET registered_version = told_version "
        "WHERE told_key = $1 AND registered_version < told_version",
        key,
    )


async def ask_anew(tx: Tx, key: str) -> None:
    """What was asked for under this key was undone: it is asked for again under another, with all there is to say."""
    await tx.execute(
        "UPDATE compliance_profiles SET version = version + 1, told_frozen = NULL "
        "WHERE told_key = $1 AND registered_version < told_version",
        key,
    )


async def pause_due(db: Database, token_id: TokenId) -> PauseDue | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            """
            SELECT r.token_id, t.contract_address AS contract, r.pauses, r.pauses_registered AS registered
            FROM compliance_rules r JOIN tokens t USING (token_id)
            WHERE r.token_id = $1 AND r.pauses_registered < r.pauses AND t.contract_address IS NOT NULL
            """,
            token_id,
        )
    return PauseDue(**dict(row)) if row else None


async def paused_anew(db: Database, limit: int) -> list[TokenId]:
    """Tokens that were paused or resumed, of which the chain does not know yet."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT token_id FROM compliance_rules WHERE pauses_registered < pauses ORDER BY updated_at LIMIT $1",
            limit,
        )
    return [TokenId(row["token_id"]) for row in rows]


async def set_pause_registered(tx: Tx, token_id: TokenId, number: int) -> None:
    await tx.execute(
        "UPDATE compliance_rules SET pauses_registered = GREATEST(pauses_registered, $2) WHERE token_id = $1",
        token_id,
        number,
    )


def _due(fields: dict[str, Any]) -> Due:
    frozen, identity = fields.pop("told_frozen"), fields.pop("told_identity")
    return Due(Profile(**fields), frozen, identity)
