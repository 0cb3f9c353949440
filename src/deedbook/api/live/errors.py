"""Refusals of the socket.

Refusal
├─ OriginRefused         a page from elsewhere: it must not speak for its user
├─ TooManyConnections    of one address
└─ TooManySubscriptions  on one socket
"""

from deedbook.kernel.errors import Kind, Refusal


class OriginRefused(Refusal):
    code, kind, title = "origin_refused", Kind.FORBIDDEN, "Pages from there may not open a socket here"


class TooManyConnections(Refusal):
    code, kind, title = "too_many_connections", Kind.RATE_LIMITED, "Too many open connections"


class TooManySubscriptions(Refusal):
    code, kind, title = (
        "too_many_subscriptions",
        Kind.RATE_LIMITED,
        "Too many subscriptions on one connection",
    )
