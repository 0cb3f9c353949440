"""SQL of this room: profiles, records and rules. Of tokens it reads what the rules need to know of them."""

from dataclasses import dataclass
from typing import Any

from deedbook.compliance.terms import Accreditation, KycStatus, Profile, Record, TokenRules
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.ids import TokenId, UserId

_RECORD = (
    "user_id, token_id, kyc_status, kyc_level, whitelisted, accreditation, accreditation_expires_at, jurisdiction, "
    "expires_at, provider, provider_reference, version, updated_at"
)
_PROFILE = "user_id, account, frozen, sanctioned, version, registered_version"
_RULES = (
    "min_kyc_level, accreditation_required, allowed_jurisdictions, blocked_jurisdictions, max_holders, "
    "max_ownership, lock_up_days, paused, version"
)


@dataclass(frozen=True)
class TokenFacts:
    """What this room needs to know of a token."""

    token_id: TokenId
    symbol: str
    decimals: int
    regulated: bool
    issuer: UserId | None
    contract: Address | None


async def token(tx: Tx, token_id: TokenId) -> TokenFacts | None:
    row = await tx.fetchrow(
        "SELECT token_id, symbol, decimals, token_type = 'RWA' AS regulated, issuer_user_id AS issuer, "
        "contract_address AS contract FROM tokens WHERE token_id = $1",
        token_id,
    )
    return TokenFacts(**dict(row)) if row else None


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
        f"SELECT {_RECORD} FROM compliance_records WHERE user_id = $1 AND token_id = $2"
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
