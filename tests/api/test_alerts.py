"""What stands out, as an officer is told of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from deedbook.identity import Role, checksum_address
from deedbook.identity.terms import Address
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.trading import conduct
from tests.api.support import every_refusal_is_a_problem, refused
from tests.support.servers import PostgresServer
from tests.support.world import World, open_world
from tests.trading.venue import open_venue


@pytest.fixture(scope="module")
async def world(postgres: PostgresServer, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url()) as opened:
        opened.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield opened
    await postgres.drop(dsn)


async def test_an_officer_hears_who_keeps_meeting_themselves(world: World) -> None:
    officer, stranger = await world.user(Role.COMPLIANCE), await world.user()
    quiet = await world.http.get("/compliance/alerts", headers=officer.headers)
    assert (quiet.status_code, quiet.json()["alerts"]) == (200, [])
    assert datetime.fromisoformat(quiet.json()["since"]) < datetime.now(UTC) - timedelta(hours=23)

    venue = await open_venue(world.db)
    user_id = await venue.investor(base="1", quote="1000")
    matcher = await venue.matcher()
    await venue.place(venue.order(user_id, "SELL", "0.1", "100"))
    for _ in range(conduct.SELF_TRADES):
        await venue.place(venue.order(user_id, "BUY", "0.1", "100"))
        await matcher.step()

    told = await world.http.get("/compliance/alerts", headers=officer.headers)
    [alert] = told.json()["alerts"]
    [row] = await venue.rows("SELECT account FROM users WHERE user_id = $1", user_id)
    assert {name: alert[name] for name in ("kind", "userId", "account", "count", "orders")} == {
        "kind": "SELF_TRADES",
        "userId": str(user_id),
        "account": checksum_address(Address(row["account"])),
        "count": conduct.SELF_TRADES,
        "orders": conduct.SELF_TRADES + 1,
    }
    refused(await world.http.get("/compliance/alerts", headers=stranger.headers), 403, "forbidden")
