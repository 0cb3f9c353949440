"""What the service refuses, each with its HTTP status.

Refusal
├─ Invalid        400  the request contradicts what is stored
├─ NotPermitted   403  the actor may not do this
├─ NotFound       404  no such thing
└─ Conflict       409  it exists already, or was decided otherwise
"""


class Refusal(Exception):
    """An expected no; its text is the `detail` of the answer."""

    status = 400


class Invalid(Refusal):
    status = 400


class NotPermitted(Refusal):
    status = 403


class NotFound(Refusal):
    status = 404


class Conflict(Refusal):
    status = 409
