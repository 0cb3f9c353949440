"""Amazon SNS as far as a receiver sees it: real RSA keys, certificates, and messages signed as AWS signs them.

Written from AWS's documentation and apart from the code under test.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-central-1:123456789012:permissions"
CERT_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
NOTIFIED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Signer:
    """A key and the certificate that names it, issued by an authority or by itself."""

    key: Key
    name: str = "sns.amazonaws.com"
    issuer: "Signer | None" = None
    begins: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=1))
    ends: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(days=30))

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    def certificate(self) -> bytes:
        issuer = self.issuer or self
        made = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(issuer.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.begins)
            .not_valid_after(self.ends)
            .sign(issuer.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    def sign(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message with its signature, over the fields that AWS signs."""
        names = NOTIFIED if message["Type"] == "Notification" else CONFIRMED
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        digest = hashes.SHA1() if message["SignatureVersion"] == "1" else hashes.SHA256()
        assert isinstance(self.key, rsa.RSAPrivateKey)
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), digest)
        return {**message, "Signature": base64.b64encode(signature).decode()}


def notification(message: Any = None, **changes: Any) -> dict[str, Any]:
    """A notification that is not signed yet."""
    told = message if isinstance(message, str) else json.dumps(message or {"hello": "world"})
    return {
        "Type": "Notification",
        "MessageId": str(uuid4()),
        "TopicArn": TOPIC,
        "Message": told,
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": "2",
        "SigningCertURL": CERT_URL,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
        **changes,
    }


def confirmation(kind: str = "SubscriptionConfirmation", **changes: Any) -> dict[str, Any]:
    """A subscription message that is not signed yet."""
    made = notification("You have chosen to subscribe", Type=kind)
    return {**made, "Token": "2336412f37", "SubscribeURL": "http://169.254.169.254/latest", **changes}


@dataclass
class CertificateHost:
    """Where certificates are fetched from; `asked` says what was."""

    certificates: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    answer: httpx2.Response | None = None
    error: Exception | None = None

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._handle)

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(str(request.url))
        if self.error is not None:
            raise self.error
        if self.answer is not None:
            return self.answer
        found = self.certificates.get(str(request.url))
        return httpx2.Response(200, content=found) if found is not None else httpx2.Response(403)
