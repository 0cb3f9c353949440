"""Use cases of webhooks: what happens to somebody is posted to the addresses that they have named."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from deedbook.identity import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.notifications import derived, outgoing, signing
from deedbook.notifications.errors import (
    DeliveryNotFound,
    DeliveryUnderWay,
    TooManyTests,
    TooManyWebhooks,
    WebhookDisabledNow,
    WebhookNotFound,
)
from deedbook.notifications.events import (
    WebhookAdded,
    WebhookDisabled,
    WebhookEnabled,
    WebhookRemoved,
    WebhookSecretRotated,
)
from deedbook.notifications.model import Endpoint, Notice
from deedbook.notifications.ports import NOT_SET_UP, MessagePolicy, NotificationResources, Outcome
from deedbook.notifications.store import webhooks as store
from deedbook.notifications.store.deliveries import Delivery, NewDelivery
from deedbook.notifications.terms import TEST_KIND, Arrival, EndpointId, Outgoing

MOST = 10
FORMER_SECRET_FOR = timedelta(hours=24)
DISABLED_AFTER = timedelta(days=3)
MOST_WAITING = 5000
TESTS_AN_HOUR = 10
DROWNED = "too many messages wait for it"
_HOUR = timedelta(hours=1)
SWITCHED_OFF = Outcome(Arrival.NEVER, "the webhook is switched off")


async def add(
    tx: Tx, caller: Caller, url: str, description: str, kinds: frozenset[str], *, private_too: bool
) -> Endpoint:
    """Have what happens to me posted there: these kinds of it, or with none named all.

    Raises:
        Invalid: no usable address.
        TooManyWebhooks: I have ten.
    """
    require_usable(url, private_too)
    if await store.count(tx, caller.user_id) >= MOST:
        raise TooManyWebhooks
    now, endpoint_id = await tx.now(), EndpointId(new_uuid())
    endpoint = Endpoint(endpoint_id, caller.user_id, url, description, kinds, 1, None, None, None, now)
    await store.add(tx, endpoint)
    told = WebhookAdded(endpoint_id=endpoint_id, user_id=caller.user_id)
    tx.emit(told, caller.actor, before={"host": None}, after={"host": urlsplit(url).hostname})
    return endpoint


def require_usable(url: str, private_too: bool, field: str = "/url") -> None:
    """Make sure that it can be posted to, and that what is posted is shown to nobody on the way. `field` is where the
    caller has said it.

    Raises:
        Invalid: says what is wrong.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad(field, "malformed", "this is no address") from None
    if not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>') or not parts.hostname:
        raise _bad(field, "malformed", "an https address in ASCII without spaces")
    if parts.username is not None or parts.fragment:
        raise _bad(field, "malformed", "no name, password or fragment")
    if parts.scheme not in (("https", "http") if private_too else ("https",)):
        raise _bad(field, "not_private", "an https address")
    if not private_too and port not in (None, 443):
        raise _bad(field, "port", "port 443")


def _bad(field: str, code: str, detail: str) -> Invalid:
    return Invalid("the address cannot be used", errors=(FieldError(field, code, detail),))


async def find(tx: Tx, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """One of mine, held as it is until the commit.

    Raises:
        WebhookNotFound: none, or another's.
    """
    endpoint = await store.one(tx, endpoint_id, caller.user_id, lock=True)
    if endpoint is None:
        raise WebhookNotFound
    return endpoint


async def remove(tx: Tx, caller: Caller, endpoint_id: UUID) -> None:
    """Have nothing posted there any more, and forget what was."""
    endpoint = await find(tx, caller, endpoint_id)
    await store.remove(tx, endpoint.endpoint_id)
    told = WebhookRemoved(endpoint_id=endpoint.endpoint_id, user_id=caller.user_id)
    tx.emit(told, caller.actor, before={"host": urlsplit(endpoint.url).hostname}, after={"host": None})


async def rotate(tx: Tx, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """Sign with another secret from now on; the former one signs beside it for a day."""
    endpoint = await find(tx, caller, endpoint_id)
    await store.rotate(tx, endpoint.endpoint_id, FORMER_SECRET_FOR)
    told = WebhookSecretRotated(endpoint_id=endpoint.endpoint_id, user_id=caller.user_id)
    changed = await find(tx, caller, endpoint_id)
    before, after = {"version": endpoint.secret_version}, {"version": changed.secret_version}
    tx.emit(told, caller.actor, before=before, after=after)
    return changed


async def enable(tx: Tx, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """Post there again. What was missed meanwhile can be replayed."""
    endpoint = await find(tx, caller, endpoint_id)
    if await store.set_disabled(tx, endpoint.endpoint_id, False):
        told = WebhookEnabled(endpoint_id=endpoint.endpoint_id, user_id=caller.user_id)
        tx.emit(told, caller.actor, before={"enabled": False}, after={"enabled": True})
    return await find(tx, caller, endpoint_id)


async def test(tx: Tx, caller: Caller, endpoint_id: UUID) -> UUID:
    """Have something posted there that means nothing; its id.

    Raises:
        WebhookDisabledNow: it is switched off.
        TooManyTests: ten were asked for in the last hour.
    """
    endpoint = await find(tx, caller, endpoint_id)
    if endpoint.disabled_at is not None:
        raise WebhookDisabledNow
    now = await tx.now()
    if await store.tests_since(tx, endpoint.endpoint_id, TEST_KIND, now - _HOUR) >= TESTS_AN_HOUR:
        raise TooManyTests(retry_after_s=_HOUR.total_seconds())
    payload = _payload(TEST_KIND, now, {"endpointId": str(endpoint.endpoint_id)})
    (made,) = await outgoing.add(tx, [_new(endpoint, TEST_KIND, f"{TEST_KIND}.{new_uuid()}", payload)])
    return made


async def replay(tx: Tx, caller: Caller, endpoint_id: UUID, delivery_id: UUID) -> None:
    """Post a message again, under the id that it had.

    Raises:
        DeliveryNotFound: no such message.
        DeliveryUnderWay: it is being posted anyway.
        WebhookDisabledNow: the webhook is switched off.
    """
    endpoint = await find(tx, caller, endpoint_id)
    if endpoint.disabled_at is not None:
        raise WebhookDisabledNow
    if await store.delivery(tx, endpoint_id, delivery_id) is None:
        raise DeliveryNotFound
    again = await store.replay(tx, endpoint_id, delivery_id)
    if again is None:
        raise DeliveryUnderWay
    message_id, round_ = again
    outgoing.ask(tx, message_id, Outgoing.WEBHOOK, round_)


async def listening(tx: Tx, user_ids: Collection[UserId]) -> set[UserId]:
    """Those of these users who have something posted."""
    return {endpoint.user_id for endpoint in await store.working(tx, user_ids)}


async def post(tx: Tx, notices: Sequence[Notice]) -> None:
    """Have these posted wherever their users want it, each once."""
    endpoints = await store.working(tx, {notice.user_id for notice in notices})
    if not endpoints:
        return
    failing = [endpoint.endpoint_id for endpoint in endpoints if endpoint.failing_since is not None]
    drowned = set(await store.overrun(tx, failing, MOST_WAITING)) if failing else set()
    for endpoint in endpoints:
        if endpoint.endpoint_id in drowned:
            await _disable(tx, endpoint.endpoint_id, endpoint.user_id, DROWNED)
    of_user: dict[UserId, list[Notice]] = defaultdict(list)
    for notice in notices:
        of_user[notice.user_id].append(notice)
    new = [
        _new(
            endpoint,
            notice.kind.value,
            notice.source,
            _payload(notice.kind.value, notice.occurred_at, _data(notice)),
        )
        for endpoint in endpoints
        if endpoint.endpoint_id not in drowned
        for notice in of_user[endpoint.user_id]
        if endpoint.wants(notice.kind)
    ]
    if new:
        await outgoing.add(tx, new)


def _data(notice: Notice) -> dict[str, object]:
    return {
        "userId": str(notice.user_id),
        "subjectType": notice.subject_type,
        "subjectId": str(notice.subject_id),
        "title": notice.title,
        **notice.data,
    }


def _payload(kind: str, at: datetime, data: dict[str, object]) -> str:
    return orjson.dumps({"type": kind, "timestamp": to_wire(at), "data": data}).decode()


def _new(endpoint: Endpoint, kind: str, source: str, payload: str) -> NewDelivery:
    return NewDelivery(
        user_id=endpoint.user_id,
        channel=Outgoing.WEBHOOK,
        kind=kind,
        source=source,
        endpoint_id=endpoint.endpoint_id,
        payload=payload,
    )


async def send(resources: NotificationResources, delivery: Delivery) -> Outcome:
    """Try once. The id stays, the moment is this one's."""
    assert delivery.endpoint_id is not None, "what is posted has somewhere to go"
    async with resources.db.reading() as connection:
        endpoint = await store.one(connection, delivery.endpoint_id, None)
        now = await connection.fetchval("SELECT now()")
    if endpoint is None or endpoint.disabled_at is not None:
        return SWITCHED_OFF
    poster = resources.messengers.poster
    if poster is None:
        return NOT_SET_UP
    body = (delivery.payload or "").encode()
    keys = keys_of(endpoint, resources.message_policy.secret, now)
    return await poster.post(
        endpoint.url, signing.headers(f"msg_{delivery.delivery_id}", now, body, keys), body
    )


def secret_of(endpoint: Endpoint, policy: MessagePolicy) -> str:
    """The secret of an endpoint as its owner is given it."""
    return derived.webhook_secret(policy.secret, endpoint.endpoint_id, endpoint.secret_version)


def keys_of(endpoint: Endpoint, secret: str, now: datetime) -> list[bytes]:
    """What signs for an endpoint now: the newest key first, and for a day the former one."""
    versions = [endpoint.secret_version]
    if endpoint.former_until is not None and endpoint.former_until > now:
        versions.append(endpoint.secret_version - 1)
    return [derived.webhook_key(secret, endpoint.endpoint_id, version) for version in versions]


async def note(tx: Tx, delivery: Delivery, outcome: Outcome) -> None:
    """Keep in mind how an endpoint does: one that is gone, or has taken nothing for three days, is switched off."""
    if outcome == SWITCHED_OFF or delivery.endpoint_id is None:
        return
    works = outcome.arrival is Arrival.DELIVERED
    since = await store.note(tx, delivery.endpoint_id, works=works)
    if outcome.arrival is Arrival.NEVER:
        await _disable(tx, delivery.endpoint_id, delivery.user_id, outcome.told)
    elif since is not None and not works and since < await tx.now() - DISABLED_AFTER:
        await _disable(tx, delivery.endpoint_id, delivery.user_id, "it has taken nothing for three days")


async def give_up(tx: Tx, delivery: Delivery) -> None:
    """Switch an endpoint off that is too slow for what is posted there."""
    if delivery.endpoint_id is not None:
        await _disable(tx, delivery.endpoint_id, delivery.user_id, DROWNED)


async def _disable(tx: Tx, endpoint_id: EndpointId, user_id: UserId, reason: str) -> None:
    if await store.set_disabled(tx, endpoint_id, True):
        told = WebhookDisabled(endpoint_id=endpoint_id, user_id=user_id, reason=reason)
        tx.emit(told, before={"enabled": True}, after={"enabled": False})
