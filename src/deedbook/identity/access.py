"""Access tokens: short EdDSA JWTs under keys that rotate, so that any API process can check any token.

Private keys rest in the database sealed with AES-256-GCM under a key derived from `DEEDBOOK_SECRET`.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbook.identity.errors import Unauthenticated
from deedbook.identity.terms import Means
from deedbook.kernel.ids import UserId, new_uuid, parse_uuid

ALGORITHM = "EdDSA"
AUDIENCE = "deedbook"
_REQUIRED = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"]


@dataclass(frozen=True)
class SigningKey:
    """A key that signs access tokens."""

    kid: str
    private: Ed25519PrivateKey


@dataclass(frozen=True)
class AccessClaims:
    """What a valid token says, until `expires_at` (seconds of Unix time). Roles are not in it: they are read where they
    are kept. `session_id` names the session, or what else was shown by these `means`."""

    user_id: UserId
    session_id: UUID
    expires_at: float
    means: Means = Means.SESSION
    issued_at: float = 0.0


def new_signing_key() -> SigningKey:
    return SigningKey(kid=str(new_uuid()), private=Ed25519PrivateKey.generate())


def public_pem(key: SigningKey) -> str:
    return (
        key.private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def seal(key: SigningKey, secret: str) -> bytes:
    """The private key as it may rest in the database."""
    raw = key.private.private_bytes_raw()
    nonce = os.urandom(12)
    return nonce + AESGCM(_sealing_key(secret)).encrypt(nonce, raw, key.kid.encode())


def unseal(kid: str, sealed: bytes, secret: str) -> SigningKey | None:
    """The reverse of `seal`; `None` when it was sealed under another secret."""
    try:
        raw = AESGCM(_sealing_key(secret)).decrypt(sealed[:12], sealed[12:], kid.encode())
    except InvalidTag:
        return None
    return SigningKey(kid, Ed25519PrivateKey.from_private_bytes(raw))


def issue(
    key: SigningKey, *, issuer: str, user_id: UserId, session_id: UUID, now: datetime, ttl: timedelta
) -> str:
    """A signed access token."""
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id),
        "jti": str(new_uuid()),
        "iat": now,
        "nbf": now,
        "exp": now + ttl,
    }
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})


def key_id(token: str) -> str:
    """The `kid` of a token, before anything in it is believed.

    Raises:
        Unauthenticated: no readable header, or one that asks for anything unusual.
    """
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise Unauthenticated("the access token cannot be read") from None
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise Unauthenticated("the access token is not one of ours")
    kid = header.get("kid")
    if not isinstance(kid, str) or parse_uuid(kid) is None:
        raise Unauthenticated("the access token is not one of ours")
    return kid


def check(token: str, public_key: Ed25519PublicKey, *, issuer: str) -> AccessClaims:
    """Verify a token under one of our keys.

    Raises:
        Unauthenticated: it does not hold, or is over; says which, since a client must know when to refresh.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            public_key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=issuer,
            options={"require": _REQUIRED},
            leeway=5,
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("the access token has expired; refresh it") from None
    except jwt.PyJWTError:
        raise Unauthenticated("the access token does not hold") from None
    user_id, session_id = parse_uuid(str(claims["sub"])), parse_uuid(str(claims["sid"]))
    if user_id is None or session_id is None:
        raise Unauthenticated("the access token does not hold")
    return AccessClaims(UserId(user_id), session_id, float(claims["exp"]))


def load_public(pem: str) -> Ed25519PublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, Ed25519PublicKey)
    return key


def _sealing_key(secret: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"deedbook signing keys").derive(secret.encode())
