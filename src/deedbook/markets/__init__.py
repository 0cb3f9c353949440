"""Markets: how an asset becomes a market. Register, approve, activate, pause, archive."""

from deedbook.markets import errors, events
from deedbook.markets.decisions import Outcome, receive, retry
from deedbook.markets.documents import AddDocument, add_document
from deedbook.markets.model import AssetDetails, Market, RegisterMarket
from deedbook.markets.service import (
    activate,
    archive,
    decide,
    fail_activation,
    issuer_entity,
    pause,
    register,
    resume,
    status_of,
)
from deedbook.markets.store import Document, document, read
from deedbook.markets.terms import AssetType, Decision, MarketStatus

__all__ = [
    "AddDocument",
    "AssetDetails",
    "AssetType",
    "Decision",
    "Document",
    "Market",
    "MarketStatus",
    "Outcome",
    "RegisterMarket",
    "activate",
    "add_document",
    "archive",
    "decide",
    "document",
    "errors",
    "events",
    "fail_activation",
    "issuer_entity",
    "pause",
    "read",
    "receive",
    "register",
    "resume",
    "retry",
    "status_of",
]
