"""The watcher: every event once, on the chain as it is now, from nodes that reorganize, fail and lie."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deedbook.chain import watch_store as store
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.terms import Log
from deedbook.chain.watcher import Watch, rescan, scan
from deedbook.infra.database import Database
from deedbook.infra.failpoints import FailpointHit
from tests.chain.support import armed
from tests.support.fake_chain import CHAIN_ID, FakeChain, Told
from tests.support.vault_logs import ALICE, BOB, MOVES, VAULT, decode, deposited

WATCH = Watch(CHAIN_ID, VAULT, decode, 0)
DEPTH = 4
"""Events of our tests have their effect when so many blocks are above them."""


async def drain(db: Database, node: FakeChain, watch: Watch = WATCH) -> None:
    for _ in range(50):
        if not await scan(db, node, watch):
            return
    raise AssertionError("the watcher finds no end")


async def events(db: Database) -> list[dict[str, Any]]:
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT tx_hash, ordinal, block_number, block_hash, log_index, args, orphaned, processed "
            "FROM blockchain_events ORDER BY position"
        )
    return [dict(row) for row in rows]


async def standing(db: Database) -> list[tuple[str, int, int]]:
    """Account, amount and block of what is not orphaned."""
    return [
        (row["args"]["account"], int(row["args"]["amount"]), row["block_number"])
        for row in await events(db)
        if not row["orphaned"]
    ]


async def have_effect(db: Database) -> None:
    """What is deep enough has its effect, as room custody does it."""
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE blockchain_events SET processed = true FROM chain_cursors c "
            "WHERE NOT orphaned AND blockchain_events.block_number <= c.block_number - $1",
            DEPTH,
        )


async def cursor(db: Database) -> store.Cursor:
    found = await store.cursor(db, CHAIN_ID)
    assert found is not None
    return found


async def test_events_are_written_once_in_order_with_their_place(db: Database, node: FakeChain) -> None:
    node.mine(3)
    stranger = node.tell(
        Told(BOB, (MOVES,)), deposited(ALICE, 5), Told(VAULT, (b"\7" * 32,)), deposited(BOB, 6)
    )
    node.mine(2)
    await drain(db, node)
    await drain(db, node)
    found = await events(db)
    assert [(row["tx_hash"], row["ordinal"], row["log_index"]) for row in found] == [
        (stranger, 1, 1),
        (stranger, 3, 3),
    ]
    assert await standing(db) == [(ALICE, 5, 4), (BOB, 6, 4)]
    assert (await cursor(db)).block_number == 5


async def test_a_long_history_is_read_in_pages_from_the_deployment_on(db: Database, node: FakeChain) -> None:
    node.tell(deposited(ALICE, 1))
    node.mine(60)
    node.tell(deposited(ALICE, 2))
    node.mine(250)
    await drain(db, node, replace(WATCH, first_block=50))
    assert await standing(db) == [(ALICE, 2, 61)]
    assert (await cursor(db)).block_number == 310


async def test_nothing_is_written_when_nothing_is_new(db: Database, node: FakeChain) -> None:
    node.mine(2)
    await drain(db, node)
    before = await cursor(db)
    assert not await scan(db, node, WATCH)
    assert await cursor(db) == before


@pytest.mark.parametrize("depth", [1, DEPTH - 1, DEPTH])
async def test_a_reorganization_within_the_depth_leaves_each_event_once(
    db: Database, node: FakeChain, depth: int
) -> None:
    node.tell(deposited(ALICE, 1))
    node.mine(3)
    for number in range(DEPTH):
        node.tell(deposited(BOB, 10 + number))
        node.mine()
    await drain(db, node)
    await have_effect(db)
    node.reorganize(depth)
    await drain(db, node)
    assert len(await standing(db)) == 1 + DEPTH - depth
    node.mine()
    await drain(db, node)
    assert sorted(amount for _, amount, _ in await standing(db)) == [1, 10, 11, 12, 13]
    assert len(await events(db)) == 5
    canonical = {block.number: block.block_hash for block in node.blocks}
    assert all(row["block_hash"] == canonical[row["block_number"]] for row in await events(db))


async def test_an_event_in_another_place_of_its_block_is_the_same_event(
    db: Database, node: FakeChain
) -> None:
    first, second = node.tell(deposited(ALICE, 1)), node.tell(deposited(BOB, 2))
    node.mine()
    await drain(db, node)
    assert [row["log_index"] for row in await events(db)] == [0, 1]
    held = node.pool
    node.reorganize(1)
    late = {place: held.pop(place) for place in list(held) if held[place].tx_hash == first}
    node.mine()
    held.update(late)
    node.mine()
    await drain(db, node)
    assert sorted((row["tx_hash"], row["ordinal"], row["log_index"]) for row in await events(db)) == sorted(
        [(first, 0, 0), (second, 0, 0)]
    )
    assert await standing(db) == [(ALICE, 1, 3), (BOB, 2, 2)]


async def test_an_event_that_never_comes_back_stays_aside(db: Database, node: FakeChain) -> None:
    node.mine(2)
    node.tell(deposited())
    node.mine()
    await drain(db, node)
    node.reorganize(1, keep=False)
    node.mine(10)
    await drain(db, node)
    assert await standing(db) == []
    assert [row["orphaned"] for row in await events(db)] == [True]


async def test_a_reorganization_beyond_the_depth_stops_and_rewrites_nothing(
    db: Database, node: FakeChain
) -> None:
    node.mine()
    node.tell(deposited(ALICE, 1))
    node.mine(1 + DEPTH)
    await drain(db, node)
    await have_effect(db)
    before = await events(db)
    assert [row["processed"] for row in before] == [True]
    node.reorganize(DEPTH + 1, keep=False)
    node.mine()
    seen = await cursor(db)
    assert not await scan(db, node, WATCH)
    stopped = await cursor(db)
    assert stopped.stopped_reason is not None and "took back 1 events" in stopped.stopped_reason
    assert (stopped.block_number, stopped.block_hash) == (seen.block_number, seen.block_hash)
    assert await events(db) == before
    assert not await scan(db, node, WATCH)


async def test_the_watcher_goes_on_when_the_chain_has_again_what_it_took_back(
    db: Database, node: FakeChain
) -> None:
    node.mine()
    node.tell(deposited(ALICE, 1))
    node.mine(1 + DEPTH)
    await drain(db, node)
    await have_effect(db)
    node.reorganize(DEPTH + 1)
    assert not await scan(db, node, WATCH)
    node.mine(2)
    await drain(db, node)
    assert (await cursor(db)).stopped_reason is None
    [event] = await events(db)
    assert (event["processed"], event["block_number"]) == (True, 2 + DEPTH + 1)


async def test_an_event_of_other_content_is_not_the_one_that_had_its_effect(
    db: Database, node: FakeChain
) -> None:
    node.mine()
    tx_hash = node.tell(deposited(ALICE, 1))
    node.mine(1 + DEPTH)
    await drain(db, node)
    await have_effect(db)
    node.reorganize(DEPTH + 1)
    node.told[tx_hash] = (deposited(ALICE, 2),)
    node.mine()
    assert not await scan(db, node, WATCH)
    assert (await cursor(db)).stopped_reason is not None
    assert await standing(db) == [(ALICE, 1, 2)]


# Nodes that fail and lie


def another_block(logs: list[Log]) -> list[Log]:
    return [replace(log, block_hash="0x" + "99" * 32) for log in logs]


LIES: dict[str, Callable[[FakeChain], None]] = {
    "a head that is not there": lambda node: setattr(node, "head_lie", 3),
    "a head that goes back": lambda node: setattr(node, "head_lie", -3),
    "another hash for every block": lambda node: setattr(node, "block_lie", "0x" + "77" * 32),
    "no receipts": lambda node: node.hidden_receipts.update(node.told),
    "a log of another contract": lambda node: setattr(
        node, "change_logs", lambda logs: [replace(log, address=BOB) for log in logs]
    ),
    "a log of another block": lambda node: setattr(node, "change_logs", another_block),
    "a log outside the page": lambda node: setattr(
        node, "change_logs", lambda logs: [replace(log, block_number=999) for log in logs]
    ),
    "a log twice": lambda node: setattr(node, "change_logs", lambda logs: logs + logs),
    "a log with more money": lambda node: setattr(
        node, "change_logs", lambda logs: [replace(log, data=deposited(ALICE, 9).data) for log in logs]
    ),
    "a log left out": lambda node: setattr(node, "change_logs", lambda logs: logs[:1]),
    "a log that is none of the vault's": lambda node: setattr(
        node, "told", {tx_hash: (Told(VAULT, (MOVES,), b"?"),) for tx_hash in node.told}
    ),
    "a receipt of another block": lambda node: setattr(
        node, "change_receipt", lambda receipt: replace(receipt, block_hash="0x" + "66" * 32)
    ),
    "a receipt of a failure": lambda node: setattr(
        node, "change_receipt", lambda receipt: replace(receipt, succeeded=False)
    ),
    "a receipt without its logs": lambda node: setattr(
        node, "change_receipt", lambda receipt: replace(receipt, logs=())
    ),
    "nothing at all": lambda node: setattr(node, "down", True),
    "nothing at the second question": lambda node: setattr(node, "fail_calls", 1),
}


@pytest.mark.parametrize("lie", LIES)
async def test_nothing_is_written_when_the_node_lies_or_fails(
    db: Database, node: FakeChain, lie: str
) -> None:
    node.mine(5)
    await drain(db, node)
    before = await cursor(db)
    node.tell(deposited(ALICE, 1), deposited(BOB, 2))
    node.mine()
    honest = dict(node.told)
    LIES[lie](node)
    with pytest.raises(ChainUnavailable):
        await scan(db, node, WATCH)
    assert (await events(db), await cursor(db)) == ([], before)
    node.heal()
    node.block_lie, node.told = None, honest
    await drain(db, node)
    assert await standing(db) == [(ALICE, 1, 6), (BOB, 2, 6)]


async def test_a_chain_that_shares_no_block_is_not_followed(db: Database, node: FakeChain) -> None:
    node.mine(5)
    await drain(db, node)
    other = FakeChain()
    other.rewind(1)
    other.blocks.append(replace(node.blocks[0], block_hash="0x" + "55" * 32))
    other.mine(8)
    with pytest.raises(ChainUnavailable, match="has none of"):
        await scan(db, other, WATCH)


async def test_a_page_that_changes_while_it_is_read_is_read_again(db: Database, node: FakeChain) -> None:
    node.mine(3)
    await drain(db, node)
    node.tell(deposited(ALICE, 1))
    node.mine()

    def meanwhile(logs: list[Log]) -> list[Log]:
        node.change_logs = lambda found: found
        node.reorganize(1)
        node.mine()
        return logs

    node.change_logs = meanwhile
    with pytest.raises(ChainUnavailable):
        await scan(db, node, WATCH)
    await drain(db, node)
    assert await standing(db) == [(ALICE, 1, 5)]


# Many and interrupted


async def test_many_watchers_write_each_event_once(db: Database, node: FakeChain) -> None:
    for number in range(12):
        node.tell(deposited(ALICE, number + 1))
        node.mine(30)
    await asyncio.gather(*[drain(db, node) for _ in range(6)])
    assert sorted(amount for _, amount, _ in await standing(db)) == list(range(1, 13))
    assert (await cursor(db)).block_number == 360


@pytest.mark.parametrize("place", ["watcher.afterRead", "watcher.beforeCommit", "database.afterCommit"])
async def test_an_interrupted_step_loses_and_doubles_nothing(
    db: Database, node: FakeChain, place: str
) -> None:
    node.mine(2)
    await drain(db, node)
    node.tell(deposited(ALICE, 1))
    node.mine()
    with armed(f"{place}=raise:1"), pytest.raises(FailpointHit):
        await scan(db, node, WATCH)
    await drain(db, node)
    assert await standing(db) == [(ALICE, 1, 3)]


async def test_a_second_look_finds_what_a_node_left_out(db: Database, node: FakeChain) -> None:
    node.mine(2)
    node.tell(deposited(ALICE, 1))
    node.mine(120)
    node.change_logs = lambda logs: []
    await drain(db, node)
    assert await events(db) == []
    node.heal()
    assert await rescan(db, node, WATCH, 1, 10_000_000) == 1
    assert await rescan(db, node, WATCH, 1, 10_000_000) == 0
    assert await standing(db) == [(ALICE, 1, 3)]


async def test_a_second_look_changes_nothing_of_what_had_its_effect(db: Database, node: FakeChain) -> None:
    node.tell(deposited(ALICE, 1))
    node.mine(10)
    await drain(db, node)
    await have_effect(db)
    before = await events(db)
    assert await rescan(db, node, WATCH, 0, 10) == 0
    assert await events(db) == before
