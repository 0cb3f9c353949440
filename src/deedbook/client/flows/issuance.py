"""How an asset becomes a market."""

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import Document, Market, MarketEvent
from deedbook.client.flow import Flow, Session
from deedbook.client.flows.asking import as_body, as_json, get, page, segment, send
from deedbook.client.flows.waiting import until
from deedbook.client.operations import Page

ON_ITS_WAY = frozenset({"approved", "activating"})


def register_market(
    session: Session,
    *,
    name: str,
    asset_type: str,
    token_symbol: str,
    total_supply: Amount,
    supply_cap: Amount | None = None,
    decimals: int = 18,
    description: str = "",
    token_name: str = "",
    asset_details: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> Flow[Market]:
    """Register an asset, as an issuer. Compliance decides on it then. `asset_details` are as the API names them."""
    body = as_body(
        {
            "name": name,
            "asset_type": asset_type,
            "token_symbol": token_symbol,
            "total_supply": amount_text(total_supply),
            "supply_cap": None if supply_cap is None else amount_text(supply_cap),
            "decimals": decimals,
            "description": description,
            "token_name": token_name,
        }
    )
    details = {} if asset_details is None else {"assetDetails": as_json(asset_details)}
    return (yield from send(session, Market, "/markets/register", body | details, key=key))


def approve_market(
    session: Session, market_id: UUID | str, reason: str = "", *, version: int | None = None
) -> Flow[Market]:
    """Approve a market, as compliance; it goes live by itself. With `version` only as it was looked at."""
    return (yield from _decide(session, market_id, "approve", reason, version))


def reject_market(
    session: Session, market_id: UUID | str, reason: str, *, version: int | None = None
) -> Flow[Market]:
    """Reject a market, as compliance, and say why."""
    return (yield from _decide(session, market_id, "reject", reason, version))


def _decide(
    session: Session, market_id: UUID | str, decision: str, reason: str, version: int | None
) -> Flow[Market]:
    path, body = f"/markets/{segment(market_id)}/approve", {"decision": decision, "reason": reason}
    return (yield from send(session, Market, path, body, version=version))


def activate_market(session: Session, market_id: UUID | str) -> Flow[Market]:
    """Try again to put an approved market on the chain."""
    return (yield from send(session, Market, f"/markets/{segment(market_id)}/activate", {}))


def pause_market(session: Session, market_id: UUID | str, reason: str) -> Flow[Market]:
    """Let no new orders in. Those in the book stay, and can be cancelled."""
    return (yield from send(session, Market, f"/markets/{segment(market_id)}/pause", {"reason": reason}))


def resume_market(session: Session, market_id: UUID | str, reason: str) -> Flow[Market]:
    """Let orders in again."""
    return (yield from send(session, Market, f"/markets/{segment(market_id)}/resume", {"reason": reason}))


def archive_market(session: Session, market_id: UUID | str, reason: str) -> Flow[Market]:
    """End trading for good. Open orders are cancelled."""
    return (yield from send(session, Market, f"/markets/{segment(market_id)}/archive", {"reason": reason}))


def market(session: Session, market_id: UUID | str) -> Flow[Market]:
    """A market."""
    return (yield from get(session, Market, f"/markets/{segment(market_id)}", signed_in=_known(session)))


def markets(
    session: Session,
    cursor: str | None,
    *,
    status: str | None = None,
    asset_type: str | None = None,
    issuer_id: UUID | None = None,
    text: str | None = None,
) -> Flow[Page[Market]]:
    """Markets, the newest first."""
    asked = {"status": status, "asset_type": asset_type, "issuer_id": issuer_id, "text": text}
    return (yield from page(session, Market, "/markets", cursor, signed_in=_known(session), **asked))


def market_events(session: Session, cursor: str | None, market_id: UUID | str) -> Flow[Page[MarketEvent]]:
    """What became of a market, the oldest first."""
    path = f"/markets/{segment(market_id)}/events"
    return (yield from page(session, MarketEvent, path, cursor, signed_in=_known(session)))


def add_document(
    session: Session, *, title: str, kind: str, content: bytes, media_type: str = "", key: str | None = None
) -> Flow[Document]:
    """Put a document on record: its hash and these words are kept, its content is not."""
    body = as_body({"title": title, "kind": kind, "media_type": media_type})
    body["contentBase64"] = base64.b64encode(content).decode()
    return (yield from send(session, Document, "/documents", body, key=key))


def wait_for_market(session: Session, market_id: UUID | str, within_s: float = 120) -> Flow[Market]:
    """Ask for a market that was approved until it is active, or needs somebody.

    Raises:
        StillWaiting: neither, in time.
    """

    def has_arrived(known: Market) -> bool:
        return known.status not in ON_ITS_WAY

    look = f"market {market_id}"
    return (yield from until(session, lambda: market(session, market_id), has_arrived, look, within_s))


def _known(session: Session) -> bool:
    """Whether there is somebody to be: some see more of a market than everybody does."""
    return session.token is not None or session.sign_in is not None
