"""A process dies at each step of what moves money, is started again, and the chain has done everything once: never
twice, never not at all (F-01 to F-04, F-08, F-11, for custody)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.infra.bullmq_client import connect
from tests.journeys.conftest import kill
from tests.support.counter import Asked, Counter, Person, somewhere
from tests.support.stack import ERRANDS, Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LANE = (
    "lane.beforeSign",
    "lane.afterSign",
    "lane.afterPersist",
    "lane.afterBroadcast",
    "lane.afterReceipt",
    "lane.beforeCommit",
)
_SENDING = ("afterClaim", "beforeSign", "afterRequest", "afterFinal", "beforeCommit")
WORKERS: dict[str, tuple[str, ...]] = {
    "process-withdrawal": tuple(f"withdraw.{place}" for place in _SENDING),
    "process-transfer": tuple(f"transfer.{place}" for place in _SENDING),
    "sync-blockchain": tuple(f"relay.{place}" for place in _SENDING),
    "mint-token": ("mint.afterClaim", "mint.beforeCommit", "mint.afterRequest", "mint.afterFinal"),
    "verify-compliance": ("registry.beforeCommit", "registry.afterRequest", "registry.afterFinal"),
}
WATCHER = ("watcher.afterRead", "watcher.beforeCommit", "watcher.afterCommit", "vault.beforeCommit")
API = ("database.beforeCommit", "database.afterCommit", "api.beforeReply")


class Round:
    """One of each: a withdrawal, a transfer, a relayed deposit, a mint, an identity. Alice begins with 1,000."""

    def __init__(self, counter: Counter, alice: Person, bob: Person) -> None:
        self.counter, self.alice, self.bob = counter, alice, bob
        self.asked: list[Asked] = []
        self.entered: list[Person] = []
        self.savers: list[Person] = []
        self.outside: list[Address] = []
        self.paid: list[bytes] = []

    @classmethod
    async def open(cls, counter: Counter) -> "Round":
        return cls(counter, await counter.person("1000"), await counter.person())

    async def go(self) -> None:
        """Ask for one of each; nobody waits."""
        counter, to, saver = self.counter, somewhere(), await self.counter.person()
        self.paid += await counter.pay(saver, "5")
        self.outside.append(to)
        self.savers.append(saver)
        self.asked += [
            await counter.withdraw(self.alice, "7", to),
            await counter.hand_over(self.alice, self.bob, "3"),
            await counter.relay(saver, "5"),
            await counter.mint("1"),
        ]
        self.entered.append(await counter.person(verified=True))

    async def pay_again(self) -> None:
        """The bank sends again what it had sent: the chain may have lost the newest of it."""
        node = self.counter.stack.node
        for raw in self.paid:
            await node.send(raw)
        hashes = ["0x" + keccak(raw).hex() for raw in self.paid]

        async def mined() -> bool:
            return len(await node.receipts(hashes)) == len(hashes)

        await eventually(mined, "what the bank has paid is mined")

    async def prove(self) -> None:
        """Once each, on the chain and in the books, to the last unit."""
        rounds, counter = len(self.outside), self.counter
        await counter.done_once(*self.asked, within_s=120)
        for person in self.entered:
            await counter.registered(person)
            assert (await counter.identity(person))[0] is True
        await counter.has(self.alice, counter.cash, str(1000 - 10 * rounds))
        await counter.has(self.bob, counter.cash, str(3 * rounds))
        for saver in self.savers:
            await counter.has(saver, counter.cash, "5")
        assert [await counter.in_wallet(to) for to in self.outside] == ["7"] * rounds
        await counter.stack.prove()


@pytest.fixture
async def round_(counter: Counter) -> Round:
    return await Round.open(counter)


async def test_all_is_done_once_when_the_lane_dies_at_each_step(stack: Stack, round_: Round) -> None:
    """Before signing, after signing, after storing, after broadcast, after the receipt, before its commit."""
    for point in LANE:
        await stack.run("lane", FAILPOINTS=f"{point}=kill:1")
        await round_.go()
        await stack.dies("lane")
    await stack.run("lane")
    await round_.prove()


async def test_all_is_done_once_when_its_worker_dies_at_each_step(stack: Stack, round_: Round) -> None:
    """Five workers at once, each over its own work; a successor waits for the dead one's locks at the end only."""
    await stack.dismiss("jobs")
    for number in range(len(_SENDING)):
        dying = {queue: points[number] for queue, points in WORKERS.items() if number < len(points)}
        await asyncio.gather(
            *(stack.run(queue, FAILPOINTS=f"{point}=kill:1") for queue, point in dying.items())
        )
        await round_.go()
        await asyncio.gather(*(stack.dies(queue) for queue in dying))
    await stack.dismiss(*ERRANDS)
    await stack.run("jobs")
    await round_.prove()


async def test_deposits_are_credited_once_when_the_watcher_dies_at_each_step(
    stack: Stack, counter: Counter
) -> None:
    """People bring money themselves, so that only the watcher has to do with it."""
    people = [await counter.person() for _ in WATCHER]
    await stack.dismiss("jobs")
    for person, point in zip(people, WATCHER, strict=True):
        await counter.pay(person, "11")
        await stack.run("lane", FAILPOINTS=f"{point}=kill:1")
        await counter.bring(person, "11")
        await stack.dies("lane")
    await stack.run("lane")
    await stack.run("jobs")
    for person in people:
        await counter.has(person, counter.cash, "11")
    await stack.prove()


async def test_a_withdrawal_is_taken_once_when_the_api_dies_around_its_commit(
    stack: Stack, counter: Counter
) -> None:
    """The sender heard nothing, and sends again with the same key (F-01); without a key the repetition is told
    which one it repeats."""
    person, outside = await counter.person("100"), [somewhere() for _ in API]
    for point, to in zip(API, outside, strict=True):
        body = counter.withdrawal(person, "10", to)
        await stack.run("api", FAILPOINTS=f"{point}=kill:1")
        going = asyncio.create_task(counter.ask("withdrawals", "/withdrawals", person, body))
        await stack.dies("api")
        await stack.run("api")
        asked = await going
        await counter.done_once(asked)
        headers = {"Authorization": f"Bearer {stack.tokens[person.wallet]}"}
        again = await stack.http.post("/withdrawals", headers=headers, json=body)
        assert (again.status_code, again.json()["firstId"]) == (409, asked.id_)
    await counter.has(person, counter.cash, "70")
    assert [await counter.in_wallet(to) for to in outside] == ["10"] * len(API)
    await stack.prove()


# Servers


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    client = connect(stack.valkey.url(), timeout_s=2)
    yield client
    await client.aclose()


async def test_all_is_done_once_when_servers_are_killed_in_the_middle(
    stack: Stack, round_: Round, redis: Redis
) -> None:
    """Redis emptied and killed, PostgreSQL, the chain with its newest second: nobody is started again by hand."""
    await round_.go()
    await redis.flushall()
    await round_.go()
    await kill(stack.postgres)
    await stack.postgres.start()
    await round_.go()
    await kill(stack.valkey)
    await asyncio.sleep(0.5)
    await stack.valkey.start()
    await round_.go()
    await asyncio.sleep(0.7)
    await kill(stack.anvil)
    await stack.anvil.start()
    await round_.pay_again()
    await round_.go()
    await round_.prove()
    assert all(part.poll() is None for part in stack.parts.values()), "no process died of it"


async def test_all_is_done_once_when_every_process_is_killed_in_the_middle(
    stack: Stack, round_: Round
) -> None:
    for wait_s in (0.2, 0.9, 1.7):
        await round_.go()
        await asyncio.sleep(wait_s)
        for name in stack.parts:
            stack.kill(name)
        await asyncio.gather(*(stack.dies(name) for name in stack.parts))
        await stack.all_run()
    await round_.prove()
