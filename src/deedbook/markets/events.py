"""Facts of this room: the life of a market."""

from typing import Any

from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import DocumentId, EntityId, MarketId, TokenId, UserId


@fact("document.added", stream="document_id", audience=Audience.OPERATORS)
class DocumentAdded(Fact):
    """A document's hash and metadata were put on record."""

    document_id: DocumentId
    owner_id: UserId
    sha256: str
    document_version: int


@fact("market.registered", stream="market_id", exported=True)
class MarketRegistered(Fact):
    """An issuer registered an asset. `total_supply` in whole tokens, as decimal text."""

    market_id: MarketId
    entity_id: EntityId
    name: str
    asset_type: str
    token_symbol: str
    total_supply: str


@fact("market.approval_requested", stream="market_id", audience=Audience.OPERATORS, exported=True)
class MarketApprovalRequested(Fact):
    """Everything that an approval desk needs to decide: facts, documents and the issuer's credentials."""

    market_id: MarketId
    entity_id: EntityId
    facts: dict[str, Any]
    documents: tuple[dict[str, Any], ...]
    issuer: dict[str, Any]


@fact("market.approved", stream="market_id", exported=True)
class MarketApproved(Fact):
    """An officer approved the registration."""

    market_id: MarketId
    entity_id: EntityId
    decision: str
    reason: str


@fact("market.rejected", stream="market_id", exported=True)
class MarketRejected(Fact):
    """An officer rejected the registration."""

    market_id: MarketId
    entity_id: EntityId
    decision: str
    reason: str


@fact("market.activation_started", stream="market_id", exported=True)
class MarketActivationStarted(Fact):
    """Deployment of the token contract began. `attempt` counts the activations of this market."""

    market_id: MarketId
    attempt: int


@fact("market.activated", stream="market_id", exported=True)
class MarketActivated(Fact):
    """The contract stands on the chain as asked, and the market is open."""

    market_id: MarketId
    token_id: TokenId
    token_symbol: str
    contract_address: str
    deployment_tx_hash: str


@fact("market.activation_failed", stream="market_id", exported=True)
class MarketActivationFailed(Fact):
    """Deployment failed for good; the market is approved again and can be activated by hand."""

    market_id: MarketId
    attempt: int
    reason: str


@fact("market.paused", stream="market_id", exported=True)
class MarketPaused(Fact):
    """New orders are refused until the market resumes; cancelling goes on."""

    market_id: MarketId
    reason: str


@fact("market.resumed", stream="market_id", exported=True)
class MarketResumed(Fact):
    """Trading goes on."""

    market_id: MarketId
    reason: str


@fact("market.archived", stream="market_id", exported=True)
class MarketArchived(Fact):
    """Trading has ended for good."""

    market_id: MarketId
    reason: str


LIFECYCLE_FACTS: tuple[type[Fact], ...] = (
    MarketRegistered,
    MarketApprovalRequested,
    MarketApproved,
    MarketRejected,
    MarketActivationStarted,
    MarketActivated,
    MarketActivationFailed,
    MarketPaused,
    MarketResumed,
    MarketArchived,
)
