"""Decisions from the permission service: twice, late, out of order, poisoned, by the wrong people (F-17, F-18)."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from deedbook import markets
from deedbook.identity.errors import PermissionsUnavailable
from deedbook.identity.terms import Action
from deedbook.infra.database import Database
from deedbook.infra.inbox import IncomingEvent
from deedbook.kernel.ids import UserId
from deedbook.markets import Decision, MarketStatus, Outcome
from deedbook.markets.decisions import MAX_REASON, PERMISSION_EVENTS
from tests.markets.support import (
    SOURCES,
    THE_OPERATOR,
    Allowing,
    decided,
    event,
    history,
    issuer,
    load,
    market_in,
    processed,
    registered,
)

_S = MarketStatus


class Silent(Allowing):
    """A permission service that gives no answer."""

    async def is_allowed(self, *_: Any) -> bool:
        raise PermissionsUnavailable


async def receive(db: Database, told: IncomingEvent, permissions: Allowing | None = None) -> Outcome:
    return await markets.receive(db, permissions or Allowing(), SOURCES, told)


async def retry(db: Database, told: IncomingEvent, permissions: Allowing | None = None) -> Outcome | None:
    return await markets.retry(db, permissions or Allowing(), SOURCES, told.event_id, THE_OPERATOR)


@pytest.mark.parametrize(
    ("decision", "status"),
    [("approved", _S.ACTIVATING), ("rejected", _S.REJECTED)],
    ids=["approved", "rejected"],
)
async def test_a_decision_is_carried_out_when_its_author_may_decide(
    db: Database, decision: str, status: MarketStatus
) -> None:
    market, permissions = await registered(db), Allowing()
    told = event(market, decision)

    assert await receive(db, told, permissions) is Outcome.SUCCESS

    after, row = await load(db, market.market_id), await processed(db, told.event_id)
    assert after.status is status
    assert row is not None and (row["processing_status"], row["processing_error"]) == ("success", None)
    action = Action.APPROVE if decision == "approved" else Action.REJECT
    actor_id = told.context["actor_id"]
    assert [(str(user), asked) for user, asked, _ in permissions.asked] == [(actor_id, action)]
    if decision == "approved":
        assert str(after.approved_by) == actor_id
    else:
        assert after.rejected_reason == "looked at it"


async def test_an_event_has_one_effect_when_it_comes_fifty_times_at_once_by_both_ways(db: Database) -> None:
    market = await registered(db)
    told = event(market)
    ways = [replace(told, received_via="webhook" if number % 2 else "poller") for number in range(50)]

    ended = await asyncio.gather(*(receive(db, one) for one in ways))

    assert Counter(ended) == {Outcome.SUCCESS: 1, Outcome.DUPLICATE: 49}
    assert await history(db, market.market_id) == [
        "registered",
        "approval_requested",
        "approved",
        "activation_started",
    ]


async def test_one_decision_stands_when_many_different_ones_come_at_once(db: Database) -> None:
    market = await registered(db)
    told = [event(market, decision) for decision in ("approved", "rejected") * 10]

    ended = await asyncio.gather(*(receive(db, one) for one in told))

    assert Counter(ended) == {Outcome.SUCCESS: 1, Outcome.SKIPPED: 19}
    assert (await load(db, market.market_id)).status in (_S.ACTIVATING, _S.REJECTED)


@pytest.mark.parametrize("status", [status for status in _S if status not in (_S.DRAFT, _S.PENDING_APPROVAL)])
@pytest.mark.parametrize("decision", ["approved", "rejected"])
async def test_a_decision_is_skipped_when_the_market_has_moved_on(
    db: Database, status: MarketStatus, decision: str
) -> None:
    market = await market_in(db, status)
    told = event(market, decision)

    assert await receive(db, told) is Outcome.SKIPPED

    row = await processed(db, told.event_id)
    assert row is not None and status.value in row["processing_error"]
    assert (await load(db, market.market_id)) == market


async def test_a_decision_for_an_unknown_market_is_carried_out_when_an_operator_retries_it_later(
    db: Database,
) -> None:
    market = await registered(db)
    unknown = uuid4()
    told = event(market, payload={"market_id": str(unknown)})
    assert await receive(db, told) is Outcome.FAILED
    assert await receive(db, told) is Outcome.DUPLICATE
    assert await retry(db, told) is Outcome.FAILED
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE processed_events SET payload = jsonb_set(payload, '{market_id}', to_jsonb($2::text)) "
            "WHERE event_id = $1",
            told.event_id,
            str(market.market_id),
        )

    assert await retry(db, told) is Outcome.SUCCESS

    assert await retry(db, told) is None
    row = await processed(db, told.event_id)
    assert row is not None and (row["attempts"], row["processing_status"]) == (3, "success")


async def test_one_retry_counts_when_several_operators_ask_at_once(db: Database) -> None:
    market = await registered(db)
    told = event(market)
    assert await receive(db, told, Allowing(False)) is Outcome.FAILED

    ended = await asyncio.gather(*(retry(db, told) for _ in range(8)))

    assert Counter(ended)[Outcome.SUCCESS] == 1
    assert set(ended) <= {Outcome.SUCCESS, Outcome.DUPLICATE, None}
    async with db.reading() as connection:
        asked = await connection.fetchval(
            "SELECT count(*) FROM events WHERE event_type = 'operations.event_retried' AND payload ->> 'eventId' = $1",
            told.event_id,
        )
    assert asked == 1


UNUSABLE: dict[str, dict[str, Any]] = {
    "no market_id": {"payload": {"market_id": None}},
    "market_id no id": {"payload": {"market_id": "1 OR 1=1"}},
    "market_id a list": {"payload": {"market_id": ["x"]}},
    "no actor": {"context": {}},
    "actor no id": {"context": {"actor_id": "admin"}},
    "actor an object": {"context": {"actor_id": {"id": str(uuid4())}}},
    "decision and type disagree": {"payload": {"decision": "rejected"}},
    "decision of another kind": {"payload": {"decision": ["approved"]}},
    "foreign entity": {"payload": {"entity_id": str(uuid4())}},
    "entity a number": {"payload": {"entity_id": 7}},
}


@pytest.mark.parametrize("changes", UNUSABLE.values(), ids=UNUSABLE)
async def test_an_event_fails_and_waits_for_an_operator_when_it_cannot_be_used(
    db: Database, changes: dict[str, Any]
) -> None:
    market = await registered(db)
    told = event(market, **changes)

    assert await receive(db, told) is Outcome.FAILED

    row = await processed(db, told.event_id)
    assert row is not None and row["processing_error"]
    assert (await load(db, market.market_id)).status is _S.PENDING_APPROVAL


async def test_an_event_fails_when_its_author_may_not_decide(db: Database) -> None:
    market = await registered(db)
    told = event(market)
    assert await receive(db, told, Allowing(False)) is Outcome.FAILED
    assert (await load(db, market.market_id)).status is _S.PENDING_APPROVAL


async def test_an_event_fails_when_the_issuer_decides_on_their_own_market(db: Database) -> None:
    caller = await issuer(db)
    market = await registered(db, caller)
    for decision in ("approved", "rejected"):
        told = event(market, decision, context={"actor_id": str(caller.user_id)})
        assert await receive(db, told) is Outcome.FAILED
    assert (await load(db, market.market_id)).status is _S.PENDING_APPROVAL


@pytest.mark.parametrize(
    "changes", [{"source": "deedbook"}, {"source": "somebody"}, {"event_type": "market.listed"}]
)
async def test_an_event_is_skipped_when_it_is_not_for_us(db: Database, changes: dict[str, Any]) -> None:
    market = await registered(db)
    assert await receive(db, event(market, **changes)) is Outcome.SKIPPED
    assert (await load(db, market.market_id)).status is _S.PENDING_APPROVAL


async def test_nothing_is_recorded_when_the_permission_service_is_silent(db: Database) -> None:
    market = await registered(db)
    told = event(market)

    with pytest.raises(PermissionsUnavailable):
        await receive(db, told, Silent())

    assert await processed(db, told.event_id) is None
    assert await receive(db, told) is Outcome.SUCCESS


async def test_a_failed_event_stays_failed_when_the_permission_service_is_silent_at_the_retry(
    db: Database,
) -> None:
    told = event(await registered(db))
    await receive(db, told, Allowing(False))
    with pytest.raises(PermissionsUnavailable):
        await retry(db, told, Silent())
    row = await processed(db, told.event_id)
    assert row is not None and (row["processing_status"], row["attempts"]) == ("failed", 1)


def _nested(depth: int) -> Any:
    value: Any = "bottom"
    for number in range(depth):
        value = {"a": value} if number % 2 else [value]
    return value


POISON: dict[str, dict[str, Any]] = {
    "NUL in a value": {"payload": {"note": "a\x00b"}},
    "NUL in a name": {"payload": {"a\x00b": 1}},
    "NUL in the reason": {"payload": {"reason": "a\x00b"}},
    "half a surrogate pair": {"payload": {"reason": "\ud83d"}},
    "surrogate in a name": {"payload": {"\udfff": {"\ud800": "\ud800"}}},
    "reason of 10 MB": {"payload": {"reason": "r" * 10_000_000}},
    "reason a list": {"payload": {"reason": ["because", 1, None]}},
    "nested 900 deep": {"payload": {"deep": _nested(900)}},
    "context nested 900 deep": {"context": {"actor_id": str(uuid4()), "deep": _nested(900)}},
    "a number of 40 digits": {"payload": {"count": 10**40, "less": -(10**40), "edge": [2**63, 2**63 - 1]}},
    "no numbers": {"payload": {"nan": float("nan"), "inf": float("inf")}},
    "every JSON type": {"payload": {"x": [None, True, 1, 1.5, "", [], {}]}},
    "HTML": {"payload": {"reason": "<script>alert(1)</script>"}},
    "log lines": {"payload": {"reason": 'x\n{"level":"error"}\r\n'}},
    "SQL": {"payload": {"reason": "'); DROP TABLE markets; --"}},
}


@pytest.mark.parametrize("changes", POISON.values(), ids=POISON)
async def test_poison_is_recorded_and_the_decision_carried_out_when_only_the_rest_is_odd(
    db: Database, changes: dict[str, Any]
) -> None:
    market = await registered(db)
    told = event(market, "rejected", **changes)

    assert await receive(db, told) is Outcome.SUCCESS
    assert await receive(db, told) is Outcome.DUPLICATE

    after = await load(db, market.market_id)
    assert after.status is _S.REJECTED
    assert after.rejected_reason is not None and 1 <= len(after.rejected_reason) <= MAX_REASON
    row = await processed(db, told.event_id)
    assert row is not None and row["payload"]["market_id"] == str(market.market_id)


@pytest.mark.parametrize("changes", POISON.values(), ids=POISON)
async def test_poison_is_recorded_as_failed_when_it_names_no_market(
    db: Database, changes: dict[str, Any]
) -> None:
    told = event(None, "rejected", **changes)
    assert await receive(db, told) is Outcome.FAILED
    assert await retry(db, told) is Outcome.FAILED


@pytest.mark.parametrize("event_id", ["nul\x00", "half\ud800", "' OR 1=1 --", "ü" * 200, "../.."], ids=ascii)
async def test_an_event_is_known_again_when_its_id_is_odd(db: Database, event_id: str) -> None:
    told = event(None, event_id=event_id)
    assert await receive(db, told) is Outcome.FAILED
    assert await receive(db, told) is Outcome.DUPLICATE


async def test_a_rejection_says_something_when_it_came_without_a_reason(db: Database) -> None:
    for reason in (None, "", "  \n"):
        market = await registered(db)
        assert await receive(db, event(market, "rejected", payload={"reason": reason})) is Outcome.SUCCESS
        assert (await load(db, market.market_id)).rejected_reason == "no reason given"


@pytest.mark.parametrize("event_type", sorted(PERMISSION_EVENTS))
async def test_remembered_answers_are_dropped_when_permissions_have_changed(
    db: Database, event_type: str
) -> None:
    permissions, who = Allowing(), UserId(uuid4())
    for principal in (str(who), "not an id", None):
        told = event(None, event_type=event_type, payload={"principal_id": principal})
        assert await receive(db, told, permissions) is Outcome.SUCCESS
    assert permissions.forgotten == [who, None, None]


async def test_an_approval_is_skipped_when_the_api_decided_first(db: Database) -> None:
    market = await registered(db)
    await decided(db, market.market_id, Decision.REJECTED)
    assert await receive(db, event(market)) is Outcome.SKIPPED
    assert (await load(db, market.market_id)).status is _S.REJECTED


async def test_one_decision_stands_when_the_api_and_an_event_meet(db: Database) -> None:
    for _ in range(10):
        market = await registered(db)
        ended = await asyncio.gather(
            receive(db, event(market, "rejected")),
            decided(db, market.market_id, Decision.APPROVED),
            return_exceptions=True,
        )
        status = (await load(db, market.market_id)).status
        assert (ended[0], status) in [(Outcome.SUCCESS, _S.REJECTED), (Outcome.SKIPPED, _S.ACTIVATING)]


async def test_what_was_recorded_is_json_when_an_operator_looks(db: Database) -> None:
    told = event(None, payload=POISON["NUL in a value"]["payload"])
    await receive(db, told)
    row = await processed(db, told.event_id)
    assert row is not None and json.loads(json.dumps(row["payload"]))["note"] == "a\ufffdb"
