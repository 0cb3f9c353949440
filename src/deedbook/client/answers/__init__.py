"""What the API answers, as frozen dataclasses: amounts are `Decimal`, moments have their zone, ids are UUIDs."""

from deedbook.client.answers.catalogue import Exchange, Pair, PairFilters, PairSide, ServerTime
from deedbook.client.answers.compliance import ComplianceRecord, ComplianceRules, Standing
from deedbook.client.answers.custody import (
    Balance,
    Deposit,
    LedgerLine,
    Mint,
    Token,
    Transfer,
    WalletCall,
    Withdrawal,
)
from deedbook.client.answers.marketdata import Book, Candle, Price, PublicTrade, Reference, Stats
from deedbook.client.answers.markets import Document, Market, MarketEvent, Me
from deedbook.client.answers.trading import Order, OrderPreview, Settlement, Trade

__all__ = [
    "Balance",
    "Book",
    "Candle",
    "ComplianceRecord",
    "ComplianceRules",
    "Deposit",
    "Document",
    "Exchange",
    "LedgerLine",
    "Market",
    "MarketEvent",
    "Me",
    "Mint",
    "Order",
    "OrderPreview",
    "Pair",
    "PairFilters",
    "PairSide",
    "Price",
    "PublicTrade",
    "Reference",
    "ServerTime",
    "Settlement",
    "Standing",
    "Stats",
    "Token",
    "Trade",
    "Transfer",
    "WalletCall",
    "Withdrawal",
]
