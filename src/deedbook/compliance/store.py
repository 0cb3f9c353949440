"""SQL of this room: profiles, records and rules. Of tokens it reads what the rules need to know of them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from deedbook.compliance.terms import (
    Accreditation,
    KycStatus,
    Profile,
    Record,
    TokenFacts,
    TokenRules,
)
from deedbook.infra.database import Database, Reads, Tx
from deedbook.kernel.ids import TokenId, UserId

_TOKEN = "t.token_id, t.symbol, t.decimals, t.token_type = 'RWA', t.issuer_user_id, t.contract_address"
RECORD = (
    "user_id, token_id, kyc_status, kyc_level, whitelisted, accreditation, accreditation_expires_at, jurisdiction, "
    "expires_at, provider, provider_reference, version, updated_at"
)
_PROFILE = "user_id, account, frozen, sanctioned, version, registered_version"
_RECORD_NAMES = RECORD.split(", ")
_RULES = (
    "min_kyc_level, accreditation_required, allowed_jurisdictions, blocked_jurisdictions, max_holders, "
    "max_ownership, lock_up_days, paused, version"
)


async def token(tx: Tx, token_id: TokenId) -> TokenFacts | None:
    row = await tx.fetchrow(f"SELECT {_TOKEN} FROM tokens t WHERE token_id = $1", token_id)
    return TokenFacts(*row) if row else None


async def rules(tx: Tx, token_id: TokenId, *, lock: bool = False) -> TokenRules:
    """A token's rules; those of a token that was given none ask for KYC and whitelist alone."""
    row = await tx.fetchrow(
        f"SELECT {_RULES} FROM compliance_rules WHERE token_id = $1" + (" FOR UPDATE" if lock else ""),
        token_id,
    )
    return read_rules(row) if row else TokenRules()


async def ensure_rules(tx: Tx, token_id: TokenId) -> None:
    """Make the row of a token's rules, so that there is one to lock."""
    await tx.execute("INSERT INTO compliance_rules (token_id) VALUES ($1) ON CONFLICT DO NOTHING", token_id)


async def profile(tx: Tx, user_id: UserId, *, lock: bool = False) -> Profile | None:
    row = await tx.fetchrow(
        f"SELECT {_PROFILE} FROM compliance_profiles WHERE user_id = $1" + (" FOR UPDATE" if lock else ""),
        user_id,
    )
    return Profile(**dict(row)) if row else None


async def record(tx: Tx, user_id: UserId, token_id: TokenId, *, lock: bool = False) -> Record | None:
    row = await tx.fetchrow(
        f"SELECT {RECORD} FROM compliance_records WHERE user_id = $1 AND token_id = $2"
        + (" FOR UPDATE" if lock else ""),
        user_id,
        token_id,
    )
    return read_record(row) if row else None


def read_record(row: Any) -> Record:
    fields = dict(row)
    status, accreditation = KycStatus(fields.pop("kyc_status")), Accreditation(fields.pop("accreditation"))
    return Record(**fields, kyc_status=status, accreditation=accreditation)


def read_rules(row: Any) -> TokenRules:
    fields = dict(row)
    allowed, blocked = (frozenset(fields.pop(f"{which}_jurisdictions")) for which in ("allowed", "blocked"))
    cap = fields.pop("max_ownership")
    return TokenRules(
        **fields,
        allowed_jurisdictions=allowed,
        blocked_jurisdictions=blocked,
        max_ownership=int(cap) if cap is not None else None,
    )


async def ensure_profile(tx: Tx, user_id: UserId) -> Profile | None:
    """The user's profile, made where there is none, and held as it is until the commit; `None`: no such user."""
    await tx.execute(
        "INSERT INTO compliance_profiles (user_id, account) SELECT user_id, account FROM users WHERE user_id = $1 "
        "ON CONFLICT DO NOTHING",
        user_id,
    )
    return await profile(tx, user_id, lock=True)


async def set_frozen(tx: Tx, user_id: UserId, reason: str | None) -> None:
    """Freeze with a reason, thaw without."""
    await tx.execute(
        "UPDATE compliance_profiles SET frozen = $2, frozen_reason = $3, version = version + 1, updated_at = now() "
        "WHERE user_id = $1",
        user_id,
        reason is not None,
        reason,
    )


async def set_screened(tx: Tx, user_id: UserId, sanctioned: bool) -> None:
    """Write down what the lists say now."""
    await tx.execute(
        "UPDATE compliance_profiles SET screened_at = now(), sanctioned = $2, updated_at = now(), "
        "version = version + (sanctioned <> $2)::int WHERE user_id = $1",
        user_id,
        sanctioned,
    )


async def bump(tx: Tx, user_id: UserId) -> None:
    """Say that the chain should hear something new of this account."""
    await tx.execute(
        "UPDATE compliance_profiles SET version = version + 1, updated_at = now() WHERE user_id = $1", user_id
    )


async def save_record(tx: Tx, saved: Record, updated_by: UserId | None) -> Record:
    """Write a record, under the next version where there was one."""
    row = await tx.fetchrow(
        f"""
        INSERT INTO compliance_records (user_id, token_id, kyc_status, kyc_level, whitelisted, accreditation,
            accreditation_expires_at, jurisdiction, expires_at, provider, provider_reference, updated_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (user_id, token_id) DO UPDATE SET kyc_status = EXCLUDED.kyc_status,
            kyc_level = EXCLUDED.kyc_level, whitelisted = EXCLUDED.whitelisted,
            accreditation = EXCLUDED.accreditation,
            accreditation_expires_at = EXCLUDED.accreditation_expires_at,
            jurisdiction = EXCLUDED.jurisdiction, expires_at = EXCLUDED.expires_at, provider = EXCLUDED.provider,
            provider_reference = EXCLUDED.provider_reference, updated_by = EXCLUDED.updated_by,
            version = compliance_records.version + 1, updated_at = now()
        RETURNING {RECORD}
        """,
        saved.user_id,
        saved.token_id,
        saved.kyc_status.value,
        saved.kyc_level,
        saved.whitelisted,
        saved.accreditation.value,
        saved.accreditation_expires_at,
        saved.jurisdiction,
        saved.expires_at,
        saved.provider,
        saved.provider_reference,
        updated_by,
    )
    return read_record(row)


async def records(tx: Tx, user_id: UserId) -> list[Record]:
    """Everything that is recorded of a user."""
    rows = await tx.fetch(f"SELECT {RECORD} FROM compliance_records WHERE user_id = $1", user_id)
    return [read_record(row) for row in rows]


async def due(tx: Tx, now: datetime, limit: int) -> list[tuple[UserId, TokenId]]:
    """Approvals that have run out, the longest ago first."""
    rows = await tx.fetch(
        "SELECT user_id, token_id FROM compliance_records WHERE kyc_status = 'APPROVED' AND expires_at <= $1 "
        "ORDER BY expires_at LIMIT $2",
        now,
        limit,
    )
    return [(UserId(row["user_id"]), TokenId(row["token_id"])) for row in rows]


async def save_rules(tx: Tx, token_id: TokenId, saved: TokenRules, updated_by: UserId) -> TokenRules:
    """Write a token's rules under the next version. Pausing is another matter and stays as it is."""
    row = await tx.fetchrow(
        f"""
        UPDATE compliance_rules SET min_kyc_level = $2, accreditation_required = $3, allowed_jurisdictions = $4,
            blocked_jurisdictions = $5, max_holders = $6, max_ownership = $7, lock_up_days = $8, updated_by = $9,
            version = version + 1, updated_at = now()
        WHERE token_id = $1 RETURNING {_RULES}
        """,
        token_id,
        saved.min_kyc_level,
        saved.accreditation_required,
        sorted(saved.allowed_jurisdictions),
        sorted(saved.blocked_jurisdictions),
        saved.max_holders,
        saved.max_ownership,
        saved.lock_up_days,
        updated_by,
    )
    return read_rules(row)


async def toggle_pause(tx: Tx, token_id: TokenId, updated_by: UserId | None) -> TokenRules:
    """Pause what is not paused, and the reverse."""
    row = await tx.fetchrow(
        "UPDATE compliance_rules SET paused = NOT paused, pauses = pauses + 1, updated_by = $2, "
        f"version = version + 1, updated_at = now() WHERE token_id = $1 RETURNING {_RULES}",
        token_id,
        updated_by,
    )
    return read_rules(row)


async def add_application(
    tx: Tx, application_id: UUID, user_id: UserId, token_id: TokenId, applicant: str, requested_by: UserId
) -> bool:
    """Keep an application until it is answered; `False` when one of the user for this token is open already."""
    return (
        await tx.fetchval(
            """
            INSERT INTO kyc_applications (application_id, user_id, token_id, applicant, status, requested_by)
            VALUES ($1, $2, $3, $4, 'OPEN', $5) ON CONFLICT DO NOTHING RETURNING application_id
            """,
            application_id,
            user_id,
            token_id,
            applicant,
            requested_by,
        )
        is not None
    )


async def open_application(db: Database, application_id: UUID) -> Any:
    async with db.reading() as connection:
        return await connection.fetchrow(
            "SELECT user_id, token_id, applicant FROM kyc_applications WHERE application_id = $1 AND status = 'OPEN'",
            application_id,
        )


async def close_application(tx: Tx, application_id: UUID, status: str) -> bool:
    """End an application and erase its papers; `False` when it had ended already."""
    return (
        await tx.fetchval(
            "UPDATE kyc_applications SET status = $2, applicant = NULL, updated_at = now() "
            "WHERE application_id = $1 AND status = 'OPEN' RETURNING application_id",
            application_id,
            status,
        )
        is not None
    )


class Known(NamedTuple):
    """What is written of a user for a token; `None` where nothing is."""

    profile: Profile | None
    record: Record | None


class Surroundings(NamedTuple):
    """A token, what it asks, the moment by the database's clock, and what is known of some users."""

    token: TokenFacts
    rules: TokenRules
    now: datetime
    users: dict[UserId, Known]


_SURROUNDINGS = f"""
SELECT {_TOKEN}, a.{_RULES.replace(", ", ", a.")}, now(), u.user_id,
       p.{_PROFILE.replace(", ", ", p.")}, r.{RECORD.replace(", ", ", r.")}
FROM tokens t LEFT JOIN compliance_rules a USING (token_id)
LEFT JOIN unnest($2::uuid[]) AS u (user_id) ON true
LEFT JOIN compliance_profiles p ON p.user_id = u.user_id
LEFT JOIN compliance_records r ON r.user_id = u.user_id AND r.token_id = t.token_id
WHERE t.token_id = $1
"""


async def surroundings(reads: Reads, token_id: TokenId, user_ids: Sequence[UserId]) -> Surroundings | None:
    """All that a judgement of these users looks at, in one round trip; `None`: there is no such token."""
    rows = [tuple(row) for row in await reads.fetch(_SURROUNDINGS, token_id, list(user_ids))]
    if not rows:
        return None
    users: dict[UserId, Known] = {}
    for row in rows:
        columns = iter(row)
        token, asked, (now, user_id) = (
            _next(columns, _TOKEN),
            _next(columns, _RULES),
            _next(columns, "now, user"),
        )
        profile, record = _next(columns, _PROFILE), _next(columns, RECORD)
        if user_id is not None:
            users[user_id] = Known(
                Profile(*profile) if profile[0] is not None else None,
                read_record(zip(_RECORD_NAMES, record, strict=True)) if record[0] is not None else None,
            )
    has_rules = asked[-1] is not None
    rules = read_rules(zip(_RULES.split(", "), asked, strict=True)) if has_rules else TokenRules()
    return Surroundings(TokenFacts(*token), rules, now, users)


def _next(columns: Iterator[Any], names: str) -> tuple[Any, ...]:
    """The values of as many columns as there are names."""
    return tuple(islice(columns, names.count(",") + 1))


async def versions_since(reads: Reads, token_id: TokenId, moment: datetime) -> dict[UserId, tuple[int, int]]:
    """The present versions of record and profile (0: there is none) where either was written since."""
    rows = await reads.fetch(
        """
        WITH changed AS (
            SELECT user_id FROM compliance_records WHERE token_id = $1 AND updated_at >= $2
            UNION SELECT user_id FROM compliance_profiles WHERE updated_at >= $2
        )
        SELECT c.user_id, COALESCE(r.version, 0) AS record, COALESCE(p.version, 0) AS profile FROM changed c
        LEFT JOIN compliance_records r ON r.user_id = c.user_id AND r.token_id = $1
        LEFT JOIN compliance_profiles p ON p.user_id = c.user_id
        """,
        token_id,
        moment,
    )
    return {UserId(row["user_id"]): (row["record"], row["profile"]) for row in rows}
