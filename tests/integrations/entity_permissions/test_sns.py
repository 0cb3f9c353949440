"""Believing SNS messages: A-20 to A-26, with real keys, and nothing fetched on trust."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from deedbook.infra.settings import Settings
from deedbook.integrations.entity_permissions.sns import (
    MAX_CACHED_CERTS,
    MAX_CERT_BYTES,
    CertificateUnavailable,
    SnsVerifier,
    WebhookMalformed,
    WebhookNotAuthentic,
    WebhookStale,
    canonical,
)
from tests.support.sns import CERT_URL, TOPIC, CertificateHost, Signer, confirmation, new_key, notification

HOUR_S = 3600


def now() -> datetime:
    return datetime.now(UTC)


def body(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


@pytest.fixture(scope="module")
def authority() -> Signer:
    return Signer(new_key(), "Amazon RSA 2048 M01")


@pytest.fixture(scope="module")
def aws(authority: Signer) -> Signer:
    return Signer(new_key(), issuer=authority)


@pytest.fixture(scope="module")
def stranger(authority: Signer) -> Signer:
    return Signer(new_key(), issuer=authority)


@pytest.fixture
def host(aws: Signer) -> CertificateHost:
    return CertificateHost({CERT_URL: aws.certificate()})


@pytest.fixture
def verifier(host: CertificateHost) -> SnsVerifier:
    return SnsVerifier((TOPIC,), HOUR_S, transport=host.transport)


async def refused(verifier: SnsVerifier, message: dict[str, Any]) -> None:
    with pytest.raises(WebhookNotAuthentic):
        await verifier.verify(body(message), now())


# What is genuine


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "A decision"}, {"Subject": ""}])
async def test_a_genuine_notification_is_believed(
    verifier: SnsVerifier, aws: Signer, version: str, subject: dict[str, str]
) -> None:
    signed = aws.sign(notification({"n": 1}, SignatureVersion=version, **subject))
    message = await verifier.verify(body(signed), now())
    assert (message.message_type, message.topic_arn) == ("Notification", TOPIC)
    assert (message.message_id, json.loads(message.message)) == (signed["MessageId"], {"n": 1})
    assert message.token is None


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
async def test_a_23_a_24_a_genuine_subscription_message_is_believed_and_its_url_not_fetched(
    verifier: SnsVerifier, aws: Signer, host: CertificateHost, version: str, kind: str
) -> None:
    signed = aws.sign(confirmation(kind, SignatureVersion=version))
    message = await verifier.verify(body(signed), now())
    assert (message.message_type, message.token) == (kind, "2336412f37")
    assert host.asked == [CERT_URL]


async def test_a_subject_of_null_is_no_subject(verifier: SnsVerifier, aws: Signer) -> None:
    signed = {**aws.sign(notification()), "Subject": None}
    assert (await verifier.verify(body(signed), now())).message_type == "Notification"


async def test_text_beyond_ascii_is_signed_as_utf_8(verifier: SnsVerifier, aws: Signer) -> None:
    signed = aws.sign(notification(json.dumps({"reason": "Prüfung 完了 🏠\n"}), Subject="Grüße"))
    assert "完了" in json.loads((await verifier.verify(body(signed), now())).message)["reason"]


def test_the_signed_text_is_that_of_aws() -> None:
    message = {
        "Type": "Notification",
        "MessageId": "m",
        "TopicArn": "t",
        "Message": "line one\nline two",
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "UnsubscribeURL": "not signed",
    }
    assert canonical(message) == (
        b"Message\nline one\nline two\nMessageId\nm\nTimestamp\n2026-01-01T00:00:00.000Z\nTopicArn\nt\n"
        b"Type\nNotification\n"
    )
    assert b"Message\nline one\nline two\nMessageId\nm\nSubject\ns\nTimestamp" in canonical(
        {**message, "Subject": "s"}
    )
    subscription = {**message, "Type": "SubscriptionConfirmation", "Token": "k", "SubscribeURL": "u"}
    assert canonical({**subscription, "Subject": "never signed here"}) == (
        b"Message\nline one\nline two\nMessageId\nm\nSubscribeURL\nu\nTimestamp\n2026-01-01T00:00:00.000Z\n"
        b"Token\nk\nTopicArn\nt\nType\nSubscriptionConfirmation\n"
    )


# forged


async def test_a_20_a_signature_of_another_key_is_refused(verifier: SnsVerifier, stranger: Signer) -> None:
    await refused(verifier, stranger.sign(notification()))


@pytest.mark.parametrize("signature", ["", "AAAA", "!!!", "é", base64.b64encode(bytes(256)).decode()])
async def test_a_20_what_is_no_signature_is_refused(verifier: SnsVerifier, signature: str) -> None:
    await refused(verifier, {**notification(), "Signature": signature})


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"])
async def test_a_20_each_signed_field_is_held_by_the_signature(
    host: CertificateHost, aws: Signer, field: str
) -> None:
    changed = {
        "Timestamp": (now() - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "TopicArn": TOPIC + "-2",
        "Type": "SubscriptionConfirmation",
    }.get(field, "other")
    verifier = SnsVerifier((TOPIC, TOPIC + "-2"), HOUR_S, transport=host.transport)
    signed = aws.sign(notification(Subject="A decision", Token="t", SubscribeURL="u"))
    await refused(verifier, {**signed, field: changed})


async def test_a_20_a_subject_cannot_be_dropped_or_added(verifier: SnsVerifier, aws: Signer) -> None:
    signed = aws.sign(notification(Subject="A decision"))
    del signed["Subject"]
    await refused(verifier, signed)
    await refused(verifier, {**aws.sign(notification()), "Subject": "A decision"})


async def test_a_20_fields_cannot_flow_into_each_other(verifier: SnsVerifier, aws: Signer) -> None:
    signed = aws.sign(notification("one", MessageId="two", Subject="three"))
    moved = {**signed, "Message": "one\nMessageId\ntwo", "MessageId": "x"}
    await refused(verifier, moved)


async def test_a_20_a_version_is_not_taken_for_the_other(verifier: SnsVerifier, aws: Signer) -> None:
    await refused(verifier, {**aws.sign(notification()), "SignatureVersion": "1"})
    await refused(verifier, {**aws.sign(notification(SignatureVersion="1")), "SignatureVersion": "2"})
    for version in ("", "0", "3", "2 ", "٢"):
        await refused(verifier, {**aws.sign(notification()), "SignatureVersion": version})


async def test_a_20_version_1_is_refused_where_version_2_is_required(
    host: CertificateHost, aws: Signer
) -> None:
    strict = SnsVerifier((TOPIC,), HOUR_S, transport=host.transport, versions=frozenset({"2"}))
    await refused(strict, aws.sign(notification(SignatureVersion="1")))
    assert host.asked == []
    await strict.verify(body(aws.sign(notification())), now())


async def test_the_order_of_the_fields_in_the_body_does_not_matter(
    verifier: SnsVerifier, aws: Signer
) -> None:
    signed = aws.sign(notification(Subject="A decision"))
    await verifier.verify(body(dict(reversed(signed.items()))), now())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"{",
        b"\xff",
        b'{"Type": "Other"}',
        b'{"Type": 7}',
        b'{"Type": "Notification"}',
        b'{"Type": ["Notification"]}',
        b"[" * 100_000,
    ],
)
async def test_what_is_no_message_is_malformed(verifier: SnsVerifier, content: bytes) -> None:
    with pytest.raises(WebhookMalformed):
        await verifier.verify(content, now())


@pytest.mark.parametrize(
    "field",
    [
        "Message",
        "MessageId",
        "Timestamp",
        "TopicArn",
        "Signature",
        "SignatureVersion",
        "SigningCertURL",
        "Token",
        "SubscribeURL",
    ],
)
async def test_a_missing_field_is_malformed(verifier: SnsVerifier, aws: Signer, field: str) -> None:
    signed = aws.sign(confirmation())
    for without in (None, 7, ["x"]):
        with pytest.raises(WebhookMalformed, match=field):
            await verifier.verify(body({**signed, field: without}), now())


# where the certificate is


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com.evil.com/SimpleNotificationService-0a.pem",
        "https://evil.com/sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com@evil.com/SimpleNotificationService-0a.pem",
        "https://user:pw@sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com:443/SimpleNotificationService-0a.pem",
        "https://s3.amazonaws.com/sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.s3.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.s3.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns-evil.s3.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem?x=1",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem#x",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem/../x",
        "https://sns.us-east-1.amazonaws.com/../SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem\n",
        "https://sns.us-east-1.amazonaws.com\\@evil.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-.pem",
        "https://sns.us-east-1.amazonaws.com/cert.pem",
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription.pem",
        "https://sns.us-east-1.amazonaws.com.cn.evil/SimpleNotificationService-0a.pem",
        "https://sns.xn--us-east-1-.evil.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://snѕ.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amаzonaws.com/SimpleNotificationService-0a.pem",
        "https://xn--sns-xyz.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "HTTPS://SNS.US-EAST-1.AMAZONAWS.COM/SimpleNotificationService-0a.pem",
        "https://sns..amazonaws.com/SimpleNotificationService-0a.pem",
        "https://169.254.169.254/SimpleNotificationService-0a.pem",
        "https://[::1]/SimpleNotificationService-0a.pem",
        "https://localhost/SimpleNotificationService-0a.pem",
        "file:///etc/passwd.pem",
        "//sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "",
    ],
)
async def test_a_21_a_certificate_elsewhere_is_refused_before_any_fetch(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer, url: str
) -> None:
    await refused(verifier, aws.sign(notification(SigningCertURL=url)))
    assert host.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-56e67fcb41f6fec09b0196692625d385.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0a.pem",
        "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0A.pem",
    ],
)
async def test_the_addresses_of_aws_are_known(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer, url: str
) -> None:
    host.certificates[url] = aws.certificate()
    await verifier.verify(body(aws.sign(notification(SigningCertURL=url))), now())
    assert host.asked == [url]


async def test_a_21_a_redirect_is_not_followed(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer
) -> None:
    host.answer = httpx2.Response(302, headers={"location": "http://169.254.169.254/"})
    await refused(verifier, aws.sign(notification()))
    assert host.asked == [CERT_URL]


# what the certificate is


@pytest.mark.parametrize(
    "changes",
    [
        {"ends": datetime.now(UTC) - timedelta(minutes=1)},
        {"begins": datetime.now(UTC) + timedelta(hours=1)},
        {"name": "sns.evil.com"},
        {"name": "sns.amazonaws.com.evil.com"},
        {"name": "*.amazonaws.com"},
        {"issuer": None},
    ],
)
async def test_a_22_a_certificate_that_is_not_sns_s_now_is_refused(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer, changes: dict[str, Any]
) -> None:
    wrong = replace(aws, **changes)
    host.certificates[CERT_URL] = wrong.certificate()
    await refused(verifier, wrong.sign(notification()))
    host.certificates[CERT_URL] = aws.certificate()  # it was not remembered
    await verifier.verify(body(aws.sign(notification())), now())


async def test_a_22_a_certificate_that_ran_out_in_the_cache_is_refused(
    host: CertificateHost, aws: Signer
) -> None:
    short = replace(aws, ends=now() + timedelta(hours=2))
    host.certificates[CERT_URL] = short.certificate()
    verifier = SnsVerifier((TOPIC,), 10 * HOUR_S, transport=host.transport)
    signed = short.sign(notification())
    await verifier.verify(body(signed), now())
    with pytest.raises(WebhookNotAuthentic, match="not valid now"):
        await verifier.verify(body(signed), now() + timedelta(hours=3))


async def test_a_22_a_certificate_of_another_sort_of_key_is_refused(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer, authority: Signer
) -> None:
    curved = Signer(ec.generate_private_key(ec.SECP256R1()), issuer=authority)
    host.certificates[CERT_URL] = curved.certificate()
    await refused(verifier, aws.sign(notification()))


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----", b"<html>", b"\x00" * 100, b"x" * (MAX_CERT_BYTES + 1)]
)
async def test_a_22_what_is_no_certificate_is_refused(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer, content: bytes
) -> None:
    host.certificates[CERT_URL] = content
    await refused(verifier, aws.sign(notification()))


async def test_a_22_a_certificate_that_drips_is_unavailable_in_bounded_time(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b"x"

    monkeypatch.setattr("deedbook.integrations.entity_permissions.sns.FETCH_TIMEOUT_S", 0.2)
    host.answer = httpx2.Response(200, content=dripping())
    started = time.monotonic()
    with pytest.raises(CertificateUnavailable):
        await verifier.verify(body(aws.sign(notification())), now())
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_host_that_fails_is_asked_again_next_time(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer, status: int
) -> None:
    host.answer = httpx2.Response(status)
    with pytest.raises(CertificateUnavailable):
        await verifier.verify(body(aws.sign(notification())), now())
    host.answer = None
    host.error = httpx2.ConnectError("refused")
    with pytest.raises(CertificateUnavailable):
        await verifier.verify(body(aws.sign(notification())), now())
    host.error = None
    await verifier.verify(body(aws.sign(notification())), now())


async def test_a_certificate_that_aws_does_not_have_is_a_forgery(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer
) -> None:
    unknown = CERT_URL.replace("0123", "ffff")
    await refused(verifier, aws.sign(notification(SigningCertURL=unknown)))
    assert host.asked == [unknown]


async def test_a_certificate_is_fetched_once_however_many_come_at_once(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer
) -> None:
    signed = body(aws.sign(notification()))
    await asyncio.gather(*[verifier.verify(signed, now()) for _ in range(50)])
    await verifier.verify(signed, now())
    assert host.asked == [CERT_URL]


async def test_the_cache_of_certificates_is_bounded(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer
) -> None:
    for number in range(MAX_CACHED_CERTS * 2):
        url = CERT_URL.replace("0123456789abcdef", f"{number:016x}")
        host.certificates[url] = aws.certificate()
        await verifier.verify(body(aws.sign(notification(SigningCertURL=url))), now())
    assert len(verifier._certificates) == MAX_CACHED_CERTS


async def test_messages_that_wait_for_a_certificate_are_bounded(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer
) -> None:
    held = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        await held.wait()
        yield aws.certificate()

    host.answer = httpx2.Response(200, content=slow())
    signed = aws.sign(notification())
    waiting = [asyncio.create_task(verifier.verify(body(signed), now())) for _ in range(300)]
    await asyncio.sleep(0.1)
    held.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(outcome, CertificateUnavailable) for outcome in outcomes) == 200
    assert host.asked == [CERT_URL]


# whose, and when


async def test_a_25_a_foreign_topic_is_refused_before_any_fetch(
    verifier: SnsVerifier, host: CertificateHost, aws: Signer
) -> None:
    for topic in (TOPIC.replace("1234", "9999"), TOPIC + "x", TOPIC.upper(), "", "*"):
        await refused(verifier, aws.sign(notification(TopicArn=topic)))
        await refused(verifier, aws.sign(confirmation(TopicArn=topic)))
    assert host.asked == []
    nobody = SnsVerifier((), HOUR_S, transport=host.transport)
    await refused(nobody, aws.sign(notification()))


@pytest.mark.parametrize("age", [timedelta(hours=1, minutes=1), timedelta(days=30), -timedelta(minutes=6)])
async def test_a_26_a_message_of_another_time_is_refused(
    verifier: SnsVerifier, aws: Signer, age: timedelta
) -> None:
    sent_at = (now() - age).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with pytest.raises(WebhookStale):
        await verifier.verify(body(aws.sign(notification(Timestamp=sent_at))), now())


@pytest.mark.parametrize("age", [timedelta(minutes=59), -timedelta(minutes=4)])
async def test_a_message_a_little_off_is_believed(verifier: SnsVerifier, aws: Signer, age: timedelta) -> None:
    sent_at = (now() - age).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    await verifier.verify(body(aws.sign(notification(Timestamp=sent_at))), now())


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "0", "NaN"])
async def test_a_time_that_cannot_be_read_is_malformed(verifier: SnsVerifier, aws: Signer, text: str) -> None:
    with pytest.raises(WebhookMalformed):
        await verifier.verify(body(aws.sign(notification(Timestamp=text))), now())


# A certificate that is pinned


async def test_a_pinned_certificate_stands_for_awss_and_nothing_is_fetched(
    host: CertificateHost, tmp_path: Path
) -> None:
    local = Signer(new_key())
    file = tmp_path / "sns.pem"
    file.write_bytes(local.certificate())
    verifier = SnsVerifier((TOPIC,), HOUR_S, file, transport=host.transport)
    await verifier.verify(body(local.sign(notification())), now())
    assert host.asked == []


async def test_with_a_pinned_certificate_awss_own_is_not_believed(
    host: CertificateHost, aws: Signer, tmp_path: Path
) -> None:
    file = tmp_path / "sns.pem"
    file.write_bytes(Signer(new_key()).certificate())
    await refused(SnsVerifier((TOPIC,), HOUR_S, file, transport=host.transport), aws.sign(notification()))


async def test_a_pinned_certificate_that_was_rotated_on_disk_is_read_again(tmp_path: Path) -> None:
    first, second = Signer(new_key()), Signer(new_key())
    file = tmp_path / "sns.pem"
    file.write_bytes(first.certificate())
    verifier = SnsVerifier((TOPIC,), HOUR_S, file)
    await verifier.verify(body(first.sign(notification())), now())
    file.write_bytes(second.certificate())
    await verifier.verify(body(second.sign(notification())), now())
    await refused(verifier, first.sign(notification()))


async def test_a_pinned_certificate_that_is_not_there_is_unavailable(tmp_path: Path, aws: Signer) -> None:
    verifier = SnsVerifier((TOPIC,), HOUR_S, tmp_path / "absent.pem")
    with pytest.raises(CertificateUnavailable):
        await verifier.verify(body(aws.sign(notification())), now())


def test_a_pinned_certificate_is_refused_in_production(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="SNS_PINNED_CERTIFICATE is refused in production"):
        Settings(_env_file=None, DEEDBOOK_ENV="production", SNS_PINNED_CERTIFICATE=tmp_path / "sns.pem")
