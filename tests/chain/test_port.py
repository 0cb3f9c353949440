"""What the lane relies on in a node: the same expectations of the tests' own chain, of anvil behind our client, of
anvil under Sapphire's rules, and of py-evm."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import pytest

from deedbook.chain.errors import TransactionReverted
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, Receipt, SignedTransaction, UnsignedTransaction
from deedbook.identity.terms import Address
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedPyEvm
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.keys import LocalSigner
from tests.chain.support import new_signer
from tests.support import servers
from tests.support.fake_chain import CHAIN_ID, GWEI, FakeChain, Sent
from tests.support.sapphire_proxy import SapphireProxy
from tests.support.waiting import eventually

NOBODY = Address("0x" + "77" * 20)
REFUSES = bytes.fromhex("6005600c60003960056000f3" + "60006000fd")
"""Creates a contract that undoes every call."""
TELLS = bytes.fromhex("600c600c600039600c6000f3" + "60203560003560006000a200")
"""Creates a contract that tells its first two words as the topics of a log."""


class Bench(Protocol):
    """A node, and what a test may do to it."""

    @property
    def node(self) -> Chain: ...

    async def fund(self, wallet: Address) -> None: ...
    async def pass_blocks(self) -> None: ...
    async def mark(self) -> None: ...
    async def return_to_mark(self) -> None: ...


class FakeBench:
    def __init__(self) -> None:
        self.node = FakeChain(reverts=refuses)
        self._mark = 0

    async def fund(self, wallet: Address) -> None:
        return

    async def pass_blocks(self) -> None:
        self.node.mine(2)

    async def mark(self) -> None:
        self._mark = len(self.node.blocks)

    async def return_to_mark(self) -> None:
        self.node.reorganize(len(self.node.blocks) - self._mark, keep=False)


class AnvilBench:
    def __init__(self, anvil: EmbeddedAnvil, url: str) -> None:
        self._anvil = anvil
        self.node = SapphireClient(url)
        self._mark: object = None

    async def fund(self, wallet: Address) -> None:
        await self._anvil.rpc("anvil_setBalance", wallet, hex(10**24))

    async def pass_blocks(self) -> None:
        goal = await self.node.head() + 2

        async def reached() -> bool:
            return await self.node.head() >= goal

        await eventually(reached, "blocks are mined")

    async def mark(self) -> None:
        self._mark = await self._anvil.rpc("evm_snapshot")

    async def return_to_mark(self) -> None:
        await servers.take_back(self._anvil, self._mark)


class PyEvmBench:
    def __init__(self, chain: EmbeddedPyEvm) -> None:
        self._chain = chain
        self.node = SapphireClient(chain.url)

    async def fund(self, wallet: Address) -> None:
        await self._chain.rpc("anvil_setBalance", wallet, hex(10**24))

    async def pass_blocks(self) -> None:
        for _ in range(2):
            await self._chain.rpc("evm_mine")

    async def mark(self) -> None:
        pytest.skip("a chain in memory takes nothing back")

    async def return_to_mark(self) -> None:
        raise AssertionError("nobody comes so far")


def refuses(sent: Sent) -> str | None:
    return "no" if sent.to is not None and not sent.data else None


@pytest.fixture(scope="module")
async def in_memory(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPyEvm]:
    """The chain that comes with the Python packages; quicker than its blocks' clock, which matters to nobody here."""
    directory = tmp_path_factory.mktemp("pyevm")
    async with EmbeddedPyEvm(directory / "chain", servers.free_port(), block_time=0.2) as chain:
        yield chain


@pytest.fixture(params=["fake", "anvil", "sapphire", "pyevm"])
async def bench(
    request: pytest.FixtureRequest, anvil: EmbeddedAnvil, in_memory: EmbeddedPyEvm
) -> AsyncIterator[Bench]:
    if request.param == "fake":
        yield FakeBench()
        return
    if request.param == "pyevm":
        bench = PyEvmBench(in_memory)
        yield bench
        await bench.node.close()
        return
    async with SapphireProxy(anvil.url) as proxy:
        made = AnvilBench(anvil, proxy.url if request.param == "sapphire" else anvil.url)
        yield made
        await made.node.close()


@pytest.fixture
async def signer(bench: Bench) -> LocalSigner:
    made = new_signer()
    await bench.fund(made.address)
    return made


def signed(
    signer: LocalSigner, nonce: int, to: Address | None = NOBODY, data: bytes = b"\1", price: int = 100 * GWEI
) -> SignedTransaction:
    return signer.sign(UnsignedTransaction(CHAIN_ID, nonce, Call(to, data, 200_000), price))


async def mined(bench: Bench, sent: SignedTransaction) -> Receipt:
    assert await bench.node.send(sent.raw) is None
    await bench.pass_blocks()
    return (await bench.node.receipts([sent.tx_hash]))[sent.tx_hash]


async def test_what_does_not_exist_is_absent(bench: Bench) -> None:
    head = await bench.node.head()
    assert await bench.node.chain_id() == CHAIN_ID
    assert await bench.node.receipts(["0x" + "12" * 32]) == {}
    assert await bench.node.receipts([]) == {}
    assert await bench.node.block_hash(head + 10_000) is None
    assert await bench.node.code(NOBODY) == b""
    assert await bench.node.nonce(NOBODY) == 0


async def test_a_mined_transaction_has_a_receipt_in_the_chain(bench: Bench, signer: LocalSigner) -> None:
    sent = signed(signer, 0, None, REFUSES)
    receipt = await mined(bench, sent)
    assert receipt.succeeded
    assert receipt.tx_hash == sent.tx_hash
    assert receipt.block_number <= await bench.node.head()
    assert await bench.node.block_hash(receipt.block_number) == receipt.block_hash
    assert await bench.node.nonce(signer.address) == 1
    assert receipt.contract_address is not None
    assert await bench.node.code(receipt.contract_address)


async def test_the_same_bytes_again_are_no_refusal(bench: Bench, signer: LocalSigner) -> None:
    waits = signed(signer, 1)
    assert await bench.node.send(waits.raw) is None
    assert await bench.node.send(waits.raw) is None
    await bench.pass_blocks()
    assert await bench.node.receipts([waits.tx_hash]) == {}
    await mined(bench, signed(signer, 0))
    await bench.pass_blocks()
    assert waits.tx_hash in await bench.node.receipts([waits.tx_hash])


async def test_a_used_nonce_is_refused_in_words(bench: Bench, signer: LocalSigner) -> None:
    await mined(bench, signed(signer, 0))
    assert "nonce too low" in (await bench.node.send(signed(signer, 0, data=b"\2").raw) or "")


async def test_the_higher_price_takes_the_place_and_one_is_mined(bench: Bench, signer: LocalSigner) -> None:
    first, cheaper = signed(signer, 1, price=110 * GWEI), signed(signer, 1, price=109 * GWEI)
    dearer = signed(signer, 1, price=124 * GWEI)
    assert await bench.node.send(first.raw) is None
    assert "underpriced" in (await bench.node.send(cheaper.raw) or "")
    assert await bench.node.send(dearer.raw) is None
    await mined(bench, signed(signer, 0))
    await bench.pass_blocks()
    hashes = [first.tx_hash, cheaper.tx_hash, dearer.tx_hash]
    assert set(await bench.node.receipts(hashes)) == {dearer.tx_hash}


async def test_what_a_contract_undoes_is_mined_and_says_why(bench: Bench, signer: LocalSigner) -> None:
    contract = (await mined(bench, signed(signer, 0, None, REFUSES))).contract_address
    assert contract is not None
    receipt = await mined(bench, signed(signer, 1, contract, b""))
    assert not receipt.succeeded
    assert receipt.contract_address is None
    reason = await bench.node.revert_reason(
        signer.address, Call(contract, b"", 200_000), receipt.block_number
    )
    assert "revert" in reason
    with pytest.raises(TransactionReverted):
        await bench.node.call(contract, b"")


async def test_a_block_that_went_away_takes_its_receipts_along(bench: Bench, signer: LocalSigner) -> None:
    await bench.pass_blocks()
    await bench.mark()
    sent = signed(signer, 0)
    await mined(bench, sent)
    await bench.return_to_mark()
    assert await bench.node.receipts([sent.tx_hash]) == {}
    assert await bench.node.nonce(signer.address) == 0
    assert (await mined(bench, sent)).succeeded


async def test_logs_are_found_by_contract_and_topics(bench: Bench, signer: LocalSigner) -> None:
    contract = (await mined(bench, signed(signer, 0, None, TELLS))).contract_address
    assert contract is not None
    topics = [b"\1" * 32, b"\2" * 32]
    told = signed(signer, 1, contract, b"".join(topics))
    other = signed(signer, 2, contract, topics[0] + b"\3" * 32)
    await mined(bench, told)
    receipt = await mined(bench, other)
    last = await bench.node.head()
    first = max(0, last - 99)
    found = await bench.node.logs(contract, topics, first, last)
    assert [log.tx_hash for log in found] == [told.tx_hash]
    both = await bench.node.logs(contract, topics[:1], first, last)
    assert [log.tx_hash for log in both] == [told.tx_hash, other.tx_hash]
    assert both[1].block_number == receipt.block_number
    assert await bench.node.logs(NOBODY, topics, first, last) == []
    with pytest.raises(AssertionError):
        await bench.node.logs(contract, topics, 0, 100)


async def test_many_ask_one_node_at_once(bench: Bench) -> None:
    answers = await asyncio.gather(*[bench.node.gas_price() for _ in range(50)])
    assert len(answers) == 50
    assert all(price > 0 for price in answers)
