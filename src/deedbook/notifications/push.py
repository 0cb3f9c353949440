"""Use cases of browsers and telephones: subscribed by their user, told by messages that nobody reads on the way, and
forgotten when they are gone."""

import base64
from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from deedbook.identity import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.events import SYSTEM, Actor
from deedbook.kernel.ids import new_uuid
from deedbook.notifications import webhooks
from deedbook.notifications.errors import SubscriptionNotFound, TooManySubscriptions
from deedbook.notifications.events import PushSubscribed, PushUnsubscribed
from deedbook.notifications.model import Subscription
from deedbook.notifications.ports import (
    NOT_SET_UP,
    NotificationResources,
    Outcome,
    PushMessage,
    PushTarget,
)
from deedbook.notifications.store import feed
from deedbook.notifications.store import push as store
from deedbook.notifications.store.deliveries import Delivery
from deedbook.notifications.terms import Arrival, Kind, SubscriptionId, Topic

MOST = 10
REFUSED_FOR = timedelta(days=3)
KEEP_S = 24 * 3600
MAX_BODY = 1000
MAX_BYTES = 3900
"""Of a message before it is sealed: any push service carries as much (RFC 8030, section 7.2)."""
_MORE = "\N{HORIZONTAL ELLIPSIS}"
UNSUBSCRIBED = Outcome(Arrival.NEVER, "unsubscribed")


@dataclass(frozen=True)
class Offer:
    """What a browser gives when its user lets it be told."""

    endpoint: str
    public_key: bytes
    secret: bytes
    description: str


async def subscribe(tx: Tx, caller: Caller, offer: Offer, *, private_too: bool) -> Subscription:
    """Have what happens to me told to this browser. One that is known keeps its id; where somebody else was signed in
    there before, it is told nothing more of theirs.

    Raises:
        Invalid: no usable address or key.
        TooManySubscriptions: I have ten others.
    """
    webhooks.require_usable(offer.endpoint, private_too, "/endpoint")
    _require_key(offer)
    if await store.count(tx, caller.user_id, offer.endpoint) >= MOST:
        raise TooManySubscriptions
    target = PushTarget(offer.endpoint, offer.public_key, offer.secret)
    entry = Subscription(
        SubscriptionId(new_uuid()), caller.user_id, target, offer.description, await tx.now()
    )
    for left in await store.of_others(tx, caller.user_id, target):
        await _forget(tx, left, "taken_over", caller.actor)
    stored, is_new = await store.put(tx, entry)
    if is_new:
        told = PushSubscribed(subscription_id=stored.subscription_id, user_id=caller.user_id)
        tx.emit(told, caller.actor, before={"host": None}, after={"host": _host(stored)})
    return stored


def _require_key(offer: Offer) -> None:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), offer.public_key)
        is_point = len(offer.public_key) == 65
    except ValueError:
        is_point = False
    if not is_point:
        problem = FieldError("/keys/p256dh", "malformed", "a point of P-256, uncompressed")
        raise Invalid("nobody could read what is sent there", errors=(problem,))


async def unsubscribe(tx: Tx, caller: Caller, subscription_id: UUID) -> None:
    """Tell this browser nothing any more.

    Raises:
        SubscriptionNotFound: none of mine.
    """
    known = await store.one(tx, subscription_id)
    if known is None or known.user_id != caller.user_id:
        raise SubscriptionNotFound
    if not await _forget(tx, known, "unsubscribed", caller.actor):
        raise SubscriptionNotFound


async def send(resources: NotificationResources, delivery: Delivery) -> Outcome:
    """Try once. A message that comes twice has the same topic, and is shown once while it waits."""
    assert delivery.notification_id is not None and delivery.subscription_id is not None
    async with resources.db.reading() as connection:
        known = await store.one(connection, delivery.subscription_id)
        row = await feed.stored(connection, delivery.notification_id)
    if known is None:
        return UNSUBSCRIBED
    pusher = resources.messengers.pusher
    return NOT_SET_UP if pusher is None else await pusher.push(known.target, _message(delivery, row))


def _message(delivery: Delivery, row: dict[str, object]) -> PushMessage:
    shown = {"id": str(delivery.notification_id), "kind": delivery.kind, "title": str(row["title"])}
    shown["body"] = _shortened(str(row["body"]), MAX_BYTES - len(orjson.dumps(shown | {"body": ""})))
    urgent = Kind(delivery.kind).topic in (Topic.SECURITY, Topic.COMPLIANCE)
    return PushMessage(_topic(delivery), orjson.dumps(shown), urgent, KEEP_S)


def _shortened(text: str, room: int) -> str:
    """As much of it as is shown, and as has room in JSON, where a letter takes up to six bytes."""

    def told(letters: int) -> str:
        return text[:letters] + _MORE

    if len(text) <= MAX_BODY and len(orjson.dumps(text)) - 2 <= room:
        return text
    most = min(len(text), MAX_BODY) - 1
    return told(bisect_right(range(most), room, key=lambda letters: len(orjson.dumps(told(letters + 1))) - 2))


def _topic(delivery: Delivery) -> str:
    """At most 32 letters of base64url (RFC 8030, section 5.4)."""
    return base64.urlsafe_b64encode(delivery.delivery_id.bytes).decode().rstrip("=")


async def note(tx: Tx, delivery: Delivery, outcome: Outcome) -> None:
    """Forget a browser that is gone: its user has taken the permission back, or the service has let it expire. One for
    which the service has long refused everything was subscribed under another key of ours; a mistake of ours in how we
    sign would look the same, so that it takes days."""
    if delivery.subscription_id is None:
        return
    reason = "gone" if outcome.gone else await _refused(tx, delivery.subscription_id, outcome)
    known = await store.one(tx, delivery.subscription_id) if reason else None
    if reason and known is not None:
        await _forget(tx, known, reason, SYSTEM)


async def _refused(tx: Tx, subscription_id: UUID, outcome: Outcome) -> str | None:
    if outcome.status is None or outcome.arrival is Arrival.LATER:
        return None
    since = await store.note(tx, subscription_id, works=outcome.arrival is Arrival.DELIVERED)
    return "refused" if since is not None and since < await tx.now() - REFUSED_FOR else None


async def _forget(tx: Tx, known: Subscription, reason: str, actor: Actor) -> bool:
    """`False` when that has happened."""
    if not await store.remove(tx, known.subscription_id, known.user_id):
        return False
    told = PushUnsubscribed(subscription_id=known.subscription_id, user_id=known.user_id, reason=reason)
    tx.emit(told, actor, before={"host": _host(known)}, after={"host": None})
    return True


def _host(known: Subscription) -> str | None:
    return urlsplit(known.target.endpoint).hostname
