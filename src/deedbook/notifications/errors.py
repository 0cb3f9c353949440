"""Refusals of this room.

Refusal
├─ NotificationNotFound   no such notification, or it is another's
├─ ChannelNotSetUp        this installation sends nothing that way
├─ ContactNotFound        no address of mine for this channel
├─ CodeRefused            not the code that was sent, or none that holds
└─ TooManyCodes           so many were sent in the last hour
"""

from deedbook.kernel.errors import Kind, Refusal


class NotificationNotFound(Refusal):
    code, kind, title = "notification_not_found", Kind.ABSENT, "There is no such notification"


class ChannelNotSetUp(Refusal):
    code, kind, title = "channel_not_set_up", Kind.CONFLICT, "Nothing is sent that way here"


class ContactNotFound(Refusal):
    code, kind, title = "contact_not_found", Kind.ABSENT, "You have given no such address"


class CodeRefused(Refusal):
    code, kind, title = "code_refused", Kind.INVALID, "This code does not hold"


class TooManyCodes(Refusal):
    """Each code costs a message, and whoever gets them may not have asked for any."""

    code, kind, title = "too_many_codes", Kind.RATE_LIMITED, "Too many codes were sent"
