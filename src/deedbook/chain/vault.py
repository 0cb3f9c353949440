"""What the vault tells: each way in which a balance in it changes, as a value. How the chain spells these is the
adapter's matter; what they mean for balances is the ledger's.
"""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from deedbook.chain.delivery import Delivered
from deedbook.identity.terms import Address

REFERENCE_BYTES = 32
_ID_BYTES = 16


class VaultEventKind(Enum):
    """What happened. `DEPOSIT_RELAYED` moves nothing: it follows the `DEPOSITED` of the same transaction and says
    which signed request that was. Nor does `ORDER_CANCELLED`: its `account` has withdrawn what it signed with the
    digest `reference`, and `token` is nobody's. Every other kind moves a balance."""

    DEPOSITED = "deposited"
    DEPOSIT_RELAYED = "deposit_relayed"
    WITHDRAWN = "withdrawn"
    TRANSFERRED = "transferred"
    MINT_CREDITED = "mint_credited"
    BURN_DEBITED = "burn_debited"
    FORCED_MOVE = "forced_move"
    BALANCE_RECOVERED = "balance_recovered"
    TRADE_SETTLED = "trade_settled"
    ORDER_CANCELLED = "order_cancelled"


@dataclass(frozen=True)
class VaultEvent:
    """One event. `amount` in base units.

    `account` is whose balance rises (deposit, mint) or falls (all others). `counterparty` is where the amount went
    from there: the account that gained it, for a withdrawal the address outside; `None` where nothing left.
    `reference` is the caller's 32-byte one-time reference, of a relayed deposit its digest; `None` for a deposit
    and a recovery, which have none. A settled trade moves two tokens and fees: the other fields tell of the base
    token that went from seller to buyer, `delivered` of all that was moved.
    """

    kind: VaultEventKind
    token: Address
    account: Address
    counterparty: Address | None
    amount: int
    reference: bytes | None
    delivered: Delivered | None = None


@dataclass(frozen=True)
class Permit:
    """An approval (ERC-2612) that the owner of tokens signed for the vault. `value` in base units, `deadline` in
    Unix seconds; `r` and `s` have 32 bytes."""

    value: int
    deadline: int
    v: int
    r: bytes
    s: bytes


@dataclass(frozen=True)
class PermitTerms:
    """What such an approval is signed under: the contract's own name and version (EIP-712), and the owner's next
    number there. The chain and the contract are known."""

    name: str
    version: str
    nonce: int


def reference_of(id_: UUID) -> bytes:
    """The one-time reference under which the chain does what this id stands for: its 16 bytes, left in 32."""
    return id_.bytes.ljust(REFERENCE_BYTES, b"\0")


def id_of(reference: bytes) -> UUID | None:
    """The id behind a reference, or `None` when it was not made from one."""
    head, tail = reference[:_ID_BYTES], reference[_ID_BYTES:]
    return UUID(bytes=head) if tail == bytes(REFERENCE_BYTES - _ID_BYTES) else None
