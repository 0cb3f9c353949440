"""Use cases: records, freezes, sanctions and rules. Whoever is concerned never decides about themselves.

What is decided here holds in the same instant: every operation asks anew. The chain hears of it right after,
through `registry`.
"""

from datetime import datetime
from typing import Any

from deedbook.compliance import model, store
from deedbook.compliance.errors import (
    ComplianceChanged,
    NotRegulated,
    TokenNotFound,
    UserNotFound,
)
from deedbook.compliance.events import (
    AccountFrozen,
    AccountScreened,
    AccountUnfrozen,
    ComplianceExpired,
    NoteWritten,
    RecordChanged,
    RulesChanged,
    TokenPausedFact,
    TokenUnpausedFact,
)
from deedbook.compliance.terms import KycStatus, Profile, Record, RecordChange, TokenFacts, TokenRules
from deedbook.identity.errors import FourEyes
from deedbook.identity.terms import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.events import SYSTEM, Actor
from deedbook.kernel.ids import TokenId, UserId

EXPIRED_AT_ONCE = 200


async def set_record(
    tx: Tx,
    caller: Caller,
    user_id: UserId,
    token_id: TokenId,
    change: RecordChange,
    *,
    if_version: int | None = None,
) -> Record:
    """Write what compliance decided of a user for a token; the record is made where there is none.

    Raises:
        FourEyes: it is the caller's own.
        TokenNotFound · NotRegulated · UserNotFound · ComplianceChanged · Invalid: see there.
    """
    _require_another(caller.actor, user_id)
    await regulated(tx, token_id)
    await held_profile(tx, user_id)
    before = await store.record(tx, user_id, token_id, lock=True)
    if if_version is not None and if_version != (before.version if before else 0):
        raise ComplianceChanged("look again, then decide")
    now = await tx.now()
    after = model.changed(before or model.blank(user_id, token_id, now), change, now)
    return await write_record(tx, before, after, caller.actor)


async def write_record(tx: Tx, before: Record | None, after: Record, actor: Actor) -> Record:
    """Write a record and tell of it. The profile is held already."""
    updated_by = UserId(actor.actor_id) if actor.actor_id is not None else None
    saved = await store.save_record(tx, after, updated_by)
    if before is None or not model.is_told_alike(before, saved):
        await store.bump(tx, saved.user_id)
    tx.emit(
        RecordChanged(
            user_id=saved.user_id,
            token_id=saved.token_id,
            kyc_status=saved.kyc_status.value,
            kyc_level=saved.kyc_level,
            whitelisted=saved.whitelisted,
            record_version=saved.version,
        ),
        actor,
        before=_audited(before),
        after=_audited(saved),
    )
    return saved


async def freeze(tx: Tx, actor: Actor, user_id: UserId, reason: str) -> Profile:
    """Stop everything that the account could move. Freezing a frozen one changes nothing.

    Raises:
        FourEyes · UserNotFound: see there.
    """
    return await _set_frozen(tx, actor, user_id, reason, frozen=True)


async def unfreeze(tx: Tx, actor: Actor, user_id: UserId, reason: str) -> Profile:
    """Let the account move again, as far as its records allow. Thawing one that is not frozen changes nothing.

    Raises:
        FourEyes · UserNotFound: see there.
    """
    return await _set_frozen(tx, actor, user_id, reason, frozen=False)


async def write_note(tx: Tx, actor: Actor, user_id: UserId, text: str) -> None:
    """Put something about a case on record. It changes nothing, and is never changed.

    Raises:
        UserNotFound: there is no such user.
    """
    await held_profile(tx, user_id)
    tx.emit(NoteWritten(user_id=user_id, text=text), actor, before={}, after={})


async def set_sanctioned(tx: Tx, actor: Actor, user_id: UserId, sanctioned: bool, reason: str) -> Profile:
    """Say whether the account may be served at all. The KYC provider only ever adds; taking off is for people.

    Raises:
        FourEyes · UserNotFound: see there.
    """
    _require_another(actor, user_id)
    before = await held_profile(tx, user_id)
    await store.set_screened(tx, user_id, sanctioned)
    tx.emit(
        AccountScreened(user_id=user_id, sanctioned=sanctioned, reason=reason),
        actor,
        before={"sanctioned": before.sanctioned},
        after={"sanctioned": sanctioned},
    )
    return await held_profile(tx, user_id)


async def set_rules(
    tx: Tx, caller: Caller, token_id: TokenId, wanted: TokenRules, *, if_version: int | None = None
) -> TokenRules:
    """Put other rules in the place of a token's; whether it is paused stays as it is.

    Raises:
        FourEyes: the caller is the token's issuer.
        TokenNotFound · NotRegulated · ComplianceChanged: see there.
    """
    token = await regulated(tx, token_id)
    if token.issuer is not None:
        _require_another(caller.actor, token.issuer)
    before = await _held_rules(tx, token_id, if_version)
    after = await store.save_rules(tx, token_id, wanted, caller.user_id)
    tx.emit(
        RulesChanged(token_id=token_id, rules_version=after.version),
        caller.actor,
        before=_rules_audited(before),
        after=_rules_audited(after),
    )
    return after


async def pause_token(
    tx: Tx, actor: Actor, token_id: TokenId, reason: str, *, paused: bool = True
) -> TokenRules:
    """Stop every move of a token, or let it go on. A repeated call changes nothing.

    Raises:
        TokenNotFound · NotRegulated: see there.
    """
    await regulated(tx, token_id)
    before = await _held_rules(tx, token_id, None)
    if before.paused is paused:
        return before
    updated_by = UserId(actor.actor_id) if actor.actor_id is not None else None
    after = await store.toggle_pause(tx, token_id, updated_by)
    told = TokenPausedFact if paused else TokenUnpausedFact
    tx.emit(
        told(token_id=token_id, reason=reason), actor, before={"paused": not paused}, after={"paused": paused}
    )
    return after


async def expire_due(tx: Tx, now: datetime) -> int:
    """Let approvals end that have run out; how many there were, `EXPIRED_AT_ONCE` at most."""
    due = await store.due(tx, now, EXPIRED_AT_ONCE)
    for user_id, token_id in sorted(due):
        await held_profile(tx, user_id)
        before = await store.record(tx, user_id, token_id, lock=True)
        # Looked at again under the lock: it may have been renewed meanwhile.
        if before is None or before.kyc_status is not KycStatus.APPROVED or not model.has_lapsed(before, now):
            continue
        after = await store.save_record(tx, model.expired(before), None)
        await store.bump(tx, user_id)
        tx.emit(
            ComplianceExpired(user_id=user_id, token_id=token_id, record_version=after.version),
            SYSTEM,
            before=_audited(before),
            after=_audited(after),
        )
    return len(due)


async def held_profile(tx: Tx, user_id: UserId) -> Profile:
    """The user's profile, held until the commit; taken before any of their records.

    Raises:
        UserNotFound: there is no such user.
    """
    profile = await store.ensure_profile(tx, user_id)
    if profile is None:
        raise UserNotFound
    return profile


async def regulated(tx: Tx, token_id: TokenId) -> TokenFacts:
    """A token that is under compliance.

    Raises:
        TokenNotFound · NotRegulated: see there.
    """
    token = await store.token(tx, token_id)
    if token is None:
        raise TokenNotFound
    if not token.regulated:
        raise NotRegulated(f"{token.symbol} was not issued here")
    return token


async def _set_frozen(tx: Tx, actor: Actor, user_id: UserId, reason: str, *, frozen: bool) -> Profile:
    _require_another(actor, user_id)
    before = await held_profile(tx, user_id)
    if before.frozen is frozen:
        return before
    await store.set_frozen(tx, user_id, reason if frozen else None)
    told = AccountFrozen if frozen else AccountUnfrozen
    tx.emit(
        told(user_id=user_id, reason=reason), actor, before={"frozen": not frozen}, after={"frozen": frozen}
    )
    return await held_profile(tx, user_id)


async def _held_rules(tx: Tx, token_id: TokenId, if_version: int | None) -> TokenRules:
    await store.ensure_rules(tx, token_id)
    held = await store.rules(tx, token_id, lock=True)
    if if_version is not None and if_version != held.version:
        raise ComplianceChanged(f"you saw version {if_version}; it is now {held.version}: look again")
    return held


def _require_another(actor: Actor, user_id: UserId) -> None:
    if actor.actor_id == user_id:
        raise FourEyes("somebody else has to decide about you")


def _audited(record: Record | None) -> dict[str, Any]:
    """What an auditor compares; the provider's reference leads to the rest."""
    if record is None:
        return {"kycStatus": None}
    return {
        "kycStatus": record.kyc_status,
        "kycLevel": record.kyc_level,
        "whitelisted": record.whitelisted,
        "accreditation": record.accreditation,
        "accreditationExpiresAt": record.accreditation_expires_at,
        "jurisdiction": record.jurisdiction,
        "expiresAt": record.expires_at,
        "provider": record.provider,
        "providerReference": record.provider_reference,
    }


def _rules_audited(rules: TokenRules) -> dict[str, Any]:
    return {
        "minKycLevel": rules.min_kyc_level,
        "accreditationRequired": rules.accreditation_required,
        "allowedJurisdictions": sorted(rules.allowed_jurisdictions),
        "blockedJurisdictions": sorted(rules.blocked_jurisdictions),
        "maxHolders": rules.max_holders,
        "maxOwnership": None if rules.max_ownership is None else str(rules.max_ownership),
        "lockUpDays": rules.lock_up_days,
    }
