"""Messages owed, as rows: one per webhook, leased while carried, retried, given up, forgotten."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deedbook.permissions import DeliveryPolicy, events, outbox
from deedbook.permissions.delivery import retry_delay_s
from deedbook.permissions.outbox import Parcel
from deedbook.permissions.schemas import EventIngest, EventResponse
from deedbook.permissions.store import Store

from .support import TurnedClock

URLS = ("http://one.test/hook", "http://two.test/hook")


@pytest.fixture
def store(tmp_path: Path, clock: TurnedClock) -> Iterator[Store]:
    store = Store(tmp_path / "permissions.db", clock=clock, webhook_urls=URLS)
    yield store
    store.close()


def say(store: Store, source: str = events.SOURCE) -> EventResponse:
    with store.write() as tx:
        return events.record(tx, EventIngest(event_type="role.updated", source=source))


def claim(store: Store, url: str = URLS[0]) -> list[Parcel]:
    with store.write() as tx:
        assert outbox.is_due(tx, url) in (True, False)
        parcels = outbox.claim(tx, url, limit=10, lease_s=15)
    return [parcel for parcel in parcels if parcel.event is not None]


def state_of(store: Store, event: EventResponse) -> tuple[str, int, str | None]:
    with store.read() as tx:
        now = events.get(tx, str(event.event_id))
    return now.delivery_state.value, now.delivery_attempts, now.last_error


def test_our_event_is_owed_to_each_webhook_and_others_events_to_none(store: Store) -> None:
    theirs, ours = say(store, "deedbook"), say(store)
    assert state_of(store, theirs) == ("succeeded", 1, None)
    assert state_of(store, ours) == ("pending", 0, None)
    for url in URLS:
        (parcel,) = claim(store, url)
        assert parcel.event is not None
        assert parcel.event["event_id"] == str(ours.event_id)
        assert parcel.event["metadata"] == {}


def test_subscription_is_opened_once_per_url(store: Store) -> None:
    with store.write() as tx:
        assert [outbox.subscribe(tx, url) for url in (*URLS, *URLS)] == [True, True, False, False]
        (parcel,) = outbox.claim(tx, URLS[0], limit=10, lease_s=15)
    assert parcel.event is None
    assert len(parcel.token) == 224


def test_claimed_message_is_not_claimed_again_until_its_lease_ends(store: Store, clock: TurnedClock) -> None:
    say(store)
    (first,) = claim(store)
    assert claim(store) == []
    clock.turn(seconds=15)
    (second,) = claim(store)
    assert (first.message_id, first.attempt) == (second.message_id, 1)
    assert second.attempt == 2


def test_event_succeeds_when_every_webhook_has_it(store: Store) -> None:
    event = say(store)
    for url, expected in zip(URLS, ("pending", "succeeded"), strict=True):
        with store.write() as tx:
            (parcel,) = [one for one in outbox.claim(tx, url, limit=10, lease_s=15) if one.event]
            outbox.mark_delivered(tx, parcel)
        assert state_of(store, event)[0] == expected


def test_refused_message_comes_back_when_due(store: Store, clock: TurnedClock) -> None:
    event = say(store)
    (parcel,) = claim(store)
    with store.write() as tx:
        outbox.mark_refused(tx, parcel, "HTTP 503", retry_at=tx.now + timedelta(seconds=40))
    assert state_of(store, event) == ("pending", 1, "HTTP 503")
    clock.turn(seconds=39)
    assert claim(store) == []
    clock.turn(seconds=1)
    assert [one.attempt for one in claim(store)] == [2]


def test_late_refusal_of_an_older_attempt_changes_nothing(store: Store, clock: TurnedClock) -> None:
    event = say(store)
    (old,) = claim(store)
    clock.turn(seconds=15)
    (new,) = claim(store)
    with store.write() as tx:
        outbox.mark_delivered(tx, new)
        outbox.mark_refused(tx, old, "timeout", retry_at=tx.now)
    assert claim(store) == []
    assert state_of(store, event)[2] is None


def test_message_nobody_accepted_in_a_day_is_given_up_and_marked(store: Store, clock: TurnedClock) -> None:
    event = say(store)
    clock.turn(hours=23)
    with store.write() as tx:
        assert outbox.give_up(tx, after_s=86_400) == 0
    clock.turn(hours=1)
    with store.write() as tx:
        # Both webhooks: for each the event and the message that opened the subscription.
        assert outbox.give_up(tx, after_s=86_400) == 4
    assert state_of(store, event)[0] == "failed"
    assert claim(store) == []


def test_settled_message_is_forgotten_after_a_month_and_the_event_stays(
    store: Store, clock: TurnedClock
) -> None:
    event = say(store)
    with store.write() as tx:
        outbox.give_up(tx, after_s=0)
    for days, left in ((29, 4), (1, 0)):
        clock.turn(days=days)
        with store.write() as tx:
            outbox.forget(tx)
            assert tx.db.execute("SELECT count(*) FROM outbox").fetchone()[0] == left
    assert state_of(store, event)[0] == "failed"


@pytest.mark.parametrize(
    ("attempt", "luck", "expected"),
    [(1, 1.0, 1.0), (1, 0.0, 0.5), (4, 1.0, 8.0), (9, 1.0, 256.0), (10, 1.0, 300.0), (10_000, 0.0, 150.0)],
)
def test_retries_slow_down_to_a_limit(attempt: int, luck: float, expected: float) -> None:
    assert retry_delay_s(DeliveryPolicy(), attempt, luck) == expected
