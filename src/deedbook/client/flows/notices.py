"""What I am told, where I hear of it, and where I can be reached."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from deedbook.client.answers import Contacts, Notification, Preference, Push, PushSubscription
from deedbook.client.flow import Call, Flow, Session, ask
from deedbook.client.flows.asking import as_body, get, once, page, segment, send
from deedbook.client.operations import Page
from deedbook.client.reading import read

ContactChannel = Literal["email", "sms"]
PREFERENCES = "/me/notification-preferences"
SUBSCRIPTIONS = "/me/push-subscriptions"


def notifications(session: Session, cursor: str | None, *, unread: bool = False) -> Flow[Page[Notification]]:
    """What I was told, the newest first; with `unread`, what I have not read."""
    only = "true" if unread else None
    return (yield from page(session, Notification, "/me/notifications", cursor, unread=only))


def notification(session: Session, notification_id: UUID | str) -> Flow[Notification]:
    """One thing that I was told, with what I signed where it confirms an order."""
    return (yield from get(session, Notification, f"/me/notifications/{segment(notification_id)}"))


def unread_count(session: Session) -> Flow[int]:
    """How many I have not read; counting ends at 1000."""
    return int((yield from ask(session, Call("GET", "/me/notifications/unread-count")))["unread"])


def mark_read(session: Session, notification_id: UUID | str) -> Flow[None]:
    """I have read this one."""
    yield from once(session, f"/me/notifications/{segment(notification_id)}/read", {})


def mark_all_read(session: Session, up_to: UUID | str) -> Flow[int]:
    """I have read everything up to this one; how many that were. What came since stays unread."""
    told = yield from once(session, "/me/notifications/read-all", {"upTo": str(up_to)})
    return int(told["marked"])


def preferences(session: Session) -> Flow[tuple[Preference, ...]]:
    """Where I hear of what: everything that there is."""
    told = yield from ask(session, Call("GET", PREFERENCES))
    return tuple(read(Preference, one) for one in told["preferences"])


def prefer(
    session: Session,
    kind: str,
    *,
    in_app: bool | None = None,
    email: bool | None = None,
    sms: bool | None = None,
    push: bool | None = None,
) -> Flow[tuple[Preference, ...]]:
    """Hear of a kind of thing elsewhere, or no longer. What is not named stays as it is."""
    wanted = as_body({"kind": kind, "in_app": in_app, "email": email, "sms": sms, "push": push})
    told = yield from once(session, PREFERENCES, {"preferences": [wanted]}, method="PUT")
    return tuple(read(Preference, one) for one in told["preferences"])


def contacts(session: Session) -> Flow[Contacts]:
    """Where I can be reached. No API key is told."""
    return (yield from get(session, Contacts, "/me/contacts"))


def give_contact(session: Session, channel: ContactChannel, address: str) -> Flow[None]:
    """Give an address of mine, in the place of the one before. A code is sent there."""
    yield from once(session, f"/me/contacts/{segment(channel)}", {"address": address}, method="PUT")


def verify_contact(session: Session, channel: ContactChannel, code: str) -> Flow[None]:
    """Prove by the code that the address is mine."""
    yield from once(session, f"/me/contacts/{segment(channel)}/verify", {"code": code})


def remove_contact(session: Session, channel: ContactChannel) -> Flow[None]:
    """Have nothing sent there any more, and the address forgotten."""
    yield from once(session, f"/me/contacts/{segment(channel)}", {}, method="DELETE")


def push_subscriptions(session: Session) -> Flow[Push]:
    """The browsers that I have subscribed, and by which key one subscribes."""
    return (yield from get(session, Push, SUBSCRIPTIONS))


def subscribe_push(
    session: Session, subscription: Mapping[str, Any], *, description: str = "", key: str | None = None
) -> Flow[PushSubscription]:
    """Have what happens to me shown by a browser: give what its `PushSubscription.toJSON()` gives."""
    body = {**subscription, "description": description}
    return (yield from send(session, PushSubscription, SUBSCRIPTIONS, body, key=key))


def unsubscribe_push(session: Session, subscription_id: UUID | str) -> Flow[None]:
    """Have nothing shown there any more."""
    yield from once(session, f"{SUBSCRIPTIONS}/{segment(subscription_id)}", {}, method="DELETE")
