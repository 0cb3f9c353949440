"""What this room needs from outside: the contract's words, a node, and the figures of batching."""

from dataclasses import dataclass
from typing import Protocol

from deedbook.chain.delivery import Batch, Cost, FeesFrom, SignedText, Verdict
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.settlement.terms import DEFAULT_FIGURES, Figures


class SettlementWords(Protocol):
    """Calls of the contract that settles, and what it says before anything is sent."""

    def settle(self, settlement: Address, batch: Batch, /) -> Call: ...

    def cost_of_batch(self) -> Cost: ...

    def cost_of_text(self, text: SignedText, /) -> Cost: ...

    def cost_of_delivery(self) -> Cost: ...

    async def preview(self, chain: Chain, settlement: Address, batch: Batch, /) -> list[Verdict]:
        """What would become of each trade now, in their order, each after those before it."""
        ...

    def list_pair(
        self, settlement: Address, symbol: str, base: Address, quote: Address, fees_from: FeesFrom, /
    ) -> Call: ...

    async def is_pair_listed(self, chain: Chain, settlement: Address, symbol: str, /) -> bool: ...


@dataclass(frozen=True)
class Desk:
    """What settling needs: the words, the chain, the key that operates the contract, how many blocks make an event
    count, and how long a batch's job waits for the chain."""

    words: SettlementWords
    node: Chain
    chain_id: int
    operator: Address
    depth: int
    figures: Figures = DEFAULT_FIGURES
    wait_s: float = 120.0


class SettlementResources(Protocol):
    """What the wiring hands to this room's jobs."""

    @property
    def db(self) -> Database: ...

    @property
    def settlement_desk(self) -> Desk: ...
