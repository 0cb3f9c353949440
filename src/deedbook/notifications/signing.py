"""Webhooks as they are signed: Standard Webhooks (https://www.standardwebhooks.com), symmetric. Pure.

The receiver checks `v1` signatures over `id.timestamp.body`; while a secret is replaced there are two of them.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime


def headers(message_id: str, at: datetime, body: bytes, keys: Sequence[bytes]) -> Mapping[str, str]:
    """What is sent beside the body."""
    seconds = str(int(at.timestamp()))
    told = b".".join((message_id.encode(), seconds.encode(), body))
    signatures = (base64.b64encode(hmac.digest(key, told, hashlib.sha256)).decode() for key in keys)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
