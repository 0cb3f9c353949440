"""Words of this room: what people are told of, where, and by default."""

from enum import Enum
from typing import NewType
from uuid import UUID

from deedbook.kernel.jobs import HOUSEKEEPING, POSTING, TRADE_NOTIFICATION, JobKind

NotificationId = NewType("NotificationId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
EndpointId = NewType("EndpointId", UUID)
SubscriptionId = NewType("SubscriptionId", UUID)

SEND = JobKind("send-trade-notification", TRADE_NOTIFICATION)
POST = JobKind("post-webhook", POSTING)
SEND_CODE = JobKind("send-contact-code", TRADE_NOTIFICATION)
SEND_AGAIN = JobKind("send-notifications-again", HOUSEKEEPING)
REMIND_OF_EXPIRING = JobKind("remind-of-expiring-approvals", HOUSEKEEPING)
REMOVE_OLD_NOTIFICATIONS = JobKind("remove-old-notifications", HOUSEKEEPING)


TEST_KIND = "webhook.test"
"""What a webhook gets that its owner tries out; it tells of nothing."""


class Topic(Enum):
    """What a kind of notification is about."""

    TRADING = "trading"
    SETTLEMENT = "settlement"
    MONEY = "money"
    MARKETS = "markets"
    COMPLIANCE = "compliance"
    SECURITY = "security"


class Channel(Enum):
    """Where somebody is told."""

    IN_APP = "IN_APP"
    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"


class Outgoing(Enum):
    """How a message leaves."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    WEBHOOK = "WEBHOOK"
    PUSH = "PUSH"


class Arrival(Enum):
    """What became of an attempt to send a message."""

    DELIVERED = "delivered"
    LATER = "later"
    NEVER = "never"


class Kind(Enum):
    """What somebody is told. The values are published: webhooks carry them as their type."""

    ORDER_FILLED = "order.filled"
    ORDER_PARTIALLY_FILLED = "order.partially_filled"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_REJECTED = "order.rejected"
    ORDER_EXPIRED = "order.expired"
    ORDERS_SUMMARY = "orders.summary"
    TRADE_SETTLED = "trade.settled"
    TRADE_SETTLEMENT_FAILED = "trade.settlement_failed"
    DEPOSIT_CREDITED = "deposit.credited"
    DEPOSIT_FAILED = "deposit.failed"
    DEPOSIT_EXPIRED = "deposit.expired"
    WITHDRAWAL_REQUESTED = "withdrawal.requested"
    WITHDRAWAL_REJECTED = "withdrawal.rejected"
    WITHDRAWAL_COMPLETED = "withdrawal.completed"
    WITHDRAWAL_FAILED = "withdrawal.failed"
    TRANSFER_COMPLETED = "transfer.completed"
    TRANSFER_RECEIVED = "transfer.received"
    TRANSFER_FAILED = "transfer.failed"
    MOVED_BY_FORCE = "custody.moved_by_force"
    BURNED = "custody.burned"
    TOKEN_MINTED = "token.minted"
    MINT_REJECTED = "token.mint_rejected"
    MINT_FAILED = "token.mint_failed"
    MARKET_APPROVED = "market.approved"
    MARKET_REJECTED = "market.rejected"
    MARKET_ACTIVATED = "market.activated"
    MARKET_ACTIVATION_FAILED = "market.activation_failed"
    MARKET_PAUSED = "market.paused"
    MARKET_RESUMED = "market.resumed"
    MARKET_ARCHIVED = "market.archived"
    COMPLIANCE_EXPIRING = "compliance.expiring"
    COMPLIANCE_EXPIRED = "compliance.expired"
    ACCOUNT_FROZEN = "compliance.account_frozen"
    ACCOUNT_UNFROZEN = "compliance.account_unfrozen"
    ADDRESS_ADDED = "withdrawal.address_added"
    ALLOW_LIST_CHANGED = "withdrawal.allow_list_changed"
    API_KEY_CREATED = "api_key.created"
    CONTACT_CHANGED = "contact.changed"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_DISABLED = "webhook.disabled"
    PUSH_SUBSCRIBED = "push.subscribed"
    ROLE_GRANTED = "user.role_granted"
    SIGN_IN_BOUND = "user.sign_in_bound"
    SESSION_STOLEN = "user.session_stolen"

    @property
    def topic(self) -> Topic:
        return _TOPICS.get(self) or _TOPIC_OF_STREAM[self.value.split(".", 1)[0]]


_TOPIC_OF_STREAM = {
    "order": Topic.TRADING,
    "orders": Topic.TRADING,
    "trade": Topic.SETTLEMENT,
    "deposit": Topic.MONEY,
    "withdrawal": Topic.MONEY,
    "transfer": Topic.MONEY,
    "custody": Topic.MONEY,
    "token": Topic.MARKETS,
    "market": Topic.MARKETS,
    "compliance": Topic.COMPLIANCE,
    "api_key": Topic.SECURITY,
    "contact": Topic.SECURITY,
    "webhook": Topic.SECURITY,
    "push": Topic.SECURITY,
    "user": Topic.SECURITY,
}
_TOPICS = {Kind.ADDRESS_ADDED: Topic.SECURITY, Kind.ALLOW_LIST_CHANGED: Topic.SECURITY}
