"""Messages shaped and signed like those Amazon SNS posts to an HTTP endpoint. Pure: values in, messages out.

Source: Amazon SNS developer guide, "HTTP/HTTPS notification JSON format" and "Verifying the signatures of
Amazon SNS messages": the signed fields sorted by name, each written as its name and its value, a line each.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from deedbook.permissions.certificate import Identity
from deedbook.permissions.outbox import Parcel

NOTIFICATION = "Notification"
SUBSCRIPTION_CONFIRMATION = "SubscriptionConfirmation"

_SIGNED_FIELDS = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION_CONFIRMATION: (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}


@dataclass(frozen=True, slots=True)
class Topic:
    arn: str
    region: str
    signature_version: Literal["1", "2"]

    def url(self, **query: str) -> str:
        return f"https://sns.{self.region}.amazonaws.com/?{urlencode(query)}"

    def certificate_url(self, fingerprint: str) -> str:
        return f"https://sns.{self.region}.amazonaws.com/SimpleNotificationService-{fingerprint}.pem"


@dataclass(frozen=True, slots=True)
class SnsRequest:
    headers: dict[str, str]
    body: bytes


def compose(parcel: Parcel, topic: Topic, identity: Identity, now: datetime) -> SnsRequest:
    """One attempt's request, dated and signed anew: a receiver refuses what was signed long ago."""
    fields = _confirmation(parcel, topic) if parcel.event is None else _notification(parcel, topic)
    fields["Timestamp"] = _timestamp(now)
    fields["SignatureVersion"] = topic.signature_version
    fields["Signature"] = sign(fields, topic.signature_version, identity)
    fields["SigningCertURL"] = topic.certificate_url(identity.fingerprint)
    body: dict[str, Any] = dict(fields)
    if parcel.event is not None:
        body["UnsubscribeURL"] = topic.url(
            Action="Unsubscribe", SubscriptionArn=_subscription_arn(parcel, topic)
        )
        body["MessageAttributes"] = {"event_type": {"Type": "String", "Value": parcel.event["event_type"]}}
    return SnsRequest(_headers(fields, parcel, topic), json.dumps(body, indent=2).encode())


def canonical(fields: Mapping[str, str]) -> bytes:
    """The bytes that are signed; `Subject` takes part only when there is one."""
    names = [name for name in _SIGNED_FIELDS[fields["Type"]] if name in fields]
    return "".join(f"{name}\n{fields[name]}\n" for name in names).encode()


def sign(fields: Mapping[str, str], signature_version: Literal["1", "2"], identity: Identity) -> str:
    # Version 1 is SHA-1 because that is what the version means; 2 is the default.
    digest = hashes.SHA256() if signature_version == "2" else hashes.SHA1()  # noqa: S303
    return base64.b64encode(identity.key.sign(canonical(fields), PKCS1v15(), digest)).decode()


def _notification(parcel: Parcel, topic: Topic) -> dict[str, str]:
    return {
        "Type": NOTIFICATION,
        "MessageId": parcel.message_id,
        "TopicArn": topic.arn,
        "Message": json.dumps(parcel.event),
    }


def _confirmation(parcel: Parcel, topic: Topic) -> dict[str, str]:
    return {
        "Type": SUBSCRIPTION_CONFIRMATION,
        "MessageId": parcel.message_id,
        "Token": parcel.token,
        "TopicArn": topic.arn,
        "Message": f"You have chosen to subscribe to the topic {topic.arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message.",
        "SubscribeURL": topic.url(Action="ConfirmSubscription", TopicArn=topic.arn, Token=parcel.token),
    }


def _headers(fields: Mapping[str, str], parcel: Parcel, topic: Topic) -> dict[str, str]:
    headers = {
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": fields["Type"],
        "x-amz-sns-message-id": fields["MessageId"],
        "x-amz-sns-topic-arn": topic.arn,
    }
    if parcel.event is not None:
        headers["x-amz-sns-subscription-arn"] = _subscription_arn(parcel, topic)
    return headers


def _subscription_arn(parcel: Parcel, topic: Topic) -> str:
    return f"{topic.arn}:{parcel.subscription_id}"


def _timestamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
