"""What programs need to know before they start."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class PairSide:
    """One of a pair's two tokens."""

    symbol: str
    decimals: int
    contract_address: str | None


@dataclass(frozen=True)
class PairFilters:
    """What orders must pass besides tick and lot."""

    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    max_open_orders: int
    protection_bps: int


@dataclass(frozen=True)
class Pair:
    """A trading pair: prices are multiples of `tick_size`, quantities of `lot_size`."""

    id: UUID
    symbol: str
    market_id: UUID | None
    status: str
    base: PairSide
    quote: PairSide
    tick_size: Decimal
    lot_size: Decimal
    fee_bps: int
    fee_mode: str
    filters: PairFilters
    created_at: datetime


@dataclass(frozen=True)
class Exchange:
    """The platform: its pairs and contracts, and how its signatures are made."""

    server_time: datetime
    version: str
    chain_id: int
    contracts: dict[str, Any]
    eip712_domain: dict[str, Any]
    eip712_types: dict[str, Any]
    limits: dict[str, Any]
    pairs: tuple[Pair, ...]

    def pair(self, name: str) -> Pair | None:
        """The pair of this symbol or id."""
        return next((pair for pair in self.pairs if name in (pair.symbol, str(pair.id))), None)


@dataclass(frozen=True)
class ServerTime:
    """The platform's clock."""

    server_time: datetime
    epoch_ms: int
