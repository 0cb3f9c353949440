"""What is said of facts: to whom, in which words; and what machines do a thousand times is counted."""

import dataclasses
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from deedbook.custody.events import TransferCompleted
from deedbook.identity.events import SessionRevoked
from deedbook.kernel.events import Fact
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.markets.events import MarketApproved
from deedbook.notifications import model, telling, trading_telling
from deedbook.notifications.model import MAX_TITLE, SINGLE_AN_HOUR, OrderNotice
from deedbook.notifications.telling import STOLEN, TELLINGS, Named
from deedbook.notifications.terms import Kind
from deedbook.tokens.events import MintRejected
from tests.notifications.support import sample, stored

NOBODY = Named({}, {})


@pytest.mark.parametrize("kind", TELLINGS, ids=lambda kind: kind.spec.event_type)
def test_every_fact_is_told_in_whole_sentences(kind: type[Fact]) -> None:
    told = sample(kind, reason=STOLEN) if kind is SessionRevoked else sample(kind)
    fact = stored(told)
    market, token = str(fact.payload.get("marketId")), str(fact.payload.get("tokenId"))
    named = Named(
        {token: "LUXAPT"},
        {market: ("Luxury Apartments", UserId(new_uuid()))},
        {str(fact.payload.get("mintId")): (UserId(new_uuid()), "25")},
    )
    notices = telling.notices([fact], named)
    assert len(notices) == len(TELLINGS[kind])
    assert len({notice.source for notice in notices}) == len(notices)
    for notice in notices:
        assert notice.title
        assert notice.body.endswith(".")
        assert "{" not in notice.title + notice.body
        assert notice.kind.topic


def test_both_sides_of_a_transfer_are_told() -> None:
    sender, receiver = UserId(new_uuid()), UserId(new_uuid())
    fact = stored(sample(TransferCompleted, user_id=sender, to_user_id=receiver, amount="3"))
    told = {
        notice.user_id: notice.kind
        for notice in telling.notices([fact], Named({str(fact.payload["tokenId"]): "X"}, {}))
    }
    assert told == {sender: Kind.TRANSFER_COMPLETED, receiver: Kind.TRANSFER_RECEIVED}


def test_whoever_asked_for_a_mint_is_told_that_it_is_rejected_and_why() -> None:
    asked_by = UserId(new_uuid())
    fact = stored(sample(MintRejected, reason="no valuation"))
    named = Named(
        {str(fact.payload["tokenId"]): "LUXAPT"}, {}, {str(fact.payload["mintId"]): (asked_by, "25")}
    )
    (told,) = telling.notices([fact], named)
    assert (told.user_id, told.kind) == (asked_by, Kind.MINT_REJECTED)
    assert told.title == "Your mint of 25 LUXAPT is rejected"
    assert dict(told.details)["Reason"] == "no valuation"
    assert telling.notices([fact], NOBODY) == []


def test_nobody_is_told_of_a_market_that_is_nobodys_or_of_a_plain_sign_out() -> None:
    facts = [stored(sample(MarketApproved)), stored(sample(SessionRevoked, reason="logout"))]
    assert telling.notices(facts, NOBODY) == []


def test_a_title_fits_however_long_a_name_is() -> None:
    fact = stored(sample(MarketApproved))
    named = Named({}, {str(fact.payload["marketId"]): ("x" * 300, UserId(new_uuid()))})
    (notice,) = telling.notices([fact], named)
    assert len(notice.title) == MAX_TITLE


def test_events_that_nobody_is_told_of_are_passed_over_unread() -> None:
    assert trading_telling.read(['{"eventId":"order.created.1", this is never parsed']) == []


USER, PAIR = UserId(uuid4()), uuid4()


def told(order: UUID, kind: Kind, minute: int = 0) -> OrderNotice:
    at = datetime(2026, 3, 1, 12, minute, tzinfo=UTC)
    return OrderNotice(USER, kind, order, PAIR, "LUXAPT-USDC", at, {})


def test_a_partial_fill_is_left_out_when_something_later_is_told_of_its_order() -> None:
    first, second = new_uuid(), new_uuid()
    entries = [
        told(first, Kind.ORDER_PARTIALLY_FILLED),
        told(second, Kind.ORDER_PARTIALLY_FILLED),
        told(first, Kind.ORDER_FILLED),
    ]
    assert model.last_of_each_order(entries) == entries[1:]


def test_orders_are_counted_when_there_are_too_many_to_tell_one_by_one() -> None:
    entries = [told(new_uuid(), Kind.ORDER_FILLED, minute) for minute in range(50)]
    single, (summary,) = model.fold(entries, {USER: SINGLE_AN_HOUR - 10})
    assert (len(single), summary.times) == (10, 40)
    assert summary.source == f"orders.summary.{PAIR}.2026-03-01T12"
    assert model.fold(entries, {}) == (entries, [])
    assert dataclasses.replace(summary, times=1).occurred_at.minute == 49
