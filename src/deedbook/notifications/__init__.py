"""Notifications: what people are told, and where."""

from deedbook.notifications import contacts, errors, events, push, webhooks
from deedbook.notifications.service import (
    choose,
    mark_all_read,
    mark_read,
    notices_of,
    order_notices_of,
    tell,
    tell_of_orders,
)
from deedbook.notifications.terms import Channel, Kind, NotificationId, Topic

__all__ = [
    "Channel",
    "Kind",
    "NotificationId",
    "Topic",
    "choose",
    "contacts",
    "errors",
    "events",
    "mark_all_read",
    "mark_read",
    "notices_of",
    "order_notices_of",
    "push",
    "tell",
    "tell_of_orders",
    "webhooks",
]
