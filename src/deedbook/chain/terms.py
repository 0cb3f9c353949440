"""The words of this room: transactions on their way to the chain, and the contracts of the platform."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from deedbook.identity.terms import Address


class TxStatus(Enum):
    """Where a transaction is. `confirmed` and `reverted` are final; nothing else ever is."""

    QUEUED = "queued"
    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"


FINAL = frozenset({TxStatus.CONFIRMED, TxStatus.REVERTED})
MAX_GAS = 15_000_000
"""Sapphire's gas for a whole batch of transactions: what asks for more is never mined and blocks the lane."""
MAX_DATA_BYTES = 127 * 1024
"""Sapphire takes transactions of 128 KiB."""


class Contract(Enum):
    """The contracts that stand once per chain. `CASH` is the quote token (USDC, or TestDollar locally)."""

    IDENTITY_REGISTRY = "identity_registry"
    SETTLEMENT = "settlement"
    TOKEN_FACTORY = "token_factory"
    CASH = "cash"


@dataclass(frozen=True)
class Call:
    """What a transaction does. `to` of `None` creates a contract. `gas` is a fixed budget, never estimated:
    on Sapphire an estimate runs with sender zero and hides reverts."""

    to: Address | None
    data: bytes
    gas: int


@dataclass(frozen=True)
class UnsignedTransaction:
    """A legacy (EIP-155) transaction before it is signed. `gas_price` in wei."""

    chain_id: int
    nonce: int
    call: Call
    gas_price: int


@dataclass(frozen=True)
class SignedTransaction:
    """The bytes that are stored, then sent."""

    tx_hash: str
    raw: bytes


@dataclass(frozen=True)
class Log:
    """Something that a contract told, and where. `log_index` counts within the block, so another block around the
    same transaction gives it another one; its place among the logs of its receipt stays the same."""

    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int
    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Receipt:
    """What the chain says of a mined transaction."""

    tx_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    contract_address: Address | None
    logs: tuple[Log, ...] = ()


@dataclass(frozen=True)
class ChainTransaction:
    """A transaction of ours as stored."""

    transaction_id: UUID
    key: str
    wallet: Address
    call: Call
    status: TxStatus
    nonce: int | None
    tx_hash: str | None
    block_number: int | None
    block_hash: str | None
    contract_address: Address | None
    error: str | None
    gas_used: int | None = None
