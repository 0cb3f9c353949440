"""Settlement: delivery against payment on the chain, and proof of it."""

from deedbook.settlement import desk, errors, events
from deedbook.settlement.terms import BatchStatus, SettlementStatus

__all__ = ["BatchStatus", "SettlementStatus", "desk", "errors", "events"]
