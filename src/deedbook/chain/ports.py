"""What this room needs from outside: a node that speaks Ethereum JSON-RPC, and a key that signs."""

from typing import Protocol

from deedbook.chain.terms import Call, Log, Receipt, SignedTransaction, UnsignedTransaction
from deedbook.identity.terms import Address

LOG_ROUNDS = 100
"""Sapphire refuses to search more rounds at once."""


class Chain(Protocol):
    """A node. Every method raises `ChainUnavailable` when there is no usable answer in bounded time."""

    async def chain_id(self) -> int: ...
    async def head(self) -> int: ...
    async def block_hash(self, number: int) -> str | None: ...
    async def gas_price(self) -> int: ...
    async def nonce(self, wallet: Address) -> int: ...
    async def code(self, address: Address) -> bytes: ...
    async def call(self, to: Address, data: bytes, block: int | None = None) -> bytes:
        """An `eth_call` without a sender, on the newest block or on this one, of which the node may keep no state
        any more. Raises `TransactionReverted` with the reason when it reverts."""
        ...

    async def send(self, raw: bytes) -> str | None:
        """Broadcast. `None` when the node has it (now or already); otherwise why it refused, in its words."""
        ...

    async def receipts(self, tx_hashes: list[str]) -> dict[str, Receipt]:
        """The receipts of those that are mined. One that is absent may be waiting, dropped or unknown."""
        ...

    async def logs(self, address: Address, topics: list[bytes], first: int, last: int) -> list[Log]:
        """What a contract told in these blocks, at most `LOG_ROUNDS` of them."""
        ...

    async def revert_reason(self, wallet: Address, call: Call, block: int) -> str:
        """Why this call was undone in this block, for people to read, as far as the node can say."""
        ...


class Signer(Protocol):
    """A key. It signs transactions of the shapes that we make, never arbitrary digests."""

    @property
    def address(self) -> Address: ...

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction: ...
