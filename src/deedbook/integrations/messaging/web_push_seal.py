"""What a push service carries and cannot read: a message sealed for one browser (RFC 8291, in the form of RFC 8188),
and the word by which the service knows who sends (VAPID, RFC 8292). Pure but for the randomness that is given in."""

import base64
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MAX_PLAIN = 3993
"""What is sure to be carried: 4096 bytes less header, end mark and tag (RFC 8291, section 4)."""
VOUCHED_FOR = timedelta(hours=12)
"""A service takes a day at most (RFC 8292, section 2)."""
_RECORD = 4096
_LAST = b"\x02"


def seal(
    plain: bytes, receiver: bytes, secret: bytes, sender: ec.EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """`plain` for whoever has the key of `receiver`, an uncompressed point of P-256, and its `secret`. `sender` is a
    key of this message alone, `salt` are 16 random bytes."""
    assert len(plain) <= MAX_PLAIN and len(salt) == 16
    ours = point(sender)
    shared = sender.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), receiver)
    )
    told = _derive(shared, secret, b"WebPush: info\0" + receiver + ours, 32)
    key = _derive(told, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(told, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, plain + _LAST, None)


def vouch(key: ec.EllipticCurvePrivateKey, endpoint: str, contact: str, now: datetime) -> str:
    """The header `Authorization` for a post to this endpoint, from whoever can be reached at `contact`."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((now + VOUCHED_FOR).timestamp()),
        "sub": contact,
    }
    return f"vapid t={jwt.encode(claims, key, algorithm='ES256')}, k={encoded(point(key))}"


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, uncompressed."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(raw: bytes) -> str:
    """Base64url without padding, as all of these protocols write bytes."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _derive(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(material)
