"""What stands out, as an officer is told of it."""

from datetime import UTC, datetime, timedelta

from deedbook.identity import Role, checksum_address
from deedbook.identity.terms import Address
from deedbook.trading import conduct
from tests.api.support import refused
from tests.support.world import World
from tests.trading.venue import open_venue


async def test_an_officer_hears_who_keeps_meeting_themselves(shared: World) -> None:
    officer, stranger = await shared.user(Role.COMPLIANCE), await shared.user()
    quiet = await shared.http.get("/compliance/alerts", headers=officer.headers)
    assert (quiet.status_code, quiet.json()["alerts"]) == (200, [])
    assert datetime.fromisoformat(quiet.json()["since"]) < datetime.now(UTC) - timedelta(hours=23)

    venue = await open_venue(shared.db)
    user_id = await venue.investor(base="1", quote="1000")
    matcher = await venue.matcher()
    await venue.place(venue.order(user_id, "SELL", "0.1", "100"))
    for _ in range(conduct.SELF_TRADES):
        await venue.place(venue.order(user_id, "BUY", "0.1", "100"))
        await matcher.step()

    told = await shared.http.get("/compliance/alerts", headers=officer.headers)
    [alert] = told.json()["alerts"]
    [row] = await venue.rows("SELECT account FROM users WHERE user_id = $1", user_id)
    assert {name: alert[name] for name in ("kind", "userId", "account", "count", "orders")} == {
        "kind": "SELF_TRADES",
        "userId": str(user_id),
        "account": checksum_address(Address(row["account"])),
        "count": conduct.SELF_TRADES,
        "orders": conduct.SELF_TRADES + 1,
    }
    refused(await shared.http.get("/compliance/alerts", headers=stranger.headers), 403, "forbidden")
