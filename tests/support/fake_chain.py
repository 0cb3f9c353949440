"""A chain in memory behind the `Chain` port: a pool, blocks, reorganizations, and faults on demand.

It decodes the signed bytes that it is given, so a test sees what really took effect, in which order. Nothing
is mined until `mine` is called.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import rlp  # type: ignore[import-untyped]

from deedbook.chain.errors import ChainUnavailable, TransactionReverted
from deedbook.chain.ports import LOG_ROUNDS
from deedbook.chain.terms import Call, Log, Receipt
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire.accounts import Account

CHAIN_ID = 31337
GWEI = 10**9


@dataclass(frozen=True)
class Sent:
    """A transaction as the node reads it."""

    tx_hash: str
    sender: Address
    nonce: int
    gas_price: int
    to: Address | None
    data: bytes
    gas: int
    chain_id: int


@dataclass(frozen=True)
class Told:
    """A log as its contract tells it, before it has a place."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes = b""


@dataclass(frozen=True)
class Block:
    number: int
    block_hash: str
    transactions: tuple[Sent, ...] = ()


@dataclass
class FakeChain:
    """A node. Its faults are attributes; `heal` clears those that make it refuse to answer."""

    price: int = 100 * GWEI
    window: int | None = 9
    reverts: Callable[[Sent], str | None] = lambda sent: None
    down: bool = False
    slow_s: float = 0.0
    fail_calls: int = 0
    drop_sends: int = 0
    lose_replies: int = 0
    refuse_sends: str | None = None
    head_lie: int = 0
    nonce_lie: int = 0
    block_lie: str | None = None
    uses: Callable[[Sent], int] = lambda sent: 21_000
    block_gas: int = 15_000_000
    no_reasons: bool = False
    ghosts: dict[str, tuple[int, str]] = field(default_factory=dict)
    hidden_receipts: set[str] = field(default_factory=set)
    told: dict[str, tuple[Told, ...]] = field(default_factory=dict)
    contract: Callable[[Sent], tuple[Told, ...] | None] = lambda sent: None
    change_logs: Callable[[list[Log]], list[Log]] = lambda logs: logs
    change_receipt: Callable[[Receipt], Receipt] = lambda receipt: receipt
    codes: dict[Address, bytes] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=lambda: [Block(0, "0x" + keccak(b"genesis").hex())])
    pool: dict[tuple[Address, int], Sent] = field(default_factory=dict)
    received: list[Sent] = field(default_factory=list)
    sends: int = 0
    _forks: int = 0

    # What a test does

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            taken = self._ready()
            number = len(self.blocks)
            seed = f"{self.blocks[-1].block_hash}-{number}-{self._forks}-{[sent.tx_hash for sent in taken]}"
            self.blocks.append(Block(number, "0x" + keccak(seed.encode()).hex(), tuple(taken)))

    def reorganize(self, depth: int, *, keep: bool = True) -> None:
        """Take back the newest blocks and mine as many others; with `keep` their transactions wait again."""
        gone = self.rewind(depth)
        if keep:
            for sent in gone:
                self.pool.setdefault((sent.sender, sent.nonce), sent)
        for _ in range(depth):
            self._empty_block()

    def rewind(self, depth: int) -> list[Sent]:
        """Take back the newest blocks, as a node that was restarted from an older state; what was in them."""
        self._forks += 1
        gone = [sent for block in self.blocks[-depth:] for sent in block.transactions]
        del self.blocks[-depth:]
        return gone

    def drop_pool(self) -> None:
        self.pool.clear()

    def heal(self) -> None:
        self.down, self.slow_s, self.fail_calls, self.refuse_sends = False, 0.0, 0, None
        self.drop_sends, self.lose_replies, self.head_lie, self.nonce_lie = 0, 0, 0, 0
        self.hidden_receipts.clear()
        self.change_logs, self.change_receipt = lambda logs: logs, lambda receipt: receipt

    def mined(self, sender: Address) -> list[Sent]:
        """What took effect, in order."""
        return [sent for block in self.blocks for sent in block.transactions if sent.sender == sender]

    def put(self, sender: Address, nonce: int, data: bytes = b"foreign") -> None:
        """A transaction that somebody else sends with this key."""
        tx_hash = "0x" + keccak(sender.encode() + bytes([nonce]) + data).hex()
        self.pool[(sender, nonce)] = Sent(
            tx_hash, sender, nonce, self.price * 10, None, data, 21_000, CHAIN_ID
        )

    def tell(self, *logs: Told, price: int | None = None) -> str:
        """A transaction of a stranger that tells these logs; it waits to be mined. Its hash."""
        number = len(self.told)
        sender = Address(f"0x{0xFFFF0000 + number:040x}")
        tx_hash = "0x" + keccak(f"told-{number}".encode()).hex()
        self.told[tx_hash] = logs
        self.pool[(sender, 0)] = Sent(
            tx_hash, sender, 0, price or self.price * 10, None, b"", 21_000, CHAIN_ID
        )
        return tx_hash

    # The port

    async def chain_id(self) -> int:
        await self._answer()
        return CHAIN_ID

    async def head(self) -> int:
        await self._answer()
        return len(self.blocks) - 1 + self.head_lie

    async def block_hash(self, number: int) -> str | None:
        await self._answer()
        if number >= len(self.blocks):
            return None
        return self.block_lie or self.blocks[number].block_hash

    async def gas_price(self) -> int:
        await self._answer()
        return self.price

    async def nonce(self, wallet: Address) -> int:
        await self._answer()
        return self._nonce(wallet) + self.nonce_lie

    async def code(self, address: Address) -> bytes:
        await self._answer()
        created = {self._created(sent) for block in self.blocks for sent in block.transactions}
        return self.codes.get(address, b"\x60" if address in created else b"")

    async def call(self, to: Address, data: bytes, block: int | None = None) -> bytes:
        await self._answer()
        why = self.reverts(Sent("", Address(""), 0, 0, to, data, 0, CHAIN_ID))
        if why is not None:
            raise TransactionReverted(why)
        return b""

    async def send(self, raw: bytes) -> str | None:
        self.sends += 1
        await self._answer()
        if self.refuse_sends is not None:
            return self.refuse_sends
        sent = read(raw)
        self.received.append(sent)
        if self.drop_sends > 0:
            self.drop_sends -= 1
            return None
        refusal = self._accept(sent)
        if self.lose_replies > 0:
            self.lose_replies -= 1
            raise ChainUnavailable("the reply was lost")
        return refusal

    async def receipts(self, tx_hashes: list[str]) -> dict[str, Receipt]:
        await self._answer()
        found = {}
        for block in self.blocks:
            for sent in block.transactions:
                if sent.tx_hash in tx_hashes and sent.tx_hash not in self.hidden_receipts:
                    found[sent.tx_hash] = self.change_receipt(self._receipt(block, sent))
        for tx_hash, (number, block_hash) in self.ghosts.items():
            if tx_hash in tx_hashes:
                found[tx_hash] = Receipt(tx_hash, number, block_hash, True, 21_000, None)
        return found

    async def logs(self, address: Address, topics: list[bytes], first: int, last: int) -> list[Log]:
        await self._answer()
        assert 0 <= last - first < LOG_ROUNDS
        found = [
            log
            for block in self.blocks[first : last + 1]
            for log in self._logs(block)
            if log.address == address and list(log.topics[: len(topics)]) == topics
        ]
        return self.change_logs(found)

    async def revert_reason(self, wallet: Address, call: Call, block: int) -> str:
        await self._answer()
        if self.no_reasons:
            raise ChainUnavailable("no state of that block")
        why = self.reverts(Sent("", wallet, 0, 0, call.to, call.data, call.gas, CHAIN_ID))
        return f"execution reverted: {why}"

    # Details

    async def _answer(self) -> None:
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.down:
            raise ChainUnavailable("the node does not answer")
        if self.fail_calls > 0:
            self.fail_calls -= 1
            raise ChainUnavailable("the node answered 429")

    def _accept(self, sent: Sent) -> str | None:
        place = (sent.sender, sent.nonce)
        waiting = self.pool.get(place)
        if waiting is not None and waiting.tx_hash == sent.tx_hash:
            return None
        if sent.nonce < self._nonce(sent.sender):
            return "nonce too low"
        if self.window is not None and sent.nonce > self._nonce(sent.sender) + self.window:
            return "nonce too high"
        if waiting is not None and sent.gas_price <= waiting.gas_price:
            return "replacement transaction underpriced"
        self.pool[place] = sent
        return None

    def _ready(self) -> list[Sent]:
        """What can be mined now: paying enough, without a gap before it, and as long as what it asks for is left."""
        next_nonces = {sender: self._nonce(sender) for sender, _ in self.pool}
        taken, left = [], self.block_gas
        for (sender, nonce), sent in sorted(self.pool.items(), key=lambda entry: entry[0]):
            if nonce == next_nonces[sender] and sent.gas_price >= self.price and sent.gas <= left:
                taken.append(self.pool.pop((sender, nonce)))
                left -= self.uses(sent)
                next_nonces[sender] += 1
            elif nonce < next_nonces[sender]:
                del self.pool[(sender, nonce)]
        return taken

    def _empty_block(self) -> None:
        number = len(self.blocks)
        seed = f"{self.blocks[-1].block_hash}-{number}-{self._forks}"
        self.blocks.append(Block(number, "0x" + keccak(seed.encode()).hex()))

    def _nonce(self, wallet: Address) -> int:
        return len(self.mined(wallet))

    def _tells(self, sent: Sent) -> tuple[Told, ...]:
        """What a transaction tells: what a test said, else what the test's contract does, else the words of its data
        as topics of its target's log."""
        if sent.tx_hash in self.told:
            return self.told[sent.tx_hash]
        if sent.to is None or self.reverts(sent) is not None:
            return ()
        if (answer := self.contract(sent)) is not None:
            return answer
        words = tuple(sent.data[at : at + 32] for at in range(0, len(sent.data), 32))
        return (Told(sent.to, words),)

    def _logs(self, block: Block) -> list[Log]:
        return [
            Log(sent.tx_hash, block.number, block.block_hash, index, told.address, told.topics, told.data)
            for index, (sent, told) in enumerate(
                (sent, told) for sent in block.transactions for told in self._tells(sent)
            )
        ]

    def _receipt(self, block: Block, sent: Sent) -> Receipt:
        succeeded = self.reverts(sent) is None
        return Receipt(
            tx_hash=sent.tx_hash,
            block_number=block.number,
            block_hash=block.block_hash,
            succeeded=succeeded,
            gas_used=self.uses(sent),
            contract_address=self._created(sent) if succeeded else None,
            logs=tuple(log for log in self._logs(block) if log.tx_hash == sent.tx_hash),
        )

    @staticmethod
    def _created(sent: Sent) -> Address | None:
        if sent.to is not None:
            return None
        told = rlp.encode([bytes.fromhex(sent.sender[2:]), sent.nonce])
        return Address("0x" + keccak(told)[12:].hex())


def read(raw: bytes) -> Sent:
    """What signed legacy bytes say."""
    nonce, gas_price, gas, to, _value, data, v, _r, _s = rlp.decode(raw)
    return Sent(
        tx_hash="0x" + keccak(raw).hex(),
        sender=Address(Account.recover_transaction(raw).lower()),
        nonce=int.from_bytes(nonce),
        gas_price=int.from_bytes(gas_price),
        to=Address("0x" + to.hex()) if to else None,
        data=bytes(data),
        gas=int.from_bytes(gas),
        chain_id=(int.from_bytes(v) - 35) // 2,
    )
