"""API keys: for programs that act for a user, within scopes, limits and time that the user chose.

A key is an id and 256 random bits: `dbk_<id>_<secret>`. The secret is shown once; only its hash is kept. What a key
sends in is signed by the user's wallet all the same, and no key moves money out, gives authority or makes keys.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from deedbook.identity import key_store
from deedbook.identity.access import AccessClaims
from deedbook.identity.errors import KeyCapReached, KeyNotFound, TooManyKeys, Unauthenticated
from deedbook.identity.events import ApiKeyCreated, ApiKeyRevoked
from deedbook.identity.key_store import ApiKey
from deedbook.identity.terms import Caller, KeyId, KeyTerms, Means
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import TokenId, new_uuid

PREFIX = "dbk_"
MAX_LIVING = 20
MAX_LIFE = timedelta(days=365)
_TEXT = re.compile(r"dbk_([0-9a-f]{32})_([0-9a-f]{64})")


@dataclass(frozen=True)
class NewKey:
    """A key as it was made, with its whole text: the only time that anybody sees it."""

    key: ApiKey
    text: str


async def create(tx: Tx, caller: Caller, name: str, terms: KeyTerms, life: timedelta) -> NewKey:
    """Make a key for the caller.

    Raises:
        TooManyKeys: revoke one first.
    """
    assert caller.key is None, "a key makes no keys"
    assert timedelta(0) < life <= MAX_LIFE
    if await key_store.count_living(tx, caller.user_id) >= MAX_LIVING:
        raise TooManyKeys(f"at most {MAX_LIVING} at a time: revoke one that you need no longer")
    key_id, secret = KeyId(new_uuid()), secrets.token_hex(32)
    key = await key_store.add(tx, key_id, caller.user_id, name, _hash(secret), terms, life)
    scopes = tuple(sorted(scope.value for scope in terms.scopes))
    told = ApiKeyCreated(
        key_id=key_id, user_id=caller.user_id, name=name, scopes=scopes, expires_at=key.expires_at
    )
    tx.emit(told, caller.actor, before={}, after=key.audited())
    return NewKey(key, f"{PREFIX}{key_id.hex}_{secret}")


async def revoke(tx: Tx, caller: Caller, key_id: KeyId) -> ApiKey:
    """End a key of the caller's. Ending it again changes nothing.

    Raises:
        KeyNotFound: none of theirs.
    """
    before = await key_store.lock(tx, caller.user_id, key_id)
    if before is None:
        raise KeyNotFound
    if before.revoked_at is not None:
        return before
    after = await key_store.end(tx, key_id)
    told = ApiKeyRevoked(key_id=key_id, user_id=caller.user_id)
    tx.emit(told, caller.actor, before=before.audited(), after=after.audited())
    return after


def looks_like_a_key(token: str) -> bool:
    return token.startswith(PREFIX)


async def read_key(db: Database, text: str) -> AccessClaims:
    """Whose key this is.

    Raises:
        Unauthenticated: nobody's, or it is over. All who guess hear the same.
    """
    match = _TEXT.fullmatch(text)
    found = await key_store.secret_of(db, KeyId(UUID(match[1]))) if match else None
    if match is None or found is None or not hmac.compare_digest(found.secret_hash, _hash(match[2])):
        raise Unauthenticated("the API key does not hold")
    return AccessClaims(found.user_id, found.key_id, found.expires_at.timestamp(), Means.KEY)


@dataclass(frozen=True)
class Charge:
    """What was counted against a key's cap, so that it can be given back."""

    key_id: UUID
    day: date
    token_id: TokenId
    notional: int


async def charge(db: Database, key_id: UUID, cap: int, token_id: TokenId, notional: int) -> Charge:
    """Count an order against what the key may send in a day. However many come at once, the cap holds.

    Raises:
        KeyCapReached: it would go beyond; nothing was counted.
    """
    day = await key_store.charge(db, key_id, cap, token_id, notional) if notional <= cap else None
    if day is None:
        raise KeyCapReached("wait for tomorrow (UTC), or use a key with a higher cap")
    return Charge(key_id, day, token_id, notional)


async def give_back(db: Database, charged: Charge) -> None:
    """The order was refused after all."""
    await key_store.give_back(db, charged.key_id, charged.day, charged.token_id, charged.notional)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(bytes.fromhex(secret)).digest()
