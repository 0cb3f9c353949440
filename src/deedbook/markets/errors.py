"""Refusals of this room.

Refusal
├─ MarketNotFound          no such market
├─ IllegalTransition       the market is not in a state for this move
├─ StaleVersion            someone changed the market since you looked (If-Match)
├─ SymbolTaken             another market has this token symbol
├─ IssuerEntityMissing     the caller acts for no issuer
├─ DocumentNotFound        no such document, or not the caller's
└─ NewerVersionExists      the document was replaced already
"""

from deedbook.kernel.errors import Kind, Refusal


class MarketNotFound(Refusal):
    code, kind, title = "market_not_found", Kind.ABSENT, "There is no such market"


class IllegalTransition(Refusal):
    code, kind, title = "illegal_transition", Kind.CONFLICT, "The market is not in a state for this"


class StaleVersion(Refusal):
    code, kind, title = "stale_version", Kind.STALE, "The market has changed since you looked"


class SymbolTaken(Refusal):
    code, kind, title = "symbol_taken", Kind.CONFLICT, "Another market has this token symbol"


class IssuerEntityMissing(Refusal):
    code, kind, title = "issuer_entity_missing", Kind.FORBIDDEN, "You act for no issuer yet"


class DocumentNotFound(Refusal):
    code, kind, title = "document_not_found", Kind.ABSENT, "There is no such document"


class NewerVersionExists(Refusal):
    code, kind, title = "newer_version_exists", Kind.CONFLICT, "The document has a newer version already"
