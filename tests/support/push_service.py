"""A browser that has subscribed, and its push service over real HTTP. Both read what they get by the letter of the
RFCs, with nothing of what the platform seals and vouches with."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.letter_box import LetterBox, Received, letter_box

P256 = ec.SECP256R1()


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """A subscription as `PushSubscription.toJSON()` gives it, and what it reads."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(P256))
    secret: bytes = b"sixteen secret b"

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self) -> dict[str, Any]:
        keys = {"p256dh": base64url(self.point), "auth": base64url(self.secret)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def read(self, body: bytes) -> bytes:
        """RFC 8291, section 3.4, with the HMACs written out."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert length == 65 and len(sealed) <= size <= 4096
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(P256, theirs))
        told = _hmac(_hmac(self.secret, shared), b"WebPush: info\0" + self.point + theirs + b"\1")
        extracted = _hmac(salt, told)
        key = _hmac(extracted, b"Content-Encoding: aes128gcm\0\1")[:16]
        nonce = _hmac(extracted, b"Content-Encoding: nonce\0\1")[:12]
        plain, mark, padding = AESGCM(key).decrypt(nonce, sealed, None).rpartition(b"\2")
        assert mark and not padding.strip(b"\0")
        return plain


def vouched(received: Received, application_key: str, endpoint: str) -> dict[str, Any]:
    """The claims by which the platform is known, checked as a service checks them (RFC 8292)."""
    scheme, _, parts = received.headers["authorization"].partition(" ")
    told = dict(part.strip().split("=", 1) for part in parts.split(","))
    assert scheme == "vapid" and told["k"] == application_key
    key = ec.EllipticCurvePublicKey.from_encoded_point(P256, from_base64url(told["k"]))
    audience = endpoint.split("/push/")[0]
    claims: dict[str, Any] = jwt.decode(told["t"], key, algorithms=["ES256"], audience=audience)
    return claims


@asynccontextmanager
async def push_service() -> AsyncIterator[tuple[LetterBox, Browser]]:
    """A service that takes what comes, and somebody who has subscribed there."""
    async with letter_box() as box:
        box.statuses = [201]
        yield box, Browser(f"{box.url}/push/a-long-secret-name")


def _hmac(key: bytes, told: bytes) -> bytes:
    maker = hmac.HMAC(key, hashes.SHA256())
    maker.update(told)
    return maker.finalize()
