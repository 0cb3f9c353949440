"""The JSON-RPC client against nodes that answer badly, late, too much, or something else than was asked."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from eth_abi import encode

from deedbook.chain.errors import ChainUnavailable, TransactionReverted
from deedbook.chain.terms import Call
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire.client import MAX_ANSWER_BYTES, SapphireClient

WALLET = Address("0x" + "ab" * 20)
HASH = "0x" + "12" * 32
BLOCK = "0x" + "34" * 32
RECEIPT = {
    "transactionHash": HASH,
    "blockNumber": "0x10",
    "blockHash": BLOCK,
    "status": "0x1",
    "gasUsed": "0x5208",
    "contractAddress": None,
}

LOG: dict[str, Any] = {
    "address": WALLET,
    "transactionHash": HASH,
    "blockNumber": "0x10",
    "blockHash": BLOCK,
    "logIndex": "0x3",
    "topics": ["0x" + "01" * 32],
    "data": "0xff",
}


def node(answer: Callable[[Any], httpx2.Response], timeout_s: float = 1.0) -> SapphireClient:
    """A client of a node that answers so."""

    async def handle(request: httpx2.Request) -> httpx2.Response:
        return answer(json.loads(request.content))

    return SapphireClient("http://node.test/rpc", timeout_s, transport=httpx2.MockTransport(handle))


def result(value: Any) -> SapphireClient:
    return node(lambda asked: httpx2.Response(200, json=told(asked, result=value)))


def error(message: str, code: int = -32000, **more: Any) -> SapphireClient:
    return node(
        lambda asked: httpx2.Response(200, json=told(asked, error={"code": code, "message": message, **more}))
    )


def told(asked: dict[str, Any], **outcome: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": asked["id"], **outcome}


def receipts(answer: Any) -> SapphireClient:
    return node(lambda asked: httpx2.Response(200, json=[told(one, result=answer) for one in asked]))


ASKS: list[Callable[[SapphireClient], Any]] = [
    lambda client: client.chain_id(),
    lambda client: client.head(),
    lambda client: client.block_hash(16),
    lambda client: client.gas_price(),
    lambda client: client.nonce(WALLET),
    lambda client: client.code(WALLET),
    lambda client: client.call(WALLET, b""),
    lambda client: client.send(b"\x01"),
    lambda client: client.receipts([HASH]),
    lambda client: client.logs(WALLET, [], 0, 99),
]

UNUSABLE: list[Callable[[Any], httpx2.Response]] = [
    lambda asked: httpx2.Response(429, text="slow down"),
    lambda asked: httpx2.Response(500, text="oops"),
    lambda asked: httpx2.Response(302, headers={"location": "http://elsewhere.test"}),
    lambda asked: httpx2.Response(200, text="<html>maintenance</html>"),
    lambda asked: httpx2.Response(200, content=b"\xff\xfe"),
    lambda asked: httpx2.Response(200, text="[" * 100_000),
    lambda asked: httpx2.Response(200, json=None),
    lambda asked: httpx2.Response(200, json=[]),
    lambda asked: httpx2.Response(200, json="0x1"),
    lambda asked: httpx2.Response(200, json={}),
    lambda asked: httpx2.Response(200, json={"jsonrpc": "2.0", "id": 10**9, "result": "0x1"}),
    lambda asked: httpx2.Response(200, json=[{"id": [1], "result": None}]),
    lambda asked: httpx2.Response(200, content=b'{"jsonrpc":"2.0","id":1,"result":NaN}'),
]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("answer", UNUSABLE)
async def test_an_unusable_answer_is_no_answer(
    ask: Callable[[SapphireClient], Any], answer: Callable[[Any], httpx2.Response]
) -> None:
    client = node(answer)
    with pytest.raises(ChainUnavailable):
        await ask(client)
    await client.close()


@pytest.mark.parametrize("value", [None, 7, True, "7", "0x", "0xg", "-0x1", "0x1_0", " 0x1", "0x1\n", [], {}])
async def test_what_is_no_quantity_is_refused(value: Any) -> None:
    with pytest.raises(ChainUnavailable):
        await result(value).head()


@pytest.mark.parametrize("value", [None, 7, "zz", "0xzz", "0x1", "", [], {}])
async def test_what_is_no_data_is_refused(value: Any) -> None:
    with pytest.raises(ChainUnavailable):
        await result(value).code(WALLET)


@pytest.mark.parametrize(
    "change",
    [
        {"transactionHash": BLOCK},
        {"blockNumber": None},
        {"blockNumber": 16},
        {"blockHash": None},
        {"blockHash": "0x12"},
        {"status": None},
        {"status": "ok"},
        {"gasUsed": "many"},
        {"contractAddress": "0x12"},
        {"contractAddress": 7},
    ],
)
async def test_a_malformed_receipt_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ChainUnavailable):
        await receipts({**RECEIPT, **change}).receipts([HASH])


async def test_a_receipt_is_read() -> None:
    created = "0x" + "Ab" * 20
    found = (await receipts({**RECEIPT, "contractAddress": created}).receipts([HASH]))[HASH]
    assert (found.block_number, found.block_hash, found.gas_used) == (16, BLOCK, 21_000)
    assert found.contract_address == created.lower()
    assert found.succeeded
    assert not (await receipts({**RECEIPT, "status": "0x0"}).receipts([HASH]))[HASH].succeeded
    assert await receipts(None).receipts([HASH]) == {}


async def test_many_receipts_are_asked_in_batches_whose_answers_may_be_shuffled() -> None:
    sizes = []

    def answer(asked: list[dict[str, Any]]) -> httpx2.Response:
        sizes.append(len(asked))
        told_back = [
            told(one, result={**RECEIPT, "transactionHash": one["params"][0]}) for one in reversed(asked)
        ]
        return httpx2.Response(200, json=told_back)

    hashes = [f"0x{number:064x}" for number in range(120)]
    assert list(await node(answer).receipts(hashes)) == hashes
    assert sizes == [50, 50, 20]


async def test_one_error_in_a_batch_spoils_it() -> None:
    def answer(asked: list[dict[str, Any]]) -> httpx2.Response:
        bodies = [told(one, result=None) for one in asked]
        bodies[1] = told(asked[1], error={"code": -32005, "message": "limit exceeded"})
        return httpx2.Response(200, json=bodies)

    with pytest.raises(ChainUnavailable, match="limit exceeded"):
        await node(answer).receipts([HASH, BLOCK])


async def test_a_block_that_was_not_asked_for_is_refused() -> None:
    assert await result({"number": "0x10", "hash": BLOCK}).block_hash(16) == BLOCK
    assert await result(None).block_hash(16) is None
    for body in ({"number": "0x11", "hash": BLOCK}, {"number": "0x10"}, {"hash": BLOCK}, "0x10"):
        with pytest.raises(ChainUnavailable):
            await result(body).block_hash(16)


@pytest.mark.parametrize(
    "words",
    [
        "already known",  # geth, Erigon, Sapphire's gateway
        "AlreadyKnown",  # Nethermind
        "Known transaction",  # Besu
        "transaction already imported",  # anvil
        "known transaction: 12ab",  # geth before 1.9
        "tx already exists in cache",  # Tendermint's words
    ],
)
async def test_what_the_node_has_already_is_sent(words: str) -> None:
    assert await error(words, -32003).send(b"\x01") is None


@pytest.mark.parametrize(
    "words",
    [
        "nonce too low",
        "replacement transaction underpriced",
        "insufficient funds for gas * price + value",
        "core: invalid nonce",
        "exceeds block gas limit",
    ],
)
async def test_a_refusal_is_told_in_the_nodes_words(words: str) -> None:
    assert await error(words).send(b"\x01") == words


async def test_a_refusal_as_long_as_a_book_is_cut() -> None:
    assert len(await error("x" * 100_000).send(b"\x01") or "") == 500


async def test_a_call_that_is_undone_is_told_from_a_node_that_fails() -> None:
    for undone in (error("execution reverted", 3), error("execution reverted: no", -32000)):
        with pytest.raises(TransactionReverted):
            await undone.call(WALLET, b"")
    for failing in (error("limit exceeded", -32005), error("internal error", -32603)):
        with pytest.raises(ChainUnavailable):
            await failing.call(WALLET, b"")


async def test_the_reason_of_a_revert_is_told_in_words() -> None:
    unknown = error("execution reverted", 3, data="0x12345678").revert_reason
    assert await unknown(WALLET, Call(WALLET, b"", 1), 1) == "execution reverted: 0x12345678"
    text = "0x08c379a0" + f"{32:064x}{2:064x}" + "6e6f".ljust(64, "0")
    required = error("execution reverted: no", 3, data=text).revert_reason
    assert await required(WALLET, Call(WALLET, b"", 1), 1) == "execution reverted: no"


async def test_words_that_could_not_be_stored_are_told_without_what_spoils_them() -> None:
    """PostgreSQL takes no NUL; a lane must not stop for the bad manners of a token or a node."""
    reason = error("reverted: bad\x00\x7fnode", 3).revert_reason
    assert await reason(WALLET, Call(WALLET, b"", 1), 1) == "reverted: bad\ufffd\ufffdnode"
    spoilt = encode(["string"], ["no\x00\n\u202efunds"]).hex()
    told = error("execution reverted", 3, data="0x08c379a0" + spoilt)
    assert await told.revert_reason(WALLET, Call(WALLET, b"", 1), 1) == (
        "execution reverted: no\ufffd\ufffd\ufffdfunds"
    )


async def test_a_node_without_old_states_is_asked_about_the_newest() -> None:
    asked_at = []

    def answer(asked: dict[str, Any]) -> httpx2.Response:
        asked_at.append(asked["params"][1])
        if asked["params"][1] != "latest":
            return httpx2.Response(
                200, json=told(asked, error={"code": -32602, "message": "BlockOutOfRangeError"})
            )
        return httpx2.Response(200, json=told(asked, error={"code": 3, "message": "execution reverted"}))

    reason = await node(answer).revert_reason(WALLET, Call(None, b"", 1), 11)
    assert reason == "execution reverted"
    assert asked_at == ["0xb", "latest"]
    passing = await result("0x").revert_reason(WALLET, Call(WALLET, b"", 1), 11)
    assert passing == "undone by the contract; the same call passes now"
    silent = await error("missing trie node").revert_reason(WALLET, Call(WALLET, b"", 1), 11)
    assert silent == "undone by the contract; the node gave no reason"


async def test_logs_of_another_contract_are_refused() -> None:
    [found] = await result([LOG]).logs(WALLET, [b"\1" * 32], 0, 99)
    assert (found.tx_hash, found.block_number, found.block_hash, found.log_index) == (HASH, 16, BLOCK, 3)
    assert (found.topics, found.data) == ((b"\1" * 32,), b"\xff")
    for bad in ([{**LOG, "address": "0x" + "cd" * 20}], [7], "0x", None):
        with pytest.raises(ChainUnavailable):
            await result(bad).logs(WALLET, [], 0, 99)


BAD_LOGS: list[dict[str, Any]] = [
    {"address": HASH},
    {"transactionHash": None},
    {"blockHash": "0x12"},
    {"blockNumber": None},
    {"logIndex": -1},
    {"topics": None},
    {"topics": ["0x" + "01" * 32] * 5},
    {"topics": ["0x01"]},
    {"data": "ff"},
    {"data": "0xfff"},
    {"removed": True},
]


@pytest.mark.parametrize("change", BAD_LOGS)
async def test_a_log_that_is_none_is_refused_wherever_it_stands(change: dict[str, Any]) -> None:
    bad = {**LOG, **change}
    with pytest.raises(ChainUnavailable):
        await result([bad]).logs(WALLET, [], 0, 99)
    with pytest.raises(ChainUnavailable):
        await receipts({**RECEIPT, "logs": [bad]}).receipts([HASH])


async def test_a_receipt_tells_its_logs_in_their_order() -> None:
    found = await receipts({**RECEIPT, "logs": [LOG, {**LOG, "logIndex": "0x4"}]}).receipts([HASH])
    assert [log.log_index for log in found[HASH].logs] == [3, 4]
    with pytest.raises(ChainUnavailable):
        await receipts({**RECEIPT, "logs": "none"}).receipts([HASH])


async def test_an_answer_without_end_is_cut_off() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024 * 1024
            yield b" " * 1024 * 1024

    client = node(lambda asked: httpx2.Response(200, content=endless()))
    with pytest.raises(ChainUnavailable, match="more than"):
        await client.head()
    assert sent <= MAX_ANSWER_BYTES + 2 * 1024 * 1024


async def test_an_answer_that_drips_ends_in_bounded_time() -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b" "

    client = node(lambda asked: httpx2.Response(200, content=dripping()), timeout_s=0.2)
    started = time.monotonic()
    with pytest.raises(ChainUnavailable, match="no answer in"):
        await client.head()
    assert time.monotonic() - started < 10


async def test_a_node_that_never_answers_ends_in_bounded_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    client = SapphireClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_s=0.2)
    started = time.monotonic()
    with pytest.raises(ChainUnavailable):
        await client.head()
    assert time.monotonic() - started < 10
    await client.close()
    server.close()


async def test_a_node_that_is_not_there_is_unavailable() -> None:
    client = SapphireClient("http://127.0.0.1:1", timeout_s=0.5)
    with pytest.raises(ChainUnavailable):
        await client.chain_id()
    await client.close()


async def test_the_url_is_asked_as_it_is_and_is_in_no_message() -> None:
    """Hosted nodes carry their key in the path; a slash more is another address to some."""
    asked = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(403, text="key k-12345 is not valid")

    client = SapphireClient("http://node.test/v1/k-12345", transport=httpx2.MockTransport(handle))
    with pytest.raises(ChainUnavailable) as refused:
        await client.head()
    assert asked == ["http://node.test/v1/k-12345"]
    assert "k-12345" not in str(refused.value)


async def test_a_cancelled_question_does_not_disturb_the_others() -> None:
    async def handle(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(0.05)
        return httpx2.Response(200, json=told(json.loads(request.content), result="0x5"))

    client = SapphireClient("http://node.test", transport=httpx2.MockTransport(handle))
    tasks = [asyncio.create_task(client.head()) for _ in range(20)]
    await asyncio.sleep(0.01)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[1::2] == [5] * 10
