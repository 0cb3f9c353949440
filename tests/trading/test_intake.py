"""Orders that claim the same name at the same moment, in one commit and in two: each its own verdict, no neighbour
troubled."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deedbook.identity.errors import NonceUsed
from deedbook.kernel.errors import IdempotencyKeyReused
from deedbook.ledger.errors import InsufficientFunds
from deedbook.trading import intake_store
from deedbook.trading.admission import Admitted
from deedbook.trading.errors import ClientOrderIdUsed, DuplicateOrder, OrderNotFound, OrderOver
from deedbook.trading.intake import Intake, Taken
from tests.trading.test_matcher import untrue
from tests.trading.venue import Venue, open_venue

Told = Taken | BaseException


@pytest.fixture
async def venue(db: Any) -> Venue:
    return await open_venue(db)


@pytest.fixture
async def intake(venue: Venue) -> AsyncIterator[Intake]:
    opened = Intake(venue.db, lambda orders: None)
    yield opened
    await opened.close()


async def at_once(venue: Venue, intake: Intake, *orders: Admitted) -> list[Told]:
    """All these wait while another commit is under way, so they would share the next."""
    filler = venue.order(await venue.investor(quote="100"), "BUY", "0.1", "100")
    _, *told = await asyncio.gather(
        *(intake.submit(order) for order in (filler, *orders)), return_exceptions=True
    )
    return told


def keyed(order: Admitted, key: str) -> Admitted:
    return order._replace(idempotency_key=key, fingerprint=order.digest, answer=order.digest)


async def whole(venue: Venue) -> bool:
    """Each signed action has its order, and everything holds."""
    actions = await venue.rows("SELECT action_id FROM signed_actions")
    orders = await venue.rows("SELECT order_id AS action_id FROM orders")
    return sorted(map(str, actions)) == sorted(map(str, orders)) and await untrue(venue.db) == {}


async def test_the_nonce_of_a_refused_order_is_free_for_the_next(venue: Venue, intake: Intake) -> None:
    buyer = await venue.investor(quote="100")
    dear = venue.order(buyer, "BUY", "2", "100", nonce="n", client_id="c")
    cheap = venue.order(buyer, "BUY", "0.1", "100", nonce="n", client_id="c")

    refused, taken = await at_once(venue, intake, dear, cheap)

    assert isinstance(refused, InsufficientFunds) and isinstance(taken, Taken)
    assert await whole(venue)


async def test_a_refused_order_sent_twice_is_refused_twice(venue: Venue, intake: Intake) -> None:
    dear = venue.order(await venue.investor(quote="100"), "BUY", "2", "100")

    told = await at_once(venue, intake, dear, dear)

    assert [type(one) for one in told] == [InsufficientFunds] * 2


async def test_of_two_with_one_name_the_first_is_taken(venue: Venue, intake: Intake) -> None:
    buyer = await venue.investor(quote="100")
    first = venue.order(buyer, "BUY", "0.1", "100", nonce="n", client_id="c")
    same_nonce = venue.order(buyer, "BUY", "0.1", "100", nonce="n")
    same_client_id = venue.order(buyer, "BUY", "0.1", "100", client_id="c")

    told = await at_once(venue, intake, first, same_nonce, first, same_client_id)

    assert [type(one) for one in told] == [Taken, NonceUsed, DuplicateOrder, ClientOrderIdUsed]
    assert isinstance(told[3], ClientOrderIdUsed) and told[3].extra == {"firstId": str(first.order_id)}
    assert await whole(venue)


async def test_an_order_is_replaced_once(venue: Venue, intake: Intake) -> None:
    user, stranger = await venue.investor(quote="100"), await venue.investor(quote="100")
    old, *new = (venue.order(user, "BUY", "0.1", "100") for _ in range(4))
    foreign = venue.order(stranger, "BUY", "0.1", "100")._replace(replaces=old.order_id)
    await venue.place(old)
    first, second, third = (order._replace(replaces=old.order_id) for order in new)

    told = await at_once(venue, intake, first, second)
    told += await asyncio.gather(intake.submit(third), intake.submit(foreign), return_exceptions=True)

    assert [type(one) for one in told] == [Taken, OrderOver, OrderOver, OrderNotFound]
    assert await whole(venue)


async def test_one_key_serves_one_request(venue: Venue, intake: Intake) -> None:
    buyer = await venue.investor(quote="100")
    first = keyed(venue.order(buyer, "BUY", "0.1", "100"), "k")
    again = first._replace(order_id=venue.order(buyer, "BUY", "0.1", "100").order_id, answer=b"another")
    other = keyed(venue.order(buyer, "BUY", "0.1", "100"), "k")

    told = await at_once(venue, intake, first, again, other)

    assert told[:2] == [Taken(first.answer, replayed=False), Taken(first.answer, replayed=True)]
    assert isinstance(told[2], IdempotencyKeyReused)
    assert await whole(venue)


async def race(venue: Venue, intake: Intake, first: Admitted, *rest: Admitted) -> list[Told]:
    """Another process has written `first` and not yet committed it when `rest` come to this one."""
    async with venue.db.transaction() as tx:
        (row,) = await tx.fetch(intake_store._TAKE, *intake_store._columns([first]))
        assert row["verdicts"] == [0]
        coming = asyncio.gather(*(intake.submit(order) for order in rest), return_exceptions=True)
        await asyncio.sleep(0.3)
        assert not coming.done()
    return await coming


async def test_an_order_replaced_elsewhere_at_that_moment_is_not_replaced_again(
    venue: Venue, intake: Intake
) -> None:
    user = await venue.investor(quote="100")
    old, first, second = (venue.order(user, "BUY", "0.1", "100") for _ in range(3))
    await venue.place(old)

    (told,) = await race(
        venue, intake, first._replace(replaces=old.order_id), second._replace(replaces=old.order_id)
    )

    assert isinstance(told, OrderOver)
    assert await whole(venue)


async def test_a_client_id_used_elsewhere_at_that_moment_troubles_no_neighbour(
    venue: Venue, intake: Intake
) -> None:
    user, neighbour = await venue.investor(base="1", quote="100"), await venue.investor(quote="100")
    first = venue.order(user, "SELL", "0.1", "100", client_id="c")
    second = venue.order(user, "BUY", "0.1", "100", client_id="c")

    told = await race(
        venue, intake, first, second, *(venue.order(neighbour, "BUY", "0.1", "100") for _ in range(3))
    )

    assert [type(one) for one in told] == [ClientOrderIdUsed, Taken, Taken, Taken]
    assert await whole(venue)


async def test_a_key_used_elsewhere_at_that_moment_is_replayed_or_refused(
    venue: Venue, intake: Intake
) -> None:
    user = await venue.investor(base="1", quote="100")
    first = keyed(venue.order(user, "SELL", "0.1", "100"), "k")
    again = first._replace(order_id=venue.order(user, "SELL", "0.1", "100").order_id, answer=b"another")
    other = keyed(venue.order(user, "BUY", "0.1", "100"), "k")

    told = await race(venue, intake, first, again, other)

    assert told[0] == Taken(first.answer, replayed=True)
    assert isinstance(told[1], IdempotencyKeyReused)
    assert await whole(venue)


async def test_names_claimed_in_another_order_by_another_process_are_judged_all_the_same(
    venue: Venue,
) -> None:
    user = await venue.investor(base="100")
    intakes = [Intake(venue.db, lambda orders: None) for _ in range(2)]
    for turn in range(20):
        names = (f"x{turn}", f"y{turn}")
        placed = [
            [venue.order(user, "SELL", "0.01", "100", client_id=name) for name in names[::step]]
            for step in (1, -1)
        ]
        told = await asyncio.gather(
            *(
                intake.submit(order)
                for intake, orders in zip(intakes, placed, strict=True)
                for order in orders
            ),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in told) == ["ClientOrderIdUsed"] * 2 + ["Taken"] * 2
    assert await whole(venue)


async def test_processes_that_take_in_the_same_users_on_many_pairs_never_stand_in_each_others_way(
    venue: Venue,
) -> None:
    """Six processes, three people, both tokens in every order: no deadlock, nothing lost."""
    people = [await venue.investor(base="100", quote="100000") for _ in range(3)]
    intakes = [Intake(venue.db, lambda orders: None) for _ in range(6)]
    placed = [
        [
            venue.order(people[(place + turn) % 3], "BUY" if (place + turn) % 2 else "SELL", "0.01", "100")
            for turn in range(60)
        ]
        for place in range(6)
    ]

    told = await asyncio.gather(
        *(intake.submit(order) for intake, orders in zip(intakes, placed, strict=True) for order in orders),
        return_exceptions=True,
    )

    assert {type(one) for one in told} == {Taken}
    assert len(await venue.rows("SELECT 1 FROM orders")) == 360
    assert await whole(venue)
