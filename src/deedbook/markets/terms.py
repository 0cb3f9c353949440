"""The words of this room: asset types, states, moves, and the jobs that follow from them."""

from enum import Enum

from deedbook.kernel.jobs import DEPLOY_TOKEN, LIFECYCLE, JobKind


class AssetType(Enum):
    """What a market's token stands for."""

    REAL_ESTATE = "real_estate"
    CORPORATE_STOCK = "corporate_stock"
    GOVERNMENT_BOND = "government_bond"
    COMMODITY = "commodity"
    PRIVATE_EQUITY = "private_equity"
    ART_COLLECTIBLE = "art_collectible"
    CARBON_CREDIT = "carbon_credit"
    OTHER = "other"


class MarketStatus(Enum):
    """Where a market stands. `rejected` and `archived` are final."""

    DRAFT = "draft"
    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    ACTIVATING = "activating"
    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


class Move(Enum):
    """What can be done to a market."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    START_ACTIVATION = "activate"
    FINISH_ACTIVATION = "finish activating"
    FAIL_ACTIVATION = "give up activating"
    PAUSE = "pause"
    RESUME = "resume"
    ARCHIVE = "archive"


class Decision(Enum):
    """What an officer says to a registration."""

    APPROVED = "approved"
    REJECTED = "rejected"


DEPLOY_MARKET_TOKEN = JobKind(
    "deploy-market-token", DEPLOY_TOKEN, repeat_by="the market is approved again: POST /markets/{id}/activate"
)
POLL_DECISIONS = JobKind("poll-entity-permissions", LIFECYCLE)
