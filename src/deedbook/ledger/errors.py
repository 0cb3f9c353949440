"""Refusals of this room.

Refusal
├─ InsufficientFunds    the account does not have this much available
├─ PostingExists        this posting was made before: the caller's effect has happened already
└─ NoSuchHold           nothing is held for this owner
"""

from deedbook.kernel.errors import Kind, Refusal


class InsufficientFunds(Refusal):
    code, kind, title = "insufficient_funds", Kind.INVALID, "There is not enough available"


class PostingExists(Refusal):
    code, kind, title = "posting_exists", Kind.CONFLICT, "This was posted before"


class NoSuchHold(Refusal):
    code, kind, title = "no_such_hold", Kind.CONFLICT, "Nothing is held for this any more"
