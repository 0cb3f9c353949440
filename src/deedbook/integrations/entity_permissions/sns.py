"""Believing an SNS message: topic, age, certificate and signature, in that order, nothing fetched on trust.

Source: AWS, "Verifying the signatures of Amazon SNS messages" (SignatureVersion 1 is SHA1withRSA, 2 is
SHA256withRSA, over `name\\nvalue\\n` of fixed fields in fixed order).
"""

import asyncio
import base64
import binascii
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from deedbook.integrations.answers import Answer, AnswerTooLarge, NoAnswer, ask
from deedbook.kernel.errors import Kind, Refusal, Unavailable

# https, an SNS host of AWS, no user, port, query or fragment, and the one file name that AWS uses.
_CERT_URL = re.compile(
    r"https://sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[0-9a-zA-Z]{1,128}\.pem"
)
_SIGNED_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
MAX_CERT_BYTES = 16_384
MAX_CACHED_CERTS = 16
FETCH_TIMEOUT_S = 3.0
MAX_WAITING = 100
VERSIONS = frozenset({"1", "2"})
CLOCK_SLACK = timedelta(minutes=5)
CERT_NAME = "sns.amazonaws.com"


class WebhookMalformed(Refusal):
    code, kind, title = "webhook_malformed", Kind.MALFORMED, "The message could not be read"


class WebhookNotAuthentic(Refusal):
    code, kind, title = "webhook_not_authentic", Kind.FORBIDDEN, "The message is not authentic"


class WebhookStale(Refusal):
    code, kind, title = "webhook_stale", Kind.FORBIDDEN, "The message is too old"


class CertificateUnavailable(Unavailable):
    code, title = "certificate_unavailable", "The signing certificate could not be fetched"


@dataclass(frozen=True)
class SnsMessage:
    """A message that was verified."""

    message_type: str
    message_id: str
    topic_arn: str
    message: str
    token: str | None


class SnsVerifier:
    """Verifies messages. `pinned` is a certificate file that stands instead of AWS's, outside production only."""

    def __init__(
        self,
        topic_arns: tuple[str, ...],
        max_age_s: int,
        pinned: Path | None = None,
        *,
        versions: frozenset[str] = VERSIONS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._topic_arns = frozenset(topic_arns)
        self._max_age = timedelta(seconds=max_age_s)
        self._pinned = pinned
        self._versions = versions
        self._transport = transport
        self._certificates: OrderedDict[str, x509.Certificate] = OrderedDict()
        # One at a time: a burst of messages asks once, and forged ones cannot make us ask in a flood.
        self._fetching = asyncio.Lock()
        self._waiting = 0

    async def verify(self, body: bytes, now: datetime) -> SnsMessage:
        """Read and verify a message.

        Raises:
            WebhookMalformed: no SNS message at all.
            WebhookNotAuthentic: wrong topic, certificate or signature.
            WebhookStale: genuine, and too old to act on.
            CertificateUnavailable: AWS does not hand out its certificate now; SNS will send again.
        """
        fields = _read(body)
        if fields["TopicArn"] not in self._topic_arns:
            raise WebhookNotAuthentic("the message is for a topic that is not on our list")
        if fields["SignatureVersion"] not in self._versions:
            raise WebhookNotAuthentic("this version of signature is not accepted here")
        signature_hash = _signature_hash(fields["SignatureVersion"])
        certificate = await self._certificate(fields["SigningCertURL"], now)
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise WebhookNotAuthentic("the signing certificate has no RSA key")
        try:
            signature = base64.b64decode(fields["Signature"], validate=True)
            key.verify(signature, canonical(fields), PKCS1v15(), signature_hash)
        except (InvalidSignature, binascii.Error, ValueError):
            raise WebhookNotAuthentic("the signature does not hold") from None
        sent_at = _moment(fields["Timestamp"])
        if not now - self._max_age <= sent_at <= now + CLOCK_SLACK:
            raise WebhookStale(f"the message was sent at {fields['Timestamp']}")
        return SnsMessage(
            fields["Type"], fields["MessageId"], fields["TopicArn"], fields["Message"], fields.get("Token")
        )

    async def _certificate(self, url: str, now: datetime) -> x509.Certificate:
        if not _CERT_URL.fullmatch(url):
            raise WebhookNotAuthentic("the signing certificate is not at AWS")
        if self._pinned is not None:
            return _check(_load(_pinned_file(self._pinned)), now, self_signed=True)
        if url not in self._certificates:
            await self._remember(url, now)
        return _check(self._certificates[url], now, self_signed=False)

    async def _remember(self, url: str, now: datetime) -> None:
        if self._waiting >= MAX_WAITING:
            raise CertificateUnavailable("too many messages wait for a signing certificate")
        self._waiting += 1
        try:
            async with self._fetching:
                if url not in self._certificates:
                    found = _check(_load(await self._fetch(url)), now, self_signed=False)
                    self._certificates[url] = found
        finally:
            self._waiting -= 1
        while len(self._certificates) > MAX_CACHED_CERTS:
            self._certificates.popitem(last=False)

    async def _fetch(self, url: str) -> bytes:
        """That the certificate is AWS's is what TLS says of the host it comes from."""
        try:
            async with httpx2.AsyncClient(
                timeout=FETCH_TIMEOUT_S, follow_redirects=False, trust_env=False, transport=self._transport
            ) as http:
                answer: Answer = await ask(http, "GET", url, within_s=FETCH_TIMEOUT_S, at_most=MAX_CERT_BYTES)
        except AnswerTooLarge:
            raise WebhookNotAuthentic("the signing certificate is far too large") from None
        except NoAnswer as nothing:
            raise CertificateUnavailable(f"the certificate's host: {nothing}") from None
        if answer.status >= 500 or answer.status == 429:
            raise CertificateUnavailable(f"the certificate's host answered {answer.status}")
        if answer.status != 200:
            raise WebhookNotAuthentic("AWS has no such signing certificate")
        return answer.body


def canonical(fields: dict[str, Any]) -> bytes:
    """The text that is signed; `Subject` only when the message has one."""
    names = _SIGNED_FIELDS[fields["Type"]]
    return "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields).encode()


def _read(body: bytes) -> dict[str, str]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise WebhookMalformed("the body is no JSON") from None
    fields = (
        {name: value for name, value in parsed.items() if isinstance(value, str)}
        if isinstance(parsed, dict)
        else {}
    )
    if fields.get("Type") not in _SIGNED_FIELDS:
        raise WebhookMalformed("the body is no SNS message")
    needed = {*_SIGNED_FIELDS[fields["Type"]], "Signature", "SignatureVersion", "SigningCertURL"} - {
        "Subject"
    }
    missing = sorted(needed - fields.keys())
    if missing:
        raise WebhookMalformed(f"the SNS message lacks {', '.join(missing)}")
    return fields


def _signature_hash(version: str) -> hashes.HashAlgorithm:
    match version:
        case "1":
            return hashes.SHA1()  # noqa: S303 - AWS's version 1; operators choose version 2 at the topic
        case "2":
            return hashes.SHA256()
        case _:
            raise WebhookNotAuthentic("only signature versions 1 and 2 are known")


def _pinned_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateUnavailable(
            f"the pinned certificate cannot be read: {type(error).__name__}"
        ) from None


def _load(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise WebhookNotAuthentic("the signing certificate cannot be read") from None


def _check(certificate: x509.Certificate, now: datetime, *, self_signed: bool) -> x509.Certificate:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise WebhookNotAuthentic("the signing certificate is not valid now")
    names = [str(entry.value) for entry in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if CERT_NAME not in names:
        raise WebhookNotAuthentic("the signing certificate is not SNS's")
    if not self_signed and certificate.issuer == certificate.subject:
        raise WebhookNotAuthentic("the signing certificate is signed by itself")
    return certificate


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WebhookMalformed("the timestamp cannot be read") from None
    if moment.tzinfo is None:
        raise WebhookMalformed("the timestamp has no zone")
    return moment
