"""Trades on a real chain: each settles exactly once whatever dies, one that never can fails alone, and proceeds leave
the vault when they have come (F-03, F-08, F-11, F-12, for settlement)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from deedbook.chain.vault import reference_of
from deedbook.identity import keccak
from deedbook.infra.bullmq_client import connect
from deedbook.kernel.ids import parse_uuid
from tests.journeys.conftest import kill
from tests.journeys.test_order_crashes import Floor
from tests.support.counter import Counter, Person
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETTLING = (
    "settle.afterClaim",
    "settle.beforeSign",
    "settle.afterRequest",
    "settle.afterFinal",
    "settle.beforeCommit",
    "settle.beforeSettled",
)
QUEUE = "execute-blockchain-settlement"
SETTLED = keccak(
    b"TradeSettled(bytes32,bytes32,bytes32,"
    b"(address,address,address,address,address,uint256,uint256,uint256,uint256,uint8))"
)


@pytest.fixture
async def floor(counter: Counter) -> AsyncIterator[Floor]:
    opened = await Floor.open(counter)
    yield opened
    await counter.stack.dismiss(QUEUE)


async def trade(floor: Floor, buyer: Person | None = None) -> None:
    """The issuer sells one deed at ten dollars."""
    buyer, issuer = buyer or floor.buyer, floor.counter.issuer
    await floor.place(issuer, floor.order(issuer, "SELL"))
    await floor.filled(buyer, await floor.place(buyer, floor.order(buyer, "BUY")))


async def trades_of(floor: Floor, buyer: Person) -> list[dict[str, Any]]:
    path = f"/trading/users/{buyer.user_id}/trades"
    page = await floor.counter.stack.call("GET", path, who=buyer.wallet, params={"limit": 200})
    found: list[dict[str, Any]] = page["data"]
    return found


async def times_settled(floor: Floor, trade_id: str) -> int:
    """How often the contract itself says that it has settled it."""
    told = parse_uuid(trade_id)
    assert told is not None
    wanted = {
        "address": floor.counter.domain.verifying_contract,
        "fromBlock": "0x0",
        "toBlock": "latest",
        "topics": ["0x" + SETTLED.hex(), "0x" + reference_of(told).hex()],
    }
    logs = await floor.counter.stack.anvil.rpc("eth_getLogs", wanted)
    assert isinstance(logs, list)
    return len(logs)


async def prove_settled(floor: Floor, number: int, buyer: Person | None = None) -> None:
    """So many trades of the buyer, each settled once by the chain's own word, and the vault is the ledger."""
    buyer = buyer or floor.buyer

    async def all_settled() -> bool:
        found = await trades_of(floor, buyer)
        return len(found) == number and {one["settlementStatus"] for one in found} == {"SETTLED"}

    await eventually(all_settled, f"{number} trades are settled", within_s=120, every_s=0.2)
    found = await trades_of(floor, buyer)
    assert [await times_settled(floor, one["id"]) for one in found] == [1] * number
    assert all(one["txHash"] for one in found)
    await floor.counter.stack.prove()


async def test_trades_settle_once_when_their_worker_dies_at_each_step(stack: Stack, floor: Floor) -> None:
    """One after the other; a successor waits for the dead one's lease."""
    await stack.dismiss("jobs")
    for point in SETTLING:
        await trade(floor)
        await stack.run(QUEUE, FAILPOINTS=f"{point}=kill:1")
        await stack.dies(QUEUE)
    await stack.dismiss(QUEUE)
    await stack.run("jobs")
    await prove_settled(floor, len(SETTLING))


async def test_trades_settle_once_when_the_lane_dies_under_them(stack: Stack, floor: Floor) -> None:
    for point in ("lane.afterPersist", "lane.afterBroadcast", "lane.afterReceipt"):
        await stack.run("lane", FAILPOINTS=f"{point}=kill:1")
        await trade(floor)
        await stack.dies("lane")
    await stack.run("lane")
    await prove_settled(floor, 3)


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    client = connect(stack.valkey.url(), timeout_s=2)
    yield client
    await client.aclose()


async def test_trades_settle_once_when_servers_are_killed_in_the_middle(
    stack: Stack, floor: Floor, redis: Redis
) -> None:
    """Redis emptied, PostgreSQL, and the chain with its newest second: as a reorganization does."""
    await trade(floor)
    await redis.flushall()
    await trade(floor)
    await kill(stack.postgres)
    await stack.postgres.start()
    await trade(floor)
    await asyncio.sleep(0.7)
    await kill(stack.anvil)
    await trade(floor)
    await stack.anvil.start()
    await trade(floor)
    await prove_settled(floor, 5)


async def test_ninety_nine_settle_and_one_fails_when_its_buyer_was_frozen_after_the_match(
    stack: Stack, floor: Floor
) -> None:
    counter, issuer = floor.counter, floor.counter.issuer
    frozen = await counter.person("100", verified=True)
    await counter.registered(frozen)
    await stack.dismiss("jobs")
    sells = [await floor.place(issuer, floor.order(issuer, "SELL")) for _ in range(100)]
    for number in range(100):
        who = frozen if number == 50 else floor.buyer
        last = await floor.place(who, floor.order(who, "BUY"))
    await floor.filled(floor.buyer, last)
    assert len(set(sells)) == 100
    await counter.decide(f"/compliance/{frozen.user_id}/freeze", {"reason": "by order of a court"})
    await stack.run("verify-compliance")
    await counter.registered(frozen)
    await stack.dismiss("verify-compliance")
    await stack.run("jobs")
    await prove_settled(floor, 99)
    [failed] = await trades_of(floor, frozen)
    assert (failed["settlementStatus"], failed["txHash"]) == ("FAILED", None)
    told = await stack.call("GET", f"/trading/trades/{failed['id']}/settlement", who=frozen.wallet)
    assert told["reason"] in ("receiver_frozen", "sender_frozen")
    assert await times_settled(floor, failed["id"]) == 0
    deeds, dollars = await counter.balance(frozen, counter.listing.symbol), await counter.balance(frozen)
    assert (deeds["total"], dollars["available"], dollars["locked"]) == ("0", "100", "0")
    assert await counter.in_vault(frozen, counter.cash) == 100 * 10**6
    await stack.prove()


async def test_proceeds_leave_the_vault_when_their_trades_have_settled(stack: Stack, floor: Floor) -> None:
    counter = floor.counter
    await stack.dismiss("jobs")
    await trade(floor)
    before = await counter.balance(counter.issuer)
    asked = await counter.withdraw(counter.issuer, before["available"])
    await stack.run("process-withdrawal")
    await asyncio.sleep(2)
    assert (await counter.seen(asked))["status"] in ("APPROVED", "PENDING_APPROVAL")
    await stack.dismiss("process-withdrawal")
    await stack.run("jobs")
    await counter.done_once(asked, within_s=120)
    await prove_settled(floor, 1)
