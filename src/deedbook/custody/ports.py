"""What this room needs from outside: the vault's words, a node, and the figures that operators set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call
from deedbook.chain.vault import Permit, PermitTerms
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


class VaultState(Protocol):
    """What the vault says of itself at a block. Every method raises `ChainUnavailable` without a usable answer."""

    async def owed(self, token: Address, block: int, /) -> int:
        """What it owes of a token to all accounts together."""
        ...

    async def held(self, token: Address, block: int, /) -> int:
        """What the token's own contract says that the vault holds."""
        ...

    async def balance(self, account: Address, token: Address, block: int, /) -> int:
        """What it keeps of a token for an account."""
        ...


class OwnDeposit(Protocol):
    """What a user sends themselves to deposit: first the approval, then the deposit."""

    def __call__(self, settlement: Address, token: Address, units: int, /) -> tuple[Call, Call]: ...


class Purses(Protocol):
    """What contracts of tokens say of wallets outside the vault. A contract may be anybody's: where it says nothing
    that a token would, the answer is `None`. Every method raises `ChainUnavailable` when the node gives none."""

    async def held(self, token: Address, owner: Address, /) -> int | None:
        """What this wallet has of the token."""
        ...

    async def allowed(self, token: Address, owner: Address, spender: Address, /) -> int | None:
        """How much of it this spender may take."""
        ...

    async def permit_terms(self, chain_id: int, token: Address, owner: Address, /) -> PermitTerms | None:
        """Under what the owner signs an approval, where the token takes one by signature."""
        ...


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
    """What carrying out needs: the words, the chain, the key that operates the vault, how long to wait for the chain,
    and for a call that would be undone now: an approval may be on its way."""

    words: VaultWords
    node: Chain
    chain_id: int
    operator: Address
    wait_s: float = 120.0
    patience_s: float = 20.0


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


class ReconciliationResources(CustodyResources, Protocol):
    """The same with what the vault holds, to compare."""

    def vault_state(self, vault: Address, /) -> VaultState: ...
