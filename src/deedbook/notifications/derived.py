"""Secrets that stand nowhere: derived from the installation's own, each time they are needed. Pure."""

import base64
import hashlib
import hmac
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deedbook.kernel.ids import UserId
from deedbook.notifications.terms import Channel, EndpointId

CODE_DIGITS = 8
PREFIX = "whsec_"
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def contact_code(secret: str, user_id: UserId, channel: Channel, address: str, challenge_id: UUID) -> str:
    """The digits that prove that somebody reads what is sent there."""
    told = f"{user_id}\n{channel.value}\n{address}\n{challenge_id}"
    number = int.from_bytes(_derive(secret, b"deedbook contact codes", told))
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def webhook_key(secret: str, endpoint_id: EndpointId, version: int) -> bytes:
    """The key that signs what one endpoint gets."""
    return _derive(secret, b"deedbook webhook secrets", f"{endpoint_id}\n{version}")


def webhook_secret(secret: str, endpoint_id: EndpointId, version: int) -> str:
    """The same as the endpoint's owner is given it (https://www.standardwebhooks.com)."""
    return PREFIX + base64.b64encode(webhook_key(secret, endpoint_id, version)).decode()


def push_key(secret: str) -> ec.EllipticCurvePrivateKey:
    """The key by which push services know this installation, and to which browsers bind what they subscribe."""
    drawn = _derive(secret, b"deedbook push key", "1") + _derive(secret, b"deedbook push key", "2")
    return ec.derive_private_key(int.from_bytes(drawn) % (_P256_ORDER - 1) + 1, ec.SECP256R1())


def push_public_key(secret: str) -> str:
    """Its public half as a browser takes it for `applicationServerKey`."""
    point = push_key(secret).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


def _derive(secret: str, purpose: bytes, told: str) -> bytes:
    key = hmac.digest(secret.encode(), purpose, hashlib.sha256)
    return hmac.digest(key, told.encode(), hashlib.sha256)
