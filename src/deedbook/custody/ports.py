"""What this room needs from outside: the vault's words, a node, and the figures that operators set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call
from deedbook.chain.vault import Permit
from deedbook.chain.watcher import Watch
from deedbook.identity.ports import ContractWallets
from deedbook.identity.terms import Address
from deedbook.infra.database import Database


class VaultWords(Protocol):
    """Calls of the vault. A signed action is passed on as its wallet showed it."""

    def deposit_for(self, settlement: Address, deposit: Mapping[str, Any], signature: bytes, /) -> Call: ...

    def deposit_with_permit(
        self, settlement: Address, deposit: Mapping[str, Any], signature: bytes, permit: Permit, /
    ) -> Call: ...

    def withdraw(
        self, settlement: Address, withdrawal: Mapping[str, Any], signature: bytes, reference: bytes, /
    ) -> Call: ...

    def transfer(
        self, settlement: Address, moved: Mapping[str, Any], signature: bytes, reference: bytes, /
    ) -> Call: ...


class OwnDeposit(Protocol):
    """What a user sends themselves to deposit: first the approval, then the deposit."""

    def __call__(self, settlement: Address, token: Address, units: int, /) -> tuple[Call, Call]: ...


@dataclass(frozen=True)
class Gate:
    """What it takes to check a signature: the chain that it holds for, and contract wallets to ask."""

    chain_id: int
    wallets: ContractWallets


@dataclass(frozen=True)
class Policy:
    """The limits of tokens that have none of their own, in whole tokens, and how long changes of a user's own
    restrictions wait."""

    automatic_up_to: int
    four_eyes_above: int
    daily_limit: int
    address_delay_s: int


@dataclass(frozen=True)
class Desk:
    """What carrying out needs: the words, the chain, the key that operates the vault, and how long to wait."""

    words: VaultWords
    chain_id: int
    operator: Address
    wait_s: float = 120.0


@dataclass(frozen=True)
class Lookout:
    """What watching needs. `depth`: how many blocks above an event before it has its effect."""

    node: Chain
    watch: Watch
    depth: int


class CustodyResources(Protocol):
    """What the wiring hands to this room's jobs."""

    @property
    def db(self) -> Database: ...

    @property
    def desk(self) -> Desk: ...

    async def lookout(self) -> Lookout | None:
        """`None` while the vault is not deployed."""
        ...
