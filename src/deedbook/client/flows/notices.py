"""What I am told, where I hear of it, and where I can be reached."""

from typing import Literal
from uuid import UUID

from deedbook.client.answers import Contacts, Notification, Preference
from deedbook.client.flow import Call, Flow, Session, ask
from deedbook.client.flows.asking import as_body, get, once, page, segment
from deedbook.client.operations import Page
from deedbook.client.reading import read

ContactChannel = Literal["email", "sms"]
PREFERENCES = "/me/notification-preferences"


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
) -> Flow[tuple[Preference, ...]]:
    """Hear of a kind of thing elsewhere, or no longer. What is not named stays as it is."""
    wanted = as_body({"kind": kind, "in_app": in_app, "email": email, "sms": sms})
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
