"""Reconciliation over HTTP: runs are shown by pages, and operators may ask for one."""

from uuid import uuid4

import orjson

from deedbook.custody.terms import RECONCILE_NOW
from deedbook.identity import Role
from tests.support.facts import count
from tests.support.world import World

PATH = "/admin/reconciliation"


async def add_run(world: World, block: int, *breaks: dict[str, str]) -> None:
    token = {"symbol": "USDC", "token": "0x" + "c0" * 20, "held": "5", "suspense": "0", "owed": "5", "inFlight": "0",
             "vaultOwes": "5", "vaultHolds": str(10**30)}  # fmt: skip
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO reconciliation_runs (run_id, chain_id, block_number, exact, tokens, breaks, accounts, "
            "seen_tx_id) VALUES ($1, 31337, $2, $3, $4, $5, 3, '1')",
            uuid4(),
            block,
            not breaks,
            orjson.dumps([token]).decode(),
            orjson.dumps(breaks).decode(),
        )


async def test_runs_are_shown_newest_first_when_they_are_read_by_pages(world: World) -> None:
    officer = await world.user(Role.COMPLIANCE)
    broken = {
        "token": "0x" + "c0" * 20,
        "account": "",
        "ledger": "5",
        "chain": "6",
        "difference": "1",
        "explanation": "x",
    }
    for block in range(5):
        await add_run(world, block, *([broken] if block == 4 else []))
    seen, cursor = [], None
    while True:
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await world.http.get(PATH, params=asked, headers=officer.headers)).json()
        seen += page["data"]
        if (cursor := page["nextCursor"]) is None:
            break
    assert [run["blockNumber"] for run in seen] == [4, 3, 2, 1, 0]
    assert (seen[0]["exact"], seen[0]["breaks"], seen[1]["exact"]) == (False, [broken], True)
    assert seen[0]["tokens"][0]["vaultHolds"] == str(10**30)


async def test_job_is_asked_for_once_when_an_operator_asks_twice_with_one_key(world: World) -> None:
    operator = await world.user(Role.OPERATOR)
    key = {"Idempotency-Key": str(uuid4())}
    first, second = [await world.post(f"{PATH}/run", operator, **key) for _ in range(2)]
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert await count(world.db, "jobs", "name = $1", RECONCILE_NOW.name) == 1
    assert await count(world.db, "events", "event_type = 'reconciliation.requested'") == 1


async def test_run_is_refused_when_it_is_not_an_operator_who_asks(world: World) -> None:
    for role, status in ((Role.COMPLIANCE, 403), (Role.INVESTOR, 403), (Role.ADMIN, 202)):
        assert (await world.post(f"{PATH}/run", await world.user(role))).status_code == status
    investor = await world.user(Role.INVESTOR)
    assert (await world.http.get(PATH, headers=investor.headers)).status_code == 403
