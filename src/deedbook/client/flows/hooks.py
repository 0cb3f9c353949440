"""Webhooks: where what happens to me is posted, signed as Standard Webhooks are."""

from collections.abc import Collection
from uuid import UUID

from deedbook.client.answers import NewWebhook, Webhook, WebhookMessage
from deedbook.client.flow import Flow, Session
from deedbook.client.flows.asking import everything, get, once, page, segment, send
from deedbook.client.operations import Page

WEBHOOKS = "/me/webhooks"


def add_webhook(
    session: Session,
    url: str,
    *,
    kinds: Collection[str] = (),
    description: str = "",
    key: str | None = None,
) -> Flow[NewWebhook]:
    """Have what happens to me posted to an address, of these kinds or of all. Its secret is told this once."""
    body = {"url": url, "kinds": list(kinds), "description": description}
    return (yield from send(session, NewWebhook, WEBHOOKS, body, key=key))


def webhook(session: Session, webhook_id: UUID | str) -> Flow[Webhook]:
    """One of my webhooks."""
    return (yield from get(session, Webhook, f"{WEBHOOKS}/{segment(webhook_id)}"))


def webhooks(session: Session) -> Flow[tuple[Webhook, ...]]:
    """My webhooks, the newest first."""
    return (yield from everything(session, Webhook, WEBHOOKS))


def remove_webhook(session: Session, webhook_id: UUID | str) -> Flow[None]:
    """Have nothing posted there any more, and forget what was."""
    yield from once(session, f"{WEBHOOKS}/{segment(webhook_id)}", {}, method="DELETE")


def rotate_webhook(session: Session, webhook_id: UUID | str, *, key: str | None = None) -> Flow[NewWebhook]:
    """Sign with another secret, which is told this once. For a day the former one signs beside it."""
    return (yield from send(session, NewWebhook, f"{WEBHOOKS}/{segment(webhook_id)}/rotate", {}, key=key))


def enable_webhook(session: Session, webhook_id: UUID | str) -> Flow[Webhook]:
    """Post there again after it was switched off."""
    return (yield from send(session, Webhook, f"{WEBHOOKS}/{segment(webhook_id)}/enable", {}))


def test_webhook(session: Session, webhook_id: UUID | str) -> Flow[UUID]:
    """Have a `webhook.test` posted there; the message's id."""
    told = yield from once(session, f"{WEBHOOKS}/{segment(webhook_id)}/test", {})
    return UUID(told["id"])


def webhook_messages(
    session: Session, cursor: str | None, webhook_id: UUID | str
) -> Flow[Page[WebhookMessage]]:
    """What was posted there in the last 30 days, or shall be, the newest first."""
    path = f"{WEBHOOKS}/{segment(webhook_id)}/messages"
    return (yield from page(session, WebhookMessage, path, cursor))


def replay_webhook_message(session: Session, webhook_id: UUID | str, message_id: UUID | str) -> Flow[UUID]:
    """Post a message again, under the id that it had."""
    path = f"{WEBHOOKS}/{segment(webhook_id)}/messages/{segment(message_id)}/replay"
    return UUID((yield from once(session, path, {}))["id"])
