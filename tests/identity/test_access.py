"""Access tokens: what is refused, whatever it says about itself (A-12)."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from deedbook.identity import access
from deedbook.identity.errors import Unauthenticated
from deedbook.kernel.ids import UserId, new_uuid
from tests.identity.support import base64url, hs256, parts, unsigned

ISSUER = "http://localhost:3000"
KEY, OTHER = access.new_signing_key(), access.new_signing_key()
NOW = datetime.now(UTC)
TOKEN = access.issue(
    KEY, issuer=ISSUER, user_id=UserId(uuid4()), session_id=new_uuid(), now=NOW, ttl=timedelta(days=1)
)
HEADER, CLAIMS = parts(TOKEN)
PEM = access.public_pem(KEY)


def check(token: str) -> access.AccessClaims:
    """As a request's token is checked: the key by its id, then everything else."""
    if access.key_id(token) != KEY.kid:
        raise Unauthenticated("no such key")
    return access.check(token, access.load_public(PEM), issuer=ISSUER)


def signed(
    *, header: dict[str, Any] | None = None, key: Any = None, algorithm: str = "EdDSA", **claims: Any
) -> str:
    """A token under our own key, unless another is given, with some claims changed; `None` leaves one out."""
    told = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(
        told, key or KEY.private, algorithm=algorithm, headers={"kid": KEY.kid, **(header or {})}
    )


def _tampered() -> str:
    head, _, signature = TOKEN.split(".")
    return f"{head}.{unsigned({}, {**CLAIMS, 'sub': str(uuid4())}).split('.')[1]}.{signature}"


RSA = rsa.generate_private_key(65537, 2048)
FORGED: dict[str, Callable[[], str]] = {
    "alg none": lambda: unsigned({**HEADER, "alg": "none"}, CLAIMS),
    "alg None": lambda: unsigned({**HEADER, "alg": "None"}, CLAIMS),
    "no signature": lambda: unsigned(HEADER, CLAIMS),
    "HS256 with the public key's PEM": lambda: hs256(HEADER, CLAIMS, PEM.encode()),
    "HS256 with the public key's bytes": lambda: hs256(
        HEADER, CLAIMS, KEY.private.public_key().public_bytes_raw()
    ),
    "HMAC under the name EdDSA": lambda: hs256(HEADER, CLAIMS, PEM.encode()).replace(
        base64url(b'{"alg": "HS256"'), base64url(b'{"alg": "EdDSA"')
    ),
    "RS256": lambda: signed(key=RSA, algorithm="RS256"),
    "another key": lambda: signed(key=OTHER.private),
    "a key of its own in jwk": lambda: signed(
        key=OTHER.private, header={"jwk": {"kty": "OKP", "crv": "Ed25519"}}
    ),
    "jku": lambda: signed(key=OTHER.private, header={"jku": "http://evil.test/keys"}),
    "x5u": lambda: signed(key=OTHER.private, header={"x5u": "http://evil.test/cert"}),
    "crit, well signed": lambda: signed(header={"crit": ["exp"], "exp": 1}),
    "kid traversal": lambda: signed(header={"kid": "../../../../dev/null"}),
    "kid of SQL": lambda: signed(header={"kid": "' OR 1=1 --"}),
    "kid of another key": lambda: signed(header={"kid": OTHER.kid}),
    "kid in capitals": lambda: signed(header={"kid": KEY.kid.upper()}),
    "kid missing": lambda: jwt.encode(CLAIMS, KEY.private, algorithm="EdDSA"),
    "kid a number": lambda: unsigned({**HEADER, "kid": 7}, CLAIMS) + "AA",
    "wrong aud": lambda: signed(aud="another"),
    "aud missing": lambda: signed(aud=None),
    "wrong iss": lambda: signed(iss="http://localhost:3001"),
    "iss missing": lambda: signed(iss=None),
    "expired": lambda: signed(exp=int(NOW.timestamp()) - 10),
    "exp missing": lambda: signed(exp=None),
    "exp a text": lambda: signed(exp="never"),
    "nbf in the future": lambda: signed(nbf=int(NOW.timestamp()) + 86_400),
    "iat missing": lambda: signed(iat=None),
    "jti missing": lambda: signed(jti=None),
    "sub missing": lambda: signed(sub=None),
    "sub no id": lambda: signed(sub="admin"),
    "sid missing": lambda: signed(sid=None),
    "sid no id": lambda: signed(sid="*"),
    "claims altered": _tampered,
    "signature cut": lambda: TOKEN[:-4],
    "a part more": lambda: TOKEN + ".AA",
    "empty": lambda: "",
    "noise": lambda: "a.b.c",
    "not ASCII": lambda: TOKEN + "é",
    "header no object": lambda: f"{base64url(b'[]')}.e30.AA",
    "header nested deeply": lambda: f"{base64url(b'[' * 2900)}.e30.AA",
    "header a deep object": lambda: base64url(b'{"a":' * 500 + b"1" + b"}" * 500) + ".e30.AA",
    "kid nested": lambda: unsigned({**HEADER, "kid": {"a": [1]}}, CLAIMS) + "AA",
    "alg a list": lambda: unsigned({**HEADER, "alg": ["EdDSA"]}, CLAIMS) + "AA",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_token_is_refused_when_it_is_not_exactly_ours(forge: Callable[[], str]) -> None:
    with pytest.raises(Unauthenticated):
        check(forge())


def test_a_token_tells_user_and_session_when_it_holds() -> None:
    told = check(TOKEN)
    assert (str(told.user_id), str(told.session_id)) == (CLAIMS["sub"], CLAIMS["sid"])
    assert "roles" not in CLAIMS


def test_a_token_says_that_it_is_over_when_it_has_expired() -> None:
    with pytest.raises(Unauthenticated, match="refresh it"):
        check(signed(exp=int(NOW.timestamp()) - 10))


def test_a_key_opens_when_the_secret_is_the_one_that_sealed_it() -> None:
    sealed = access.seal(KEY, "one secret")
    opened = access.unseal(KEY.kid, sealed, "one secret")
    assert opened is not None
    assert opened.private.private_bytes_raw() == KEY.private.private_bytes_raw()
    assert KEY.private.private_bytes_raw() not in sealed
    assert access.seal(KEY, "one secret") != sealed


@pytest.mark.parametrize("change", ["secret", "kid", "bytes"])
def test_a_key_stays_shut_when_secret_or_name_or_bytes_are_others(change: str) -> None:
    sealed = access.seal(KEY, "one secret")
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1]) if change == "bytes" else sealed
    kid = OTHER.kid if change == "kid" else KEY.kid
    assert access.unseal(kid, altered, "another" if change == "secret" else "one secret") is None


def test_the_public_key_is_public_only_when_it_is_written() -> None:
    raw = base64.b64encode(KEY.private.private_bytes_raw()).decode()
    assert "PUBLIC" in PEM and raw not in PEM
