"""What crosses a batch on its way: commands about orders that wait behind it, commits that end while the next is
read, limits that are hit by orders that rest, leases while there is no quiet moment."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from deedbook.compliance import pledges
from deedbook.infra import failpoints
from deedbook.infra.database import Database
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.trading import living, order_store, orders, parties, settle_store
from deedbook.trading import matcher as matching
from deedbook.trading.errors import EligibilityChanged, Fenced, HoldingsExceeded
from deedbook.trading.matcher import take_over
from deedbook.trading.replay import replay
from tests.support.owner import as_owner
from tests.support.waiting import eventually
from tests.trading.test_matcher import drain, untrue
from tests.trading.venue import NoCopies, Venue, open_venue


@pytest.fixture
async def venue(db: Any) -> Venue:
    return await open_venue(db)


async def statuses(venue: Venue, *placed: Any) -> list[tuple[str, str | None]]:
    rows = [await venue.row(order) for order in placed]
    return [(row["status"], row["reason"]) for row in rows]


async def cancel(venue: Venue, user_id: UserId, order: Any) -> None:
    async with venue.db.transaction() as tx:
        await orders.cancel(tx, user_id, order.order_id)


async def limit(venue: Venue, **rules: int) -> None:
    async with venue.db.transaction() as tx:
        for name, value in rules.items():
            await tx.execute(
                f"INSERT INTO compliance_rules (token_id, {name}) VALUES ($1, $2)", venue.base, value
            )


async def match_again_and_again(venue: Venue, times: int) -> int:
    """As a process does: take over anew after each refusal; how many there were."""
    for refusals in range(times):
        try:
            await drain(await venue.matcher())
        except HoldingsExceeded:
            continue
        return refusals
    raise AssertionError(f"the pair stands still after {times} attempts")


async def test_a_cancel_waits_for_its_order_however_many_wait_before(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "BATCH", 5)
    buyer = await venue.investor(quote="1000")
    placed = [venue.order(buyer, "BUY", "0.1", "100") for _ in range(12)]
    await venue.place(*placed)
    await cancel(venue, buyer, placed[-1])

    await drain(await venue.matcher())

    assert await statuses(venue, placed[0], placed[-1]) == [("OPEN", None), ("CANCELLED", "cancelled")]
    assert (await replay(venue.db, venue.pair_id)).findings == ()


async def test_an_order_never_overtakes_a_cancel_that_came_before_it(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "BATCH", 5)
    buyer, seller = await venue.investor(quote="1000"), await venue.investor(base="1")
    placed = [venue.order(buyer, "BUY", "0.1", "100") for _ in range(12)]
    await venue.place(*placed)
    matcher = await venue.matcher()
    await drain(matcher)
    for order in placed:
        await cancel(venue, buyer, order)
    sell = venue.order(seller, "SELL", "0.1", "100")
    await venue.place(sell)

    await drain(matcher)

    assert await statuses(venue, sell) == [("OPEN", None)]
    assert await venue.rows("SELECT 1 FROM trades") == []


async def test_a_cancel_that_comes_while_the_matcher_reads_is_not_lost(venue: Venue) -> None:
    buyer = await venue.investor(quote="1000")
    matcher, order = await venue.matcher(), venue.order(buyer, "BUY", "0.1", "100")
    async with venue.db.transaction() as tx:
        await tx.execute("LOCK TABLE order_commands IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(matcher.step())
        await asyncio.sleep(0.2)
        await venue.place(order)
        await orders.cancel(tx, buyer, order.order_id)
    await reading

    await drain(matcher)

    assert await statuses(venue, order) == [("CANCELLED", "cancelled")]


async def test_an_order_whose_commit_ends_while_the_next_are_read_is_matched_once(venue: Venue) -> None:
    buyer = await venue.investor(quote="1000")
    matcher, order, stopping = await venue.matcher(), venue.order(buyer, "BUY", "1", "100"), asyncio.Event()
    await venue.place(order)

    async def is_matched() -> bool:
        return await statuses(venue, order) == [("OPEN", None)]

    failpoints.arm("matcher.beforeCommit=sleep:0.2;matcher.afterClaim=sleep:0.4")
    try:
        running = asyncio.create_task(matcher.run(stopping))
        await eventually(is_matched, "the order is in the book")
        await asyncio.sleep(1)  # for what was read meanwhile
    finally:
        failpoints.arm("")
        stopping.set()
        await running

    assert matcher.book.depth(buy=True, limit=5) == [(10_000, 10_000)]
    (writer,) = await venue.rows("SELECT match_seq FROM pair_writer")
    assert writer["match_seq"] == 1


async def test_a_buyer_who_rests_at_the_ownership_cap_does_not_stop_the_pair(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="1000")
    await limit(venue, max_ownership=to_units("2", 18))
    resting = venue.order(buyer, "BUY", "3", "100")
    await venue.place(resting)
    await drain(await venue.matcher())
    sell = venue.order(seller, "SELL", "5", "100")
    await venue.place(sell)

    assert await match_again_and_again(venue, 5) == 1

    assert await statuses(venue, resting, sell) == [("CANCELLED", "not_eligible"), ("OPEN", None)]
    assert await untrue(venue.db) == {}
    assert (await replay(venue.db, venue.pair_id)).findings == ()


async def test_an_order_that_takes_very_many_others_is_not_given_up_for_lasting_too_long(
    venue: Venue, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one commit. Given up by the database, it would be tried again for ever, and nothing behind it done."""
    monkeypatch.setattr(settle_store, "MANY", 1000)
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote="1000")
    await venue.place(*(venue.order(seller, "SELL", "0.0001", "100") for _ in range(1000)))
    await drain(await venue.matcher())
    large = venue.order(buyer, "BUY", "0.1", "100")
    await venue.place(large)
    async with as_owner(venue.db) as connection:
        await connection.execute(
            """
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_sleep(0.003); RETURN NEW; END';
            CREATE TRIGGER slow BEFORE INSERT ON trades FOR EACH ROW EXECUTE FUNCTION linger();
            """
        )
    impatient = await Database.connect(dsn, statement_timeout_s=2.5)
    matcher = await take_over(impatient, venue.pair_id, "test", NoCopies())
    assert matcher is not None

    await drain(matcher)

    assert await statuses(venue, large) == [("FILLED", None)]
    (allowed,) = await Venue(impatient, venue.spec).rows("SHOW statement_timeout")
    assert allowed["statement_timeout"] == "2500ms"
    await impatient.close()


async def test_an_issuer_buys_back_whatever_cap_others_have(venue: Venue) -> None:
    issuer, seller = await venue.investor(base="100", quote="1000"), await venue.investor(base="2")
    await limit(venue, max_ownership=to_units("2", 18))
    async with venue.db.transaction() as tx:
        await tx.execute("UPDATE tokens SET issuer_user_id = $2 WHERE token_id = $1", venue.base, issuer)
    buy = venue.order(issuer, "BUY", "1", "100")
    await venue.place(venue.order(seller, "SELL", "1", "100"), buy)

    assert await match_again_and_again(venue, 5) == 0

    assert await statuses(venue, buy) == [("FILLED", None)]
    assert await untrue(venue.db) == {}


async def test_a_buyer_with_very_many_orders_at_the_cap_does_not_stop_the_pair(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "BATCH", 5)
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="1000")
    await limit(venue, max_ownership=to_units("0.15", 18))
    resting = [venue.order(buyer, "BUY", "0.1", "100") for _ in range(12)]
    await venue.place(*resting)
    await drain(await venue.matcher())
    await venue.place(venue.order(seller, "SELL", "5", "100"), venue.order(buyer, "BUY", "3", "100"))

    assert await match_again_and_again(venue, 5) == 1

    assert {status for status, _ in await statuses(venue, *resting)} == {"CANCELLED"}
    assert await untrue(venue.db) == {}


async def test_the_holder_who_is_one_too_many_is_barred_and_nobody_else(venue: Venue) -> None:
    seller = await venue.investor(base="5")
    newcomer = await venue.investor(quote="1000")
    holders = [await venue.investor(base="1", quote="1000") for _ in range(3)]
    await limit(venue, max_holders=4)
    wanted = [venue.order(user_id, "BUY", "0.1", "100") for user_id in [*holders, newcomer]]
    await venue.place(venue.order(seller, "SELL", "5", "100"), *wanted)

    assert await match_again_and_again(venue, 5) == 1

    assert await statuses(venue, *wanted) == [("FILLED", None)] * 3 + [("CANCELLED", "not_eligible")]
    assert await untrue(venue.db) == {}


@pytest.mark.parametrize(
    ("limits", "to_the_buyer"),
    [({"max_ownership": to_units("2", 18)}, True), ({"max_holders": 2}, False)],
    ids=["ownership", "holders"],
)
async def test_what_is_under_way_to_somebody_counts_as_theirs(
    venue: Venue, limits: dict[str, int], to_the_buyer: bool
) -> None:
    """A transfer that was executed and whose event the vault has yet to tell: it must find its place free."""
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="1000")
    receiver = buyer if to_the_buyer else await venue.investor()
    await limit(venue, **limits)
    async with venue.db.transaction() as tx:
        await pledges.add(tx, new_uuid(), venue.base, receiver, to_units("1.5", 18))
    buy = venue.order(buyer, "BUY", "1", "100")
    await venue.place(venue.order(seller, "SELL", "1", "100"), buy)

    assert await match_again_and_again(venue, 5) == 1

    assert await statuses(venue, buy) == [("CANCELLED", "not_eligible")]
    assert await untrue(venue.db) == {}


async def test_holders_go_on_trading_when_there_are_more_than_the_rules_would_let_in_now(
    venue: Venue,
) -> None:
    holders = [await venue.investor(base="1", quote="1000") for _ in range(3)]
    await limit(venue, max_holders=2)
    buy = venue.order(holders[1], "BUY", "0.1", "100")
    await venue.place(venue.order(holders[0], "SELL", "0.1", "100"), buy)

    assert await match_again_and_again(venue, 5) == 0

    assert await statuses(venue, buy) == [("FILLED", None)]


async def test_orders_that_are_over_at_once_do_not_count_as_open(db: Any) -> None:
    venue = await open_venue(db, max_open_orders=2)
    buyer, seller = await venue.investor(quote="100"), await venue.investor(base="10")
    crowd = [venue.order(buyer, "BUY", "0.1", "100", tif="IOC") for _ in range(4)]
    await venue.place(venue.order(seller, "SELL", "0.2", "100"), *crowd)

    await drain(await venue.matcher())

    told = [status for status, _ in await statuses(venue, *crowd)]
    assert told == ["FILLED", "FILLED", "CANCELLED", "CANCELLED"]


async def test_makers_that_are_filled_do_not_count_as_open(db: Any) -> None:
    venue = await open_venue(db, max_open_orders=1)
    buyer, seller = await venue.investor(quote="100"), await venue.investor(base="10")
    first, second = venue.order(buyer, "BUY", "0.1", "100"), venue.order(buyer, "BUY", "0.1", "99")
    await venue.place(first, venue.order(seller, "SELL", "0.1", "100"), second)

    await drain(await venue.matcher())

    assert await statuses(venue, first, second) == [("FILLED", None), ("OPEN", None)]


async def test_a_running_matcher_hears_how_many_open_orders_are_allowed_now(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "RENEW_S", 0.05)
    buyer = await venue.investor(quote="100")
    first, second = (venue.order(buyer, "BUY", "0.1", price) for price in ("100", "99"))
    await venue.place(first)
    matcher, stopping = await venue.matcher(), asyncio.Event()
    running = asyncio.create_task(matcher.run(stopping))

    async def is_open() -> bool:
        return await statuses(venue, first) == [("OPEN", None)]

    await eventually(is_open, "the first is in the book")
    async with venue.db.transaction() as tx:
        await tx.execute("UPDATE trading_pairs SET max_open_orders = 1")
    for _ in range(2):  # the first may have begun before that was committed
        (writer,) = await venue.rows("SELECT expires_at FROM pair_writer")
        renewed = partial(_renewed_since, venue, writer["expires_at"])
        await eventually(renewed, "the matcher has renewed its lease")
    await venue.place(second)

    async def is_refused() -> bool:
        return await statuses(venue, second) == [("REJECTED", "too_many_open_orders")]

    await eventually(is_refused, "the second is one too many")
    stopping.set()
    await running


async def _renewed_since(venue: Venue, before: datetime) -> bool:
    return bool(await venue.rows("SELECT 1 FROM pair_writer WHERE expires_at > $1", before))


async def test_a_busy_matcher_keeps_its_lease(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "RENEW_S", 0.2)
    monkeypatch.setattr(matching, "BATCH", 1)
    buyer = await venue.investor(quote="1000")
    for _ in range(250):  # each in a commit of its own: what came together is matched together
        await venue.place(venue.order(buyer, "BUY", "0.01", "100"))
    matcher, stopping = await venue.matcher("busy"), asyncio.Event()
    (before,) = await venue.rows("SELECT expires_at FROM pair_writer")
    running = asyncio.create_task(matcher.run(stopping))

    async def hardly_any_wait() -> bool:
        return not await venue.rows("SELECT 1 FROM orders WHERE status = 'PENDING_MATCH' OFFSET 50")

    await eventually(hardly_any_wait, "most are matched", within_s=60)
    (after,) = await venue.rows("SELECT expires_at FROM pair_writer")
    stopping.set()
    await running

    assert after["expires_at"] > before["expires_at"]


async def test_what_is_over_is_not_kept_until_it_would_have_expired(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(living, "SPARE", 50)
    buyer, seller = await venue.investor(quote="10000"), await venue.investor(base="100")
    matcher = await venue.matcher()
    for _ in range(5):
        await venue.place(*(venue.order(buyer, "BUY", "0.01", "100") for _ in range(100)))
        await drain(matcher)
        await venue.place(venue.order(seller, "SELL", "1", "100"))
        await drain(matcher)

    assert len(matcher.book) == 0
    assert len(matcher._keeper.living._expiries) <= 50


async def test_a_decision_is_heard_of_however_many_new_people_come(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parties, "REFRESH_S", 0.1)
    resting = await venue.investor(quote="100")
    order = venue.order(resting, "BUY", "0.1", "100")
    await venue.place(order)
    matcher = await venue.matcher()
    await drain(matcher)
    async with venue.db.transaction() as tx:
        await tx.execute(
            "UPDATE compliance_profiles SET frozen = true, version = version + 1, updated_at = now() "
            "WHERE user_id = $1",
            resting,
        )

    for _ in range(8):
        await venue.place(venue.order(await venue.investor(quote="100"), "BUY", "0.1", "90"))
        await asyncio.sleep(0.05)
        await matcher.step()

    assert await statuses(venue, order) == [("CANCELLED", "not_eligible")]


async def test_an_order_that_expired_before_it_was_matched_never_trades(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote="100")
    late = venue.order(buyer, "BUY", "1", "100", tif="GTD", expires_at=datetime.now(UTC))
    sell = venue.order(seller, "SELL", "1", "100")
    await venue.place(sell, late)

    await drain(await venue.matcher())

    assert await statuses(venue, sell, late) == [("OPEN", None), ("CANCELLED", "expired")]
    assert await venue.balances(buyer) == (0, 0, to_units("100", 6), 0)
    assert (await replay(venue.db, venue.pair_id)).findings == ()


async def test_a_batch_is_never_written_without_the_one_before(venue: Venue) -> None:
    buyer = await venue.investor(quote="100")
    matcher, placed = await venue.matcher(), [venue.order(buyer, "BUY", "0.1", "100") for _ in range(2)]
    await venue.place(placed[0])
    assert await matcher._next() is not None  # matched, and its commit fails
    await venue.place(placed[1])
    second = await matcher._next()
    assert second is not None

    with pytest.raises(Fenced):
        await matcher._commit(second)

    await drain(await venue.matcher())
    assert await statuses(venue, *placed) == [("OPEN", None)] * 2
    assert [(await venue.row(order))["match_seq"] for order in placed] == [1, 2]


@pytest.mark.parametrize(
    "decision",
    [
        "UPDATE compliance_records SET version = version + 1, updated_at = now() WHERE user_id = $1",
        "UPDATE compliance_profiles SET version = version + 1, updated_at = now() WHERE user_id = $1",
        """INSERT INTO compliance_rules (token_id, version)
        SELECT token_id, 1 FROM compliance_records WHERE user_id = $1""",
    ],
)
async def test_whatever_is_decided_between_the_match_and_its_commit_stops_the_commit(
    venue: Venue, decision: str
) -> None:
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote="100")
    sell, buy = venue.order(seller, "SELL", "1", "100"), venue.order(buyer, "BUY", "1", "100")
    await venue.place(sell, buy)
    matcher = await venue.matcher()
    prepared = await matcher._next()
    assert prepared is not None
    async with venue.db.transaction() as tx:
        await tx.execute(decision, seller)

    with pytest.raises(EligibilityChanged):
        await matcher._commit(prepared)

    assert await statuses(venue, sell, buy) == [("PENDING_MATCH", None)] * 2
    await drain(await venue.matcher())
    assert await statuses(venue, sell, buy) == [("FILLED", None)] * 2


async def test_a_pair_whose_writer_lives_is_nobody_elses(venue: Venue) -> None:
    first = await venue.matcher("first")

    with pytest.raises(AssertionError, match="another writes"):
        await venue.matcher("second")

    await first.give_up()
    await venue.matcher("second")


async def test_new_rules_hold_for_those_who_rest_already_when_they_come_into_force(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parties, "REFRESH_S", 0.0)
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote="100")
    async with venue.db.transaction() as tx:
        await tx.execute("UPDATE compliance_records SET jurisdiction = 'AQ' WHERE user_id = $1", seller)
    sell, buy = venue.order(seller, "SELL", "1", "100"), venue.order(buyer, "BUY", "1", "100")
    matcher = await venue.matcher()
    await venue.place(sell)
    await drain(matcher)
    async with venue.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO compliance_rules (token_id, blocked_jurisdictions, version) VALUES ($1, '{AQ}', 1)",
            venue.base,
        )

    await venue.place(buy)
    await drain(matcher)

    assert await statuses(venue, sell, buy) == [("CANCELLED", "not_eligible"), ("OPEN", None)]


async def test_a_book_that_takes_long_to_rebuild_is_not_taken_away_meanwhile(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting = order_store.resting

    async def slow(db: Any, pair_id: Any) -> Any:
        await asyncio.sleep(4)
        return await resting(db, pair_id)

    monkeypatch.setattr(order_store, "resting", slow)
    monkeypatch.setattr(matching, "TTL_S", 2.0)
    monkeypatch.setattr(matching, "RENEW_S", 0.2)
    first = asyncio.create_task(venue.matcher("first"))
    await asyncio.sleep(3)

    with pytest.raises(AssertionError, match="another writes"):
        await venue.matcher("second")

    await (await first)._renew()
