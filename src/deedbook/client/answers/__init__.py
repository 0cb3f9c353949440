"""What the API answers, as frozen dataclasses: amounts are `Decimal`, moments have their zone, ids are UUIDs."""

from deedbook.client.answers.access import ApiKey, Binding, NewApiKey, SignIn
from deedbook.client.answers.catalogue import Exchange, Pair, PairFilters, PairSide, ServerTime
from deedbook.client.answers.compliance import ComplianceRecord, ComplianceRules, Standing
from deedbook.client.answers.custody import (
    Balance,
    Deposit,
    Destination,
    Destinations,
    LedgerLine,
    Mint,
    Token,
    Transfer,
    WalletCall,
    Withdrawal,
    WithdrawalLimits,
)
from deedbook.client.answers.marketdata import Book, Candle, Price, PublicTrade, Reference, Stats
from deedbook.client.answers.markets import Document, Market, MarketEvent, Me
from deedbook.client.answers.notifications import (
    Contact,
    Contacts,
    Detail,
    NewWebhook,
    Notification,
    Preference,
    Webhook,
    WebhookMessage,
)
from deedbook.client.answers.swaps import Swap, SwapFill, SwapQuote
from deedbook.client.answers.trading import Order, OrderPreview, Settlement, Trade

__all__ = [
    "ApiKey",
    "Balance",
    "Binding",
    "Book",
    "Candle",
    "ComplianceRecord",
    "ComplianceRules",
    "Contact",
    "Contacts",
    "Deposit",
    "Destination",
    "Destinations",
    "Detail",
    "Document",
    "Exchange",
    "LedgerLine",
    "Market",
    "MarketEvent",
    "Me",
    "Mint",
    "NewApiKey",
    "NewWebhook",
    "Notification",
    "Order",
    "OrderPreview",
    "Pair",
    "PairFilters",
    "PairSide",
    "Preference",
    "Price",
    "PublicTrade",
    "Reference",
    "ServerTime",
    "Settlement",
    "SignIn",
    "Standing",
    "Stats",
    "Swap",
    "SwapFill",
    "SwapQuote",
    "Token",
    "Trade",
    "Transfer",
    "WalletCall",
    "Webhook",
    "WebhookMessage",
    "Withdrawal",
    "WithdrawalLimits",
]
