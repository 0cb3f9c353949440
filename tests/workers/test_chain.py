"""The vault's watcher as a loop: one of many at a time, and another takes over."""

import asyncio

from deedbook.infra.database import Database
from deedbook.workers.chain import VaultWatcher
from tests.custody.support import CASH, DEPTH, House, open_house
from tests.support.vault_logs import deposited
from tests.support.waiting import eventually


async def test_what_arrives_is_credited_by_the_loop_and_goes_on_with_another(db: Database) -> None:
    house = await open_house(db)
    person = await house.person()
    first, second = VaultWatcher(house.resources, "first"), VaultWatcher(house.resources, "second")
    assert await first.step()
    assert not await second.step()
    stopping = asyncio.Event()
    running = asyncio.create_task(first.run(stopping))
    await credited(house, person.user_id, 5)
    stopping.set()
    await running
    stopping.clear()
    running = asyncio.create_task(second.run(stopping))
    await credited(house, person.user_id, 12)
    stopping.set()
    await running


async def credited(house: House, user_id: object, total: int) -> None:
    [person] = await house.rows("SELECT account FROM users WHERE user_id = $1", user_id)
    [held] = await house.rows(
        "SELECT COALESCE(sum(available), 0) AS units FROM user_balances WHERE user_id = $1", user_id
    )
    house.node.tell(deposited(person["account"], total - int(held["units"]), token=CASH))
    house.node.mine(1 + DEPTH)

    async def there() -> bool:
        rows = await house.rows(
            "SELECT sum(available) AS units FROM user_balances WHERE user_id = $1", user_id
        )
        return bool(rows[0]["units"] == total)

    await eventually(there, f"{total} units are credited")


async def test_the_loop_waits_while_there_is_no_vault(db: Database) -> None:
    house = await open_house(db)
    watcher = VaultWatcher(NoVault(house), "only")
    assert not await watcher.step()


class NoVault:
    """What the wiring hands over before the platform is founded."""

    def __init__(self, house: House) -> None:
        self.db, self.desk = house.db, house.desk

    async def lookout(self) -> None:
        return None
