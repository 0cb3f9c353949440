"""Tokens of other issuers (OpenID Connect, RFC 9068): what one must be to be believed. Pure.

Of the header only the key's id and the algorithm are read, the latter from a short list and against the key's own
type; whatever would have us take a key from the token itself is refused. JSON with a name twice is refused, since
others may read the other one.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from deedbook.identity.errors import Unauthenticated

ALGORITHMS = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
CURVES = {"ES256": "P-256", "EdDSA": "Ed25519"}
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
REFUSED_HEADERS = frozenset({"crit", "jku", "jwk", "x5u", "x5c", "zip", "b64"})
REQUIRED = ["iss", "aud", "sub", "iat", "exp"]
LEEWAY_S = 30
MAX_LIFE_S = 24 * 3600
MAX_SUBJECT = 255
MIN_RSA_BITS = 2048
Jwk = Mapping[str, Any]


@dataclass(frozen=True)
class Header:
    """What says under which key a token claims to stand."""

    algorithm: str
    key_id: str


@dataclass(frozen=True)
class Vouched:
    """Whom an issuer vouches for, and for how long (seconds of Unix time)."""

    issuer: str
    subject: str
    issued_at: float
    expires_at: float


def issuer_of(token: str) -> str | None:
    """Who claims to have issued this; nothing of it is believed yet. `None` where that cannot be read."""
    parts = token.split(".")
    claims = _read(parts[1]) if len(parts) == 3 else None
    issuer = claims.get("iss") if claims is not None else None
    return issuer if isinstance(issuer, str) else None


def read_header(token: str) -> Header:
    """Raises Unauthenticated: the header asks for anything that is not plain."""
    header = _read(token.split(".")[0])
    if header is None or REFUSED_HEADERS & header.keys():
        raise _refused()
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if algorithm not in ALGORITHMS or not isinstance(key_id, str) or not 0 < len(key_id) <= 256:
        raise _refused()
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise _refused()
    return Header(algorithm, key_id)


def fits(key: Jwk, header: Header) -> bool:
    """Whether this key of the issuer's may have signed under this header."""
    return (
        key.get("kid") == header.key_id
        and key.get("kty") == ALGORITHMS[header.algorithm]
        and key.get("crv") == CURVES.get(header.algorithm)
        and key.get("use", "sig") == "sig"
        and key.get("alg", header.algorithm) == header.algorithm
        and "verify" in key.get("key_ops", ["verify"])
    )


def check(token: str, key: Jwk, header: Header, *, issuer: str, audience: str) -> Vouched:
    """Verify a token under a key of its issuer's.

    Raises:
        Unauthenticated: it does not hold, or is over.
    """
    if _read(token.split(".")[1]) is None:
        raise _refused()
    try:
        opened = jwt.PyJWK(dict(key), algorithm=header.algorithm).key
        if header.algorithm == "RS256" and opened.key_size < MIN_RSA_BITS:
            raise _refused()
        claims: dict[str, Any] = jwt.decode(
            token,
            opened,
            algorithms=[header.algorithm],
            audience=audience,
            issuer=issuer,
            options={"require": REQUIRED},
            leeway=LEEWAY_S,
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("the token has expired; get a new one from your provider") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise _refused() from None
    subject, issued_at, expires_at = claims["sub"], float(claims["iat"]), float(claims["exp"])
    if not 0 < len(subject) <= MAX_SUBJECT or not _is_text(subject) or expires_at - issued_at > MAX_LIFE_S:
        raise _refused()
    return Vouched(issuer, subject, issued_at, expires_at)


def _is_text(subject: str) -> bool:
    """Whether it can be written down: JSON has zeros, and halves of letters."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in subject)


def _read(segment: str) -> dict[str, Any] | None:
    """A segment's JSON object; `None` where it is none, or a name stands in it twice."""
    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        told = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, binascii.Error, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("a name stands there twice")
    return told


def _refused() -> Unauthenticated:
    return Unauthenticated("the token does not hold")
