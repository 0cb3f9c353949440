"""The messages: their shape, and a signature that a receiver's own check accepts."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from cryptography.exceptions import InvalidSignature

from deedbook.permissions.certificate import Identity, load_or_make
from deedbook.permissions.outbox import Parcel
from deedbook.permissions.sns import Topic, canonical, compose, sign

from .support import Json, verify_as_a_receiver_would

NOW = datetime(2026, 11, 22, 14, 32, 56, 629293, tzinfo=UTC)
ARN = "arn:aws:sns:us-east-1:000000000000:deedbook-local"
TOPIC = Topic(ARN, "us-east-1", "2")
EVENT: Json = {"event_id": "e-1", "event_type": "market.approved", "payload": {"reason": 'ü "quoted"\nline'}}
PARCEL = Parcel(
    outbox_id=1,
    message_id="m-1",
    url="http://127.0.0.1/hook",
    attempt=1,
    subscription_id="s-1",
    token="ab" * 112,
    event=EVENT,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identity")


@pytest.fixture(scope="module")
def identity(folder: Path) -> Identity:
    return load_or_make(folder / "key.pem", folder / "certificate.pem", NOW)


@pytest.fixture
def pem(identity: Identity, folder: Path) -> bytes:
    return (folder / "certificate.pem").read_bytes()


def test_notification_has_the_shape_of_sns(identity: Identity) -> None:
    request = compose(PARCEL, TOPIC, identity, NOW)
    body = json.loads(request.body)
    assert list(body) == [
        *("Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature"),
        *("SigningCertURL", "UnsubscribeURL", "MessageAttributes"),
    ]
    assert body["Type"] == "Notification"
    assert json.loads(body["Message"]) == EVENT
    assert body["Timestamp"] == "2026-11-22T14:32:56.629Z"
    assert body["SignatureVersion"] == "2"
    host = "https://sns.us-east-1.amazonaws.com"
    assert body["SigningCertURL"] == f"{host}/SimpleNotificationService-{identity.fingerprint}.pem"
    assert body["UnsubscribeURL"].startswith(f"{host}/?Action=Unsubscribe&SubscriptionArn=arn%3Aaws%3A")
    assert request.headers["content-type"] == "text/plain; charset=UTF-8"
    assert request.headers["x-amz-sns-message-type"] == "Notification"
    assert request.headers["x-amz-sns-message-id"] == "m-1"
    assert request.headers["x-amz-sns-topic-arn"] == ARN


def test_subscription_confirmation_has_the_shape_of_sns(identity: Identity, pem: bytes) -> None:
    request = compose(replace(PARCEL, event=None), TOPIC, identity, NOW)
    body = json.loads(request.body)
    assert body["Type"] == request.headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    assert body["Token"] == PARCEL.token
    assert body["SubscribeURL"].startswith("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&")
    assert "UnsubscribeURL" not in body
    verify_as_a_receiver_would(body, pem)


@pytest.mark.parametrize("version", ["1", "2"])
def test_signature_is_accepted_by_a_receiver(
    identity: Identity, pem: bytes, version: Literal["1", "2"]
) -> None:
    topic = replace(TOPIC, signature_version=version)
    body = json.loads(compose(PARCEL, topic, identity, NOW).body)
    assert body["SignatureVersion"] == version
    verify_as_a_receiver_would(body, pem)


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "TopicArn"])
def test_changed_field_is_noticed_by_a_receiver(identity: Identity, pem: bytes, name: str) -> None:
    body = json.loads(compose(PARCEL, TOPIC, identity, NOW).body)
    body[name] += "x"
    with pytest.raises(InvalidSignature):
        verify_as_a_receiver_would(body, pem)


def test_subject_is_signed_when_there_is_one(identity: Identity, pem: bytes) -> None:
    fields = json.loads(compose(PARCEL, TOPIC, identity, NOW).body)
    fields["Subject"] = "Decision"
    fields["Signature"] = sign(fields, "2", identity)
    verify_as_a_receiver_would(fields, pem)
    del fields["Subject"]
    with pytest.raises(InvalidSignature):
        verify_as_a_receiver_would(fields, pem)


def test_canonical_text_is_that_of_the_guide() -> None:
    fields = {"Type": "Notification", "TopicArn": "arn", "Timestamp": "t", "MessageId": "id", "Message": "hi"}
    assert (
        canonical(fields) == b"Message\nhi\nMessageId\nid\nTimestamp\nt\nTopicArn\narn\nType\nNotification\n"
    )
    with_subject = {**fields, "Subject": "s"}
    assert b"MessageId\nid\nSubject\ns\nTimestamp\n" in canonical(with_subject)
