"""Refusals of this room.

Refusal
├─ SettlementNotFound   no such trade, or not yours
└─ SettlementNotWaiting nothing waits to be tried again
"""

from deedbook.kernel.errors import Kind, Refusal


class SettlementNotFound(Refusal):
    code, kind, title = "settlement_not_found", Kind.ABSENT, "There is no such settlement"


class SettlementNotWaiting(Refusal):
    code, kind, title = "settlement_not_waiting", Kind.CONFLICT, "This trade does not wait to be tried again"
