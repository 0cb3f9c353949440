"""Believing a direct post: `X-Deedbook-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`."""

import hashlib
import hmac
import re
from datetime import datetime

from deedbook.integrations.entity_permissions.sns import WebhookStale
from deedbook.kernel.errors import Kind, Refusal


class WebhookUnsigned(Refusal):
    code, kind, title = (
        "webhook_unsigned",
        Kind.UNAUTHENTICATED,
        "The message carries no valid signature of ours",
    )


_HEADER = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
MAX_AGE_S = 300


def sign(secret: str, body: bytes, at: int) -> str:
    """The header for a body at a moment (Unix seconds)."""
    mac = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


def verify(secret: str | None, header: str | None, body: bytes, now: datetime) -> None:
    """Check the header.

    Raises:
        WebhookUnsigned: no secret is configured, no header came, or it does not hold.
        WebhookStale: it holds, and is older than five minutes or from the future.
    """
    if secret is None:
        raise WebhookUnsigned("direct posts are not accepted here (WEBHOOK_HMAC_SECRET is not set)")
    match = _HEADER.fullmatch(header or "")
    if match is None:
        raise WebhookUnsigned("send X-Deedbook-Signature: t=<unix seconds>,v1=<hex>")
    at = int(match[1])
    if not hmac.compare_digest(sign(secret, body, at), header or ""):
        raise WebhookUnsigned("the signature does not hold")
    if abs(now.timestamp() - at) > MAX_AGE_S:
        raise WebhookStale("the signature's time is more than five minutes from ours")
