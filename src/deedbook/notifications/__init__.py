"""Notifications: what people are told, and where."""

from deedbook.notifications import errors
from deedbook.notifications.service import (
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
    "errors",
    "mark_all_read",
    "mark_read",
    "notices_of",
    "order_notices_of",
    "tell",
    "tell_of_orders",
]
