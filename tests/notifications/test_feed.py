"""People are told what happened, each thing once, whatever the relay repeats or dies of; and each sees their own."""

import pytest

from deedbook import notifications
from deedbook.infra.database import Database
from deedbook.infra.failpoints import FailpointHit
from deedbook.kernel.events import SYSTEM
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.kernel.jobs import Job
from deedbook.notifications import jobs, model
from deedbook.workers.notification_sinks import NotificationsSink, TradingNotificationsSink
from deedbook.workers.relay import Sink
from tests.chain.support import armed
from tests.compliance.support import new_user
from tests.notifications.support import Resources, a_deposit, feed, stored, told_of_a_deposit
from tests.trading.venue import Venue, open_venue


async def trades(venue: Venue, count: int = 1) -> tuple[UserId, UserId]:
    """A buyer and a seller whose orders of one token each were filled."""
    seller, buyer = await venue.investor(base="500"), await venue.investor(quote="500000")
    for _ in range(count):
        await venue.place(venue.order(seller, "SELL", "1", "1000"), venue.order(buyer, "BUY", "1", "1000"))
    matcher = await venue.matcher()
    while await matcher.step():
        continue
    await matcher.give_up()
    return buyer, seller


async def interrupted(sink: Sink, point: str) -> None:
    """Killed at a point, and started again; then nothing is left."""
    with armed(f"{point}=raise:1"), pytest.raises(FailpointHit):
        await sink.step()
    while await sink.step():
        continue


async def test_a_deposit_is_told_once_when_the_relay_dies_at_its_commit(db: Database) -> None:
    owner = UserId(await new_user(db))
    async with db.transaction() as tx:
        tx.emit(a_deposit(owner), SYSTEM, before={}, after={})
    await interrupted(NotificationsSink(db, "relay"), "relay.notifications.afterDeliver")
    (told,) = await feed(db, owner)
    assert (told["kind"], told["read_at"]) == ("deposit.credited", None)
    assert ["Amount", "12.5"] in told["details"]


async def test_a_fact_is_told_once_when_it_comes_again(db: Database) -> None:
    owner, stranger = UserId(await new_user(db)), UserId(new_uuid())
    facts = [stored(a_deposit(owner)), stored(a_deposit(stranger))]
    for _ in range(2):
        notices = await notifications.notices_of(db, facts)
        async with db.transaction() as tx:
            await notifications.tell(tx, notices)
    assert [row["user_id"] for row in await feed(db)] == [owner]


async def test_both_sides_hear_of_their_trade_once_when_the_relay_dies_at_its_commit(db: Database) -> None:
    venue = await open_venue(db)
    buyer, seller = await trades(venue)
    sink = TradingNotificationsSink(db, "relay", pause_s=0)
    await interrupted(sink, "relay.trading-notifications.afterDeliver")
    told = {row["user_id"]: row for row in await feed(db)}
    assert len(await feed(db)) == 2
    assert told[buyer]["title"] == f"Order filled: BUY 1 on {venue.spec.symbol}"
    assert told[buyer]["body"] == "1 of 1 LUXAPT are traded, at 1000 USDC on average."
    assert told[seller]["subject_type"] == "order"
    assert ["Side", "SELL"] in told[seller]["details"]


async def test_machines_hear_of_so_many_orders_an_hour_and_the_rest_is_counted(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "SINGLE_AN_HOUR", 3)
    venue = await open_venue(db)
    sink = TradingNotificationsSink(db, "relay", pause_s=0)
    buyer, _ = await trades(venue, 5)
    while await sink.step():
        continue
    rows = [row for row in await feed(db, buyer) if row["kind"] == "orders.summary"]
    # More than one summary only where the hour has changed meanwhile.
    assert sum(row["times"] for row in rows) + len(await feed(db, buyer)) - len(rows) == 5
    assert rows


async def test_what_was_told_long_ago_is_forgotten(db: Database) -> None:
    owner = UserId(await new_user(db))
    old, new = [await told_of_a_deposit(db, owner) for _ in range(2)]
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE notifications SET created_at = now() - interval '181 days' WHERE notification_id = $1",
            old,
        )
    for _ in range(2):
        await jobs.remove_old_notifications(Resources(db), Job("1", "by-the-clock", {}))
    assert [row["notification_id"] for row in await feed(db)] == [new]


async def test_an_approval_that_runs_out_soon_is_announced_once(db: Database) -> None:
    venue = await open_venue(db)
    soon, later, over = [await venue.investor() for _ in range(3)]
    for owner, days in ((soon, 3), (later, 40), (over, -1)):
        async with db.transaction() as tx:
            await tx.execute(
                "UPDATE compliance_records SET expires_at = now() + make_interval(days => $2) WHERE user_id = $1",
                owner,
                days,
            )
    for _ in range(2):
        await jobs.remind_of_expiring_approvals(Resources(db), Job("1", "by-the-clock", {}))
    (told,) = await feed(db)
    assert (told["user_id"], told["title"]) == (soon, "Your approval for LUXAPT runs out soon")
