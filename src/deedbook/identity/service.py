"""Use cases: sign in, refresh, sign out, recognise a caller, grant a role."""

import hashlib
import hmac
import math
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbook.identity import access, siwe, store
from deedbook.identity.access import AccessClaims
from deedbook.identity.errors import Forbidden, SignInRefused, Unauthenticated
from deedbook.identity.events import RoleGranted, SessionRevoked, UserRegistered
from deedbook.identity.ports import Permissions
from deedbook.identity.signatures import parse_signature, personal_digest, recover
from deedbook.identity.terms import Action, Address, Caller, Role
from deedbook.infra.database import Database, Tx
from deedbook.kernel.events import Actor, ActorType
from deedbook.kernel.ids import EntityId, UserId, new_uuid, parse_uuid

NONCE_TTL_S = 300
KEYS_KEPT_S = 60.0


@dataclass(frozen=True)
class SignInPolicy:
    """What a sign-in must be for, and how long what it gives lasts."""

    domain: str
    chain_id: int
    issuer: str
    secret: str
    access_ttl_s: int
    refresh_ttl_s: int


@dataclass(frozen=True)
class Credentials:
    """What a user holds after signing in. The refresh token is shown once and stored only as a hash."""

    user_id: UserId
    access_token: str
    refresh_token: str
    expires_in_s: int


async def new_nonce(tx: Tx) -> tuple[str, datetime]:
    """A one-use nonce for a sign-in message, and when it ends."""
    nonce = secrets.token_hex(16)
    return nonce, await store.add_nonce(tx, nonce, NONCE_TTL_S)


async def sign_in(tx: Tx, policy: SignInPolicy, message_text: str, signature_text: str) -> Credentials:
    """Open a session for whoever signed the message. A refused attempt uses nothing up.

    Raises:
        SignInRefused: the message, its nonce or its signer does not hold.
        SignatureMalformed: the signature is not in its one valid form.
    """
    account = await proven_account(tx, policy, message_text, signature_text)
    user_id = await ensure_user(tx, account)
    if await store.is_disabled(tx, user_id):
        raise SignInRefused("this account is closed")
    session_id = new_uuid()
    refresh_token = _new_refresh_token(policy, session_id)
    await store.add_session(tx, session_id, user_id, _hash(refresh_token), policy.refresh_ttl_s)
    return await _credentials(tx, policy, user_id, session_id, refresh_token)


async def proven_account(
    tx: Tx, policy: SignInPolicy, message_text: str, signature_text: str, statement: str | None = None
) -> Address:
    """Whose message this is; its nonce is used up. With a `statement`, it must say that and nothing else.

    Raises:
        SignInRefused · SignatureMalformed: it does not hold; nothing is used up.
    """
    message = siwe.parse(message_text)
    siwe.judge(message, domain=policy.domain, chain_id=policy.chain_id, now=await tx.now())
    if statement is not None and message.statement != statement:
        raise SignInRefused(f"the message must say: {statement}")
    signer = recover(personal_digest(message_text), parse_signature(signature_text))
    if signer != message.address:
        raise SignInRefused("the signature is not by the address in the message")
    if not await store.use_nonce(tx, message.nonce):
        raise SignInRefused("the nonce is unknown, used or over; ask for a new one")
    return message.address


async def refresh(tx: Tx, policy: SignInPolicy, refresh_token: str) -> Credentials | None:
    """Exchange a refresh token for new credentials.

    Any token of the session but the newest ends it (RFC 9700, section 4.14.2), however often it was
    refreshed since: the answer is then `None` rather than a refusal, so that the revocation commits.

    Raises:
        Unauthenticated: unknown, or the session is over.
    """
    session_id = _session_named_by(policy, refresh_token)
    session = await store.lock_session(tx, session_id, _hash(refresh_token)) if session_id else None
    if session is None or session.revoked:
        raise Unauthenticated("the session is over; sign in again")
    if session.reused:
        await revoke(tx, session.session_id, "refresh_token_reused")
        return None
    new_token = _new_refresh_token(policy, session.session_id)
    await store.rotate_refresh(tx, session.session_id, _hash(new_token))
    return await _credentials(tx, policy, session.user_id, session.session_id, new_token)


async def sign_out(tx: Tx, caller: Caller) -> None:
    """End the caller's session; its access tokens end with it."""
    await revoke(tx, caller.session_id, "logout")


class KeyRing:
    """The public keys that tokens may hold under, remembered for a minute.

    A key that is not known is looked for at most once a second, so that forged tokens cost nothing.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._loaded_at = -math.inf

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        age_s = time.monotonic() - self._loaded_at
        if age_s > KEYS_KEPT_S or (kid not in self._keys and age_s > 1):
            loaded = await store.public_keys(self._db)
            self._keys = {name: access.load_public(pem) for name, pem in loaded.items()}
            self._loaded_at = time.monotonic()
        return self._keys.get(kid)


async def read_token(keys: KeyRing, token: str, issuer: str) -> AccessClaims:
    """What an access token says.

    Raises:
        Unauthenticated: it does not hold.
    """
    key = await keys.find(access.key_id(token))
    if key is None:
        raise Unauthenticated("the access token does not hold")
    return access.check(token, key, issuer=issuer)


async def caller_of_session(db: Database, user_id: UserId, session_id: UUID) -> Caller:
    """The caller whose session this is.

    Raises:
        Unauthenticated: it is over.
    """
    (caller,) = await store.callers_of_sessions(db, [(user_id, session_id)])
    if caller is None:
        raise Unauthenticated("the session is over; sign in again")
    return caller


async def require_permission(
    permissions: Permissions, caller: Caller, action: Action, entity_id: EntityId
) -> None:
    """Ask the permission service.

    Raises:
        Forbidden: it says no.
        PermissionsUnavailable: it says nothing.
    """
    if not await permissions.is_allowed(caller.user_id, action, entity_id):
        raise Forbidden(f"the permission service does not allow you {action.value} on this entity")


async def grant(
    tx: Tx, account: Address, role: Role, granted_by: str, entity_id: EntityId | None = None, name: str = ""
) -> UserId:
    """Give a role to the user of this account, who need not have signed in yet."""
    user_id = await ensure_user(tx, account)
    before = await store.standing(tx, user_id)
    if entity_id is not None:
        await store.set_entity(tx, user_id, entity_id, name)
    added = await store.add_role(tx, user_id, role, granted_by)
    after = await store.standing(tx, user_id)
    if added or after != before:
        told = RoleGranted(user_id=user_id, role=role.value, granted_by=granted_by)
        tx.emit(told, Actor(ActorType.OPERATOR), before=before, after=after)
    return user_id


async def rotate_signing_key(tx: Tx, policy: SignInPolicy, *, older_than_s: int) -> bool:
    """Start a new signing key when the newest is too old, or there is none that our secret opens.

    `True` when one was started.
    """
    await store.lock_signing_keys(tx)
    newest = await store.newest_signing_key(tx)
    is_young = newest is not None and newest.created_at > await tx.now() - timedelta(seconds=older_than_s)
    if (
        newest is not None
        and is_young
        and access.unseal(newest.kid, newest.sealed, policy.secret) is not None
    ):
        return False
    key = access.new_signing_key()
    await store.add_signing_key(tx, key, access.seal(key, policy.secret))
    await store.retire_signing_keys(tx, keep=key.kid, after_s=policy.access_ttl_s * 2)
    return True


async def ensure_user(tx: Tx, account: Address, named: UserId | None = None) -> UserId:
    """The user of this account, made where there is none: money may arrive before its owner signs in."""
    user_id, made = await store.ensure_user(tx, named or UserId(new_uuid()), account)
    if made:
        await store.add_role(tx, user_id, Role.INVESTOR, "sign-in")
        told = UserRegistered(user_id=user_id, account=account)
        after = await store.standing(tx, user_id)
        tx.emit(told, Actor(ActorType.USER, user_id), before={"roles": [], "entityId": None}, after=after)
    return user_id


async def revoke(tx: Tx, session_id: UUID, reason: str) -> None:
    """End a session, if it is not over."""
    user_id = await store.revoke_session(tx, session_id, reason)
    if user_id is not None:
        told = SessionRevoked(user_id=user_id, session_id=str(session_id), reason=reason)
        ended = {"revoked": True, "reason": reason}
        tx.emit(told, Actor(ActorType.USER, user_id), before={"revoked": False}, after=ended)


async def _credentials(
    tx: Tx, policy: SignInPolicy, user_id: UserId, session_id: UUID, refresh_token: str
) -> Credentials:
    token = access.issue(
        await _signing_key(tx, policy),
        issuer=policy.issuer,
        user_id=user_id,
        session_id=session_id,
        now=await tx.now(),
        ttl=timedelta(seconds=policy.access_ttl_s),
    )
    return Credentials(user_id, token, refresh_token, policy.access_ttl_s)


async def _signing_key(tx: Tx, policy: SignInPolicy) -> access.SigningKey:
    """The newest key; a new one where start-up or the clock has made none yet, or `DEEDBOOK_SECRET` has changed."""
    for _ in range(2):
        newest = await store.newest_signing_key(tx)
        if (
            newest is not None
            and (key := access.unseal(newest.kid, newest.sealed, policy.secret)) is not None
        ):
            return key
        await rotate_signing_key(tx, policy, older_than_s=policy.access_ttl_s)
    raise AssertionError("a key that was made just now opens under the secret that sealed it")


def _new_refresh_token(policy: SignInPolicy, session_id: UUID) -> str:
    """Names its session, so that an old token gives away that it was stolen, whatever came after it; and carries
    our mark, so that nobody ends a session with a token that we never gave."""
    named = f"{session_id}.{secrets.token_urlsafe(32)}"
    return f"{named}.{_mark(policy, named)}"


def _session_named_by(policy: SignInPolicy, refresh_token: str) -> UUID | None:
    named, _, mark = refresh_token.rpartition(".")
    if not hmac.compare_digest(mark.encode(), _mark(policy, named).encode()):
        return None
    return parse_uuid(named.partition(".")[0])


def _mark(policy: SignInPolicy, named: str) -> str:
    return hmac.new(policy.secret.encode(), b"refresh token " + named.encode(), hashlib.sha256).hexdigest()[
        :32
    ]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
