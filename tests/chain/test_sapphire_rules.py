"""Sapphire's rules, as the proxy that stands for its gateway applies them: what passes through it has obeyed them."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.terms import Call, UnsignedTransaction
from deedbook.identity.terms import Address
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.keys import LocalSigner, SigningLimits
from tests.chain.support import CAP, new_signer
from tests.support.fake_chain import CHAIN_ID, GWEI
from tests.support.sapphire_proxy import SapphireProxy
from tests.support.servers import mine


@pytest.fixture
async def proxy(anvil: EmbeddedAnvil) -> AsyncIterator[SapphireProxy]:
    async with SapphireProxy(anvil.url) as opened:
        yield opened


@pytest.fixture
async def node(proxy: SapphireProxy) -> AsyncIterator[SapphireClient]:
    client = SapphireClient(proxy.url)
    yield client
    await client.close()


@pytest.fixture
async def signer(anvil: EmbeddedAnvil) -> LocalSigner:
    made = new_signer()
    await anvil.rpc("anvil_setBalance", made.address, hex(10**24))
    return made


def raw(signer: LocalSigner, nonce: int, price: int = 100 * GWEI) -> bytes:
    call = Call(Address("0x" + "11" * 20), b"", 30_000)
    return signer.sign(UnsignedTransaction(CHAIN_ID, nonce, call, price)).raw


async def asked(proxy: SapphireProxy, method: str, *params: object) -> object:
    async with httpx2.AsyncClient(trust_env=False) as http:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = (await http.post(proxy.url, json=body)).json()
    return answer.get("result", answer.get("error"))


async def test_nine_nonces_ahead_are_taken_and_the_tenth_is_not(
    node: SapphireClient, signer: LocalSigner
) -> None:
    assert await node.send(raw(signer, 9)) is None
    assert await node.send(raw(signer, 10)) == "core: invalid nonce"


async def test_a_price_below_the_floor_is_refused(node: SapphireClient, signer: LocalSigner) -> None:
    assert await node.send(raw(signer, 0, 100 * GWEI - 1)) == "gas price too low"
    assert await node.gas_price() >= 100 * GWEI


async def test_a_transaction_without_a_chain_is_refused(node: SapphireClient) -> None:
    elsewhere = LocalSigner(bytes(31) + b"\x01", SigningLimits(1, CAP))
    signed = elsewhere.sign(UnsignedTransaction(1, 0, Call(None, b"", 30_000), 100 * GWEI))
    assert await node.send(signed.raw) is not None


async def test_a_call_has_no_sender(
    proxy: SapphireProxy, node: SapphireClient, anvil: EmbeddedAnvil, signer: LocalSigner
) -> None:
    call = {"from": signer.address, "data": "0x3360005260206000f3"}
    assert int(str(await anvil.rpc("eth_call", call)), 16) == int(signer.address, 16)
    assert int(str(await asked(proxy, "eth_call", call, "latest")), 16) == 0


async def test_what_waits_is_not_seen(
    proxy: SapphireProxy, node: SapphireClient, signer: LocalSigner
) -> None:
    await node.send(raw(signer, 1))
    assert await asked(proxy, "eth_getTransactionCount", signer.address, "pending") == "0x0"
    assert await asked(proxy, "txpool_content") == {"pending": {}, "queued": {}}


async def test_an_estimate_hides_that_the_call_fails(proxy: SapphireProxy) -> None:
    assert await asked(proxy, "eth_estimateGas", {"data": "0xfe"}) == hex(2_000_000)


async def test_logs_of_more_than_a_hundred_rounds_are_refused(
    proxy: SapphireProxy, anvil: EmbeddedAnvil
) -> None:
    await mine(anvil, 110)
    nobody = Address("0x" + "11" * 20)
    rounds = {"address": nobody, "fromBlock": "0x0"}
    told = await asked(proxy, "eth_getLogs", {**rounds, "toBlock": "0x65"})
    assert isinstance(told, dict)
    assert "max allowed of rounds" in told["message"]
    assert await asked(proxy, "eth_getLogs", {**rounds, "toBlock": "0x63"}) == []
    node = SapphireClient(proxy.url)
    assert await node.logs(nobody, [], 0, 99) == []
    await node.close()


async def test_a_node_behind_the_rules_that_goes_away_is_unavailable(anvil: EmbeddedAnvil) -> None:
    async with SapphireProxy("http://127.0.0.1:1") as proxy:
        node = SapphireClient(proxy.url)
        with pytest.raises(ChainUnavailable):
            await node.head()
        await node.close()
