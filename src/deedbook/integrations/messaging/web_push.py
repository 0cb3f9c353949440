"""Messages to browsers and telephones through the push service that each has named (RFC 8030): posted like webhooks,
to public places alone, and readable for nobody on the way."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec

from deedbook.integrations.messaging.posting import WebhookPoster
from deedbook.integrations.messaging.web_push_seal import seal, vouch
from deedbook.notifications.ports import Outcome, PushMessage, PushTarget
from deedbook.notifications.terms import Arrival

OVER = (404, 410)
"""The subscription is (RFC 8030, section 7.3; what older services answer)."""
LATER = (408, 425, 429)


@dataclass(frozen=True)
class WebPush:
    """Implements the `Pusher` port. `key` is the one that browsers were told when they subscribed; `contact` is where
    push services find somebody when we do harm."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    contact: str
    poster: WebhookPoster
    clock: Callable[[], float] = time.time

    async def push(self, target: PushTarget, message: PushMessage) -> Outcome:
        """Post once. A message of the same topic that waits at the service is replaced, so that none is shown twice."""
        now = datetime.fromtimestamp(self.clock(), UTC)
        headers = {
            "authorization": vouch(self.key, target.endpoint, self.contact, now),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(message.keep_s),
            "urgency": "high" if message.urgent else "normal",
            "topic": message.topic,
        }
        sender, salt = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        body = seal(message.body, target.public_key, target.secret, sender, salt)
        return _judged(await self.poster.post(target.endpoint, headers, body))


def _judged(outcome: Outcome) -> Outcome:
    """What the answer means here: other numbers than for a webhook say that it is over."""
    status = outcome.status
    if status is None or 200 <= status < 300:
        return outcome
    if status in OVER:
        return Outcome(Arrival.NEVER, outcome.told, status, gone=True)
    never = 400 <= status < 500 and status not in LATER
    return Outcome(Arrival.NEVER if never else Arrival.LATER, outcome.told, status)
