"""The chain takes back, drops and replaces, the node hangs, breaks off and lies: nothing is credited or paid twice,
nothing is lost without a word (F-12 to F-14, for custody)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.journeys.conftest import DEPTH, Hand
from tests.support.counter import Asked, Counter, Person, somewhere
from tests.support.fault_proxy import Direction, FaultProxy
from tests.support.sapphire_proxy import SapphireProxy
from tests.support.stack import PATIENCE_S, Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def watcher(counter: Counter) -> dict[str, Any]:
    """What operators see of the watcher."""
    told: dict[str, Any] = await counter.stack.call("GET", "/admin/chain/watcher", who=counter.stack.officer)
    return told


async def read_up_to_the_head(counter: Counter, hand: Hand) -> None:
    async def has() -> bool:
        return bool((await watcher(counter))["blockNumber"] == await hand.head())

    await eventually(has, "the watcher has read all", within_s=PATIENCE_S, every_s=0.1)


async def available(counter: Counter, person: Person) -> str:
    return str((await counter.balance(person))["available"])


# The chain takes back


@pytest.mark.parametrize("depth", range(1, DEPTH + 2))
async def test_a_deposit_is_credited_once_when_the_chain_takes_back(
    counter: Counter, hand: Hand, depth: int
) -> None:
    """F-14. Blocks of less than the depth have had no effect. Beyond it the watcher stops and says so, writes
    nothing away, and goes on when the chain has the deposit again."""
    person = await _with_dollars(counter, hand, "10")
    kept = await hand.keep()
    raws = await counter.bring(person, "10", wait=False)
    await hand.mine(depth)
    await read_up_to_the_head(counter, hand)
    credited = depth >= DEPTH
    if credited:
        await counter.has(person, counter.cash, "10")
    assert await available(counter, person) == ("10" if credited else "0")
    await hand.take_back(kept)
    await hand.mine(depth + 1)
    if credited:
        await eventually(lambda: _stopped(counter), "the watcher stops", within_s=PATIENCE_S, every_s=0.1)
        assert await available(counter, person) == "10", "nothing is rewritten by itself"
    else:
        await read_up_to_the_head(counter, hand)
        await hand.mine(DEPTH + 2)
        await read_up_to_the_head(counter, hand)
        assert await available(counter, person) == "0"
    await hand.send(raws)
    await hand.mine(DEPTH + 2)
    await counter.has(person, counter.cash, "10")
    await read_up_to_the_head(counter, hand)
    assert (await watcher(counter))["stoppedReason"] is None
    async with hand.going():
        await counter.stack.prove()


async def _with_dollars(counter: Counter, hand: Hand, dollars: str) -> Person:
    async with hand.going():
        person = await counter.person()
        await counter.pay(person, dollars)
    return person


async def _stopped(counter: Counter) -> bool:
    reason = (await watcher(counter))["stoppedReason"]
    return reason is not None and "took back" in reason


@pytest.mark.parametrize("depth", [1, DEPTH - 1, DEPTH + 3])
async def test_a_withdrawal_is_paid_once_when_the_chain_takes_back(
    counter: Counter, hand: Hand, depth: int
) -> None:
    """The lane sends the same bytes again, also when it had called them final."""
    async with hand.going():
        person, to = await counter.person("10"), somewhere()
    kept = await hand.keep()
    asked = await counter.withdraw(person, "10", to)
    await _in_the_pool(counter)
    await hand.mine(depth)
    await read_up_to_the_head(counter, hand)
    if depth >= DEPTH:
        await counter.stands(asked, "COMPLETED")
    await hand.take_back(kept)
    assert await counter.times(asked) == 0
    await hand.mine(depth + 1)
    if depth >= DEPTH:
        await eventually(lambda: _stopped(counter), "the watcher stops", within_s=PATIENCE_S, every_s=0.1)
    async with hand.going():

        async def paid_again() -> bool:
            return await counter.times(asked) == 1 and (await watcher(counter))["stoppedReason"] is None

        await eventually(paid_again, "it is paid, and seen", within_s=PATIENCE_S, every_s=0.1)
        await counter.done_once(asked)
        await counter.stack.prove()
    assert await counter.in_wallet(to) == "10"


async def _in_the_pool(counter: Counter, least: int = 1) -> None:
    async def is_there() -> bool:
        status: Any = await counter.stack.anvil.rpc("txpool_status")
        return int(status["pending"], 16) >= least

    await eventually(is_there, "the transaction waits at the node", within_s=PATIENCE_S, every_s=0.05)


async def test_a_withdrawal_is_paid_once_when_its_transaction_is_dropped_and_replaced(
    counter: Counter, hand: Hand
) -> None:
    """F-13: dropped, it is sent again; stuck for long, it is replaced under the same nonce. One of them is mined."""
    async with hand.going():
        person, to = await counter.person("10"), somewhere()
    asked = await counter.withdraw(person, "10", to)
    await _in_the_pool(counter)
    await counter.stack.anvil.rpc("anvil_dropAllTransactions")
    await _in_the_pool(counter)
    first = await _pending(counter)

    async def replaced() -> bool:
        return await _pending(counter) not in (first, set())

    await eventually(replaced, "another transaction takes its place", within_s=PATIENCE_S, every_s=0.5)
    assert (await counter.balance(person))["locked"] == "10", "nothing is given back meanwhile"
    async with hand.going():
        await counter.done_once(asked)
        await counter.stack.prove()
    assert await counter.in_wallet(to) == "10"


async def _pending(counter: Counter) -> set[str]:
    content: Any = await counter.stack.anvil.rpc("txpool_content")
    return {tx["hash"] for of_sender in content["pending"].values() for tx in of_sender.values()}


# The network between us and the node


async def _both(counter: Counter) -> tuple[Asked, Person, Person]:
    """A withdrawal under way, and one's own deposit as well."""
    payer, saver = await counter.person("10"), await counter.person()
    await counter.pay(saver, "10")
    return await counter.withdraw(payer, "10", somewhere()), payer, saver


async def _all_once(counter: Counter, asked: Asked, payer: Person, saver: Person) -> None:
    await counter.done_once(asked)
    await counter.has(payer, counter.cash, "0")
    await counter.has(saver, counter.cash, "10")
    await counter.stack.prove()


async def test_a_payment_is_made_once_when_nobody_hears_that_it_was_sent(
    counter: Counter, line: FaultProxy
) -> None:
    """The node has taken it, and its answer is lost: an ambiguous broadcast."""
    line.abort_when(Direction.TO_SERVER, b"eth_sendRawTransaction", deliver=True)
    asked, payer, saver = await _both(counter)
    await counter.bring(saver, "10")
    await _all_once(counter, asked, payer, saver)


@pytest.mark.parametrize("fault", ["hangs", "refuses", "breaks off", "is slow"])
async def test_all_is_done_once_when_the_node(counter: Counter, line: FaultProxy, fault: str) -> None:
    """F-12. What users do meanwhile is taken in, and carried out when the node answers again."""
    asked, payer, saver = await _both(counter)
    await asyncio.sleep(0.3)
    match fault:
        case "hangs":
            line.swallow()
        case "refuses":
            line.refuse()
            line.cut()
        case "is slow":
            line.delay(0.2)
    await counter.bring(saver, "10")
    for _ in range(6):
        if fault == "breaks off":
            line.cut()
        await asyncio.sleep(0.5)
    line.heal()
    await _all_once(counter, asked, payer, saver)


# A node that lies

Answer = dict[str, Any]
Lie = Callable[[str, Answer], Answer]


class Liar(SapphireProxy):
    """A gateway whose answers are changed on the way while it has a lie to tell."""

    lie: Lie | None = None
    told = 0

    async def _upstream(self, method: str, params: list[Any]) -> Answer:
        answer = await super()._upstream(method, params)
        if self.lie is None or "result" not in answer:
            return answer
        changed = self.lie(method, answer)
        self.told += changed != answer
        return changed


def _of(method: str, change: Callable[[Any], Any]) -> Lie:
    return lambda asked, answer: {"result": change(answer["result"])} if asked == method else answer


LIES: dict[str, Lie] = {
    "a head that is not there": _of("eth_blockNumber", lambda head: hex(int(head, 16) + 1000)),
    "a head that goes back": _of("eth_blockNumber", lambda head: hex(int(head, 16) - 30)),
    "no receipts": _of("eth_getTransactionReceipt", lambda _: None),
    "no such block": _of("eth_getBlockByNumber", lambda _: None),
    "blocks of another chain": _of(
        "eth_getBlockByNumber", lambda block: block and {**block, "hash": "0x" + "77" * 32}
    ),
    "every log twice": _of("eth_getLogs", lambda logs: [*logs, *logs]),
    "logs of another contract": _of(
        "eth_getLogs", lambda logs: [{**log, "address": "0x" + "99" * 20} for log in logs]
    ),
    "more money": _of("eth_getLogs", lambda logs: [{**log, "data": "0x" + "77" * 32} for log in logs]),
    "words": _of("eth_getLogs", lambda _: "no logs today"),
}


@pytest.fixture
async def liar(stack: Stack) -> AsyncIterator[Liar]:
    async with Liar(stack.anvil.url) as proxy:
        await asyncio.gather(*(stack.run(name, SAPPHIRE_RPC_URL=proxy.url) for name in ("lane", "jobs")))
        yield proxy
        await stack.run("lane")
        await stack.run("jobs")


async def test_all_is_done_once_when_the_node_has_lied(counter: Counter, liar: Liar) -> None:
    """Each lie lasts for a while, in the middle of a withdrawal and a deposit; nothing wrong is ever written."""
    done = []
    for name, lie in LIES.items():
        asked, payer, saver = await _both(counter)
        liar.told, liar.lie = 0, lie
        await counter.bring(saver, "10")

        async def lied() -> bool:
            return liar.told > 0

        await eventually(lied, f"the node tells of {name}", within_s=PATIENCE_S)
        await asyncio.sleep(1.2)
        assert await available(counter, saver) in ("0", "10"), name
        liar.lie = None
        done.append((asked, payer, saver))
    for asked, payer, saver in done:
        await counter.done_once(asked)
        await counter.has(payer, counter.cash, "0")
        await counter.has(saver, counter.cash, "10")
    await counter.stack.prove()


async def test_a_payment_that_the_node_calls_undone_is_taken_from_the_books_when_the_vault_tells_of_it(
    counter: Counter, liar: Liar
) -> None:
    """The worst lie: what is held is given back, though the money has left. The vault's own event takes it again,
    people are told, and the vault pays out to nobody more than it keeps for them."""
    person, to = await counter.person("10"), somewhere()
    liar.lie = _of("eth_getTransactionReceipt", lambda receipt: receipt and {**receipt, "status": "0x0"})
    asked = await counter.withdraw(person, "10", to)
    await counter.stands(asked, "FAILED")
    liar.lie = None
    await counter.has(person, counter.cash, "0")
    assert (await counter.times(asked), await counter.in_wallet(to)) == (1, "10")
    headers = {"Authorization": f"Bearer {counter.stack.tokens[person.wallet]}"}
    again = counter.withdrawal(person, "10", to)
    refused = await counter.stack.http.post("/withdrawals", headers=headers, json=again)
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_funds")
    wanted = {"action": "custody.claim_raised"}
    told = await counter.stack.call("GET", "/admin/audit", who=counter.stack.officer, params=wanted)
    assert told["data"], "people are told"
    await counter.stack.prove()


async def test_a_deposit_that_the_node_kept_back_is_reported_and_found_by_a_second_look(
    counter: Counter, liar: Liar
) -> None:
    """Logs that are left out leave no trace: reconciliation shows the difference, and a rescan brings them."""
    saver = await counter.person()
    await counter.pay(saver, "10")
    liar.lie = _of("eth_getLogs", lambda _: [])
    first = (await watcher(counter))["blockNumber"]
    await counter.bring(saver, "10")
    brought = await counter.stack.node.head()

    async def passed() -> bool:
        return bool((await watcher(counter))["blockNumber"] > brought + DEPTH)

    await eventually(passed, "the watcher has passed it", within_s=PATIENCE_S, every_s=0.1)
    liar.lie = None
    assert await available(counter, saver) == "0"
    run = await _compared(counter)
    assert run["exact"] is False
    assert any(int(found["chain"]) - int(found["ledger"]) == 10_000_000 for found in run["breaks"]), run
    body = {"fromBlock": first, "toBlock": brought}
    await counter.stack.call("POST", "/admin/chain/rescan", status=202, who=counter.stack.officer, json=body)
    await counter.has(saver, counter.cash, "10")
    assert (await _compared(counter))["exact"] is True
    await counter.stack.prove()


async def _compared(counter: Counter) -> dict[str, Any]:
    """A reconciliation that began now."""
    call, officer = counter.stack.call, counter.stack.officer
    since = (await call("GET", "/time"))["serverTime"]
    await call("POST", "/admin/reconciliation/run", status=202, who=officer, json={})

    async def newest() -> dict[str, Any] | None:
        runs = (await call("GET", "/admin/reconciliation", who=officer))["data"]
        return runs[0] if runs and runs[0]["createdAt"] > since else None

    found = await eventually(newest, "the reconciliation", within_s=PATIENCE_S, every_s=0.1)
    assert found is not None
    return found
