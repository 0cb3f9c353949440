"""My notifications over HTTP: what I was told, newest first, and what I have read of it."""

from uuid import uuid4

from deedbook.infra.telemetry import NOTIFICATION_OUTCOMES_KEY
from deedbook.kernel.ids import UserId
from tests.api.support import ROOT, refused
from tests.notifications.support import reachable, told_of_a_deposit
from tests.support.world import World


async def test_a_feed_is_read_page_by_page_and_marked_as_read(shared: World) -> None:
    me, other = await shared.user(), await shared.user()
    ids = [str(await told_of_a_deposit(shared.db, UserId(me.user_id))) for _ in range(3)]
    await told_of_a_deposit(shared.db, UserId(other.user_id))

    async def unread() -> int:
        told = await shared.http.get("/me/notifications/unread-count", headers=me.headers)
        return int(told.json()["unread"])

    first = (await shared.http.get("/me/notifications?limit=2", headers=me.headers)).json()
    assert [entry["id"] for entry in first["data"]] == ids[:0:-1]
    assert first["data"][0]["details"][0] == {"label": "Amount", "value": "12.5"}
    rest = await shared.http.get(
        "/me/notifications", params={"limit": 2, "cursor": first["nextCursor"]}, headers=me.headers
    )
    assert ([entry["id"] for entry in rest.json()["data"]], rest.json()["nextCursor"]) == (ids[:1], None)
    assert await unread() == 3
    for _ in range(2):
        answer = await shared.post(f"/me/notifications/{ids[2]}/read", me)
        assert answer.status_code == 200
    assert await unread() == 2
    left = await shared.http.get("/me/notifications?unread=true", headers=me.headers)
    assert [entry["id"] for entry in left.json()["data"]] == ids[1::-1]
    assert (await shared.post("/me/notifications/read-all", me, {"upTo": ids[0]})).json() == {"marked": 1}
    assert (await shared.post("/me/notifications/read-all", me, {"upTo": ids[2]})).json() == {"marked": 1}
    assert await unread() == 0
    one = (await shared.http.get(f"/me/notifications/{ids[0]}", headers=me.headers)).json()
    assert one["readAt"]
    assert one["kind"] == "deposit.credited"


async def test_another_users_notification_reads_as_absent(shared: World) -> None:
    me, other = await shared.user(), await shared.user()
    told = await told_of_a_deposit(shared.db, UserId(other.user_id))
    for named in (told, uuid4()):
        refused(
            await shared.http.get(f"/me/notifications/{named}", headers=me.headers),
            404,
            "notification_not_found",
        )
        refused(await shared.post(f"/me/notifications/{named}/read", me), 404, "notification_not_found")
    assert (await shared.post("/me/notifications/read-all", me, {"upTo": str(told)})).json() == {"marked": 0}
    theirs = await shared.http.get("/me/notifications/unread-count", headers=other.headers)
    assert theirs.json() == {"unread": 1}


async def test_metrics_tell_what_was_sent_and_what_waits(world: World) -> None:
    me = await world.user()
    await reachable(world.db, UserId(me.user_id))
    await told_of_a_deposit(world.db, UserId(me.user_id))
    await world.resources.redis.hincrby(NOTIFICATION_OUTCOMES_KEY, "SMS|later", 3)
    told = (await world.http.get(f"{ROOT}/metrics")).text
    assert 'deedbook_notification_oldest_seconds{channel="EMAIL"}' in told
    assert 'deedbook_notification_attempts{channel="SMS",outcome="later"} 3.0' in told
