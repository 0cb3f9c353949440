"""Refusals of this room.

Refusal
└─ NotificationNotFound   no such notification, or it is another's
"""

from deedbook.kernel.errors import Kind, Refusal


class NotificationNotFound(Refusal):
    code, kind, title = "notification_not_found", Kind.ABSENT, "There is no such notification"
