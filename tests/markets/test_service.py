"""The use cases on real PostgreSQL, with real concurrency: one winner, and history written with the move or not."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from deedbook import markets
from deedbook.identity.errors import FourEyes
from deedbook.infra.database import Database, Tx
from deedbook.kernel.errors import Invalid
from deedbook.kernel.events import Actor, ActorType
from deedbook.kernel.ids import DocumentId, MarketId
from deedbook.markets import AddDocument, Decision, Document, Market, MarketStatus, service
from deedbook.markets.errors import (
    DocumentNotFound,
    IllegalTransition,
    IssuerEntityMissing,
    MarketNotFound,
    NewerVersionExists,
    StaleVersion,
    SymbolTaken,
)
from deedbook.markets.model import AssetDetails
from tests.markets.support import (
    OFFICER,
    OPERATOR,
    asset,
    decided,
    deployment,
    history,
    issuer,
    load,
    market_in,
    registered,
)

_S = MarketStatus
Step = Callable[[Tx, MarketId], Awaitable[Any]]


async def _approve(tx: Tx, market_id: MarketId) -> Market:
    return await markets.decide(tx, market_id, Decision.APPROVED, "", OFFICER)


async def _reject(tx: Tx, market_id: MarketId) -> Market:
    return await markets.decide(tx, market_id, Decision.REJECTED, "no deed", OPERATOR)


async def _activate(tx: Tx, market_id: MarketId) -> Market:
    return await markets.activate(tx, market_id, OFFICER)


async def _pause(tx: Tx, market_id: MarketId) -> Market:
    return await markets.pause(tx, market_id, "", OFFICER)


async def _resume(tx: Tx, market_id: MarketId) -> Market:
    return await markets.resume(tx, market_id, "", OFFICER)


async def _archive(tx: Tx, market_id: MarketId) -> Market:
    return await markets.archive(tx, market_id, "", OFFICER)


async def _take(db: Database, market_id: MarketId, *steps: Step) -> list[Any]:
    """All steps at once, each in a transaction of its own."""

    async def one(step: Step) -> Any:
        async with db.transaction() as tx:
            return await step(tx, market_id)

    return await asyncio.gather(*map(one, steps), return_exceptions=True)


async def _take_back(db: Database, market_id: MarketId, step: Step) -> None:
    """Take a step, if it is legal, in a transaction that does not commit."""

    class TakenBack(Exception): ...

    try:
        async with db.transaction() as tx:
            await step(tx, market_id)
            raise TakenBack
    except (TakenBack, IllegalTransition):
        return


APPROVED = ["registered", "approval_requested", "approved", "activation_started"]
REJECTED = ["registered", "approval_requested", "rejected"]


async def test_one_decision_stands_when_approve_and_reject_meet_twenty_times(db: Database) -> None:
    caller = await issuer(db)
    waiting = [await registered(db, caller) for _ in range(20)]

    ended = await asyncio.gather(
        *(
            _take(db, market.market_id, *((_approve, _reject) if number % 2 else (_reject, _approve)))
            for number, market in enumerate(waiting)
        )
    )

    for market, pair in zip(waiting, ended, strict=True):
        assert Counter(type(end) for end in pair) == {Market: 1, IllegalTransition: 1}
        status, told = (await load(db, market.market_id)).status, await history(db, market.market_id)
        assert (status, told) in [(_S.ACTIVATING, APPROVED), (_S.REJECTED, REJECTED)]


@pytest.mark.parametrize(
    ("start", "steps", "ends"),
    [
        (_S.PENDING_APPROVAL, (_approve,) * 8, {_S.ACTIVATING}),
        (_S.PENDING_APPROVAL, (_reject,) * 8, {_S.REJECTED}),
        (_S.APPROVED, (_activate,) * 8, {_S.ACTIVATING}),
        (_S.ACTIVE, (_pause, _archive), {_S.PAUSED, _S.ARCHIVED}),
        (_S.ACTIVE, (_archive, _pause), {_S.PAUSED, _S.ARCHIVED}),
        (_S.ACTIVE, (_pause,) * 8, {_S.PAUSED}),
        (_S.PAUSED, (_resume,) * 8, {_S.ACTIVE}),
        (_S.ACTIVE, (_archive,) * 8, {_S.ARCHIVED}),
    ],
    ids=lambda value: value.value if isinstance(value, _S) else "",
)
async def test_one_step_is_taken_when_several_are_tried_at_once(
    db: Database, start: MarketStatus, steps: tuple[Step, ...], ends: set[MarketStatus]
) -> None:
    market = await market_in(db, start)
    before = await history(db, market.market_id)

    ended = await _take(db, market.market_id, *steps)

    assert Counter(type(end) for end in ended) == {Market: 1, IllegalTransition: len(steps) - 1}
    after = await load(db, market.market_id)
    assert after.status in ends
    moves = 2 if steps[0] is _approve else 1
    assert (after.version, len(await history(db, market.market_id))) == (
        market.version + moves,
        len(before) + moves,
    )


async def test_one_deployment_is_asked_for_when_a_market_is_activated_many_times_at_once(
    db: Database,
) -> None:
    market = await market_in(db, _S.APPROVED)
    await _take(db, market.market_id, *(_activate,) * 8)
    async with db.reading() as connection:
        jobs = await connection.fetch(
            "SELECT job_id FROM jobs WHERE data ->> 'marketId' = $1 ORDER BY position", str(market.market_id)
        )
    assert [row["job_id"] for row in jobs] == [f"deploy-market-token-{market.market_id}-{n}" for n in (1, 2)]


async def test_nothing_is_written_when_the_transaction_does_not_commit(db: Database) -> None:
    market = await registered(db)

    await _take_back(db, market.market_id, _approve)

    assert (await load(db, market.market_id)).version == market.version
    assert await history(db, market.market_id) == ["registered", "approval_requested"]
    async with db.reading() as connection:
        assert not await connection.fetch(
            "SELECT 1 FROM jobs WHERE data ->> 'marketId' = $1", str(market.market_id)
        )


async def test_history_cannot_be_changed_when_somebody_tries(db: Database) -> None:
    market = await registered(db)
    for statement in ("UPDATE events SET actor_id = NULL", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(Exception, match=r"append-only|permission denied"):
            async with db.transaction() as tx:
                await tx.execute(statement)
    assert len(await history(db, market.market_id)) == 2


async def test_a_decision_is_refused_when_the_issuers_own_user_makes_it(db: Database) -> None:
    caller = await issuer(db)
    market = await registered(db, caller)
    for decision in Decision:
        with pytest.raises(FourEyes):
            await decided(db, market.market_id, decision, Actor(ActorType.ADMIN, caller.user_id))
    assert (await load(db, market.market_id)).status is _S.PENDING_APPROVAL


@pytest.mark.parametrize("steps_behind", [1, 2, 100])
async def test_a_move_is_refused_when_the_caller_saw_another_version(db: Database, steps_behind: int) -> None:
    market = await market_in(db, _S.ACTIVE)
    for use_case in (markets.pause, markets.archive):
        with pytest.raises(StaleVersion):
            async with db.transaction() as tx:
                await use_case(tx, market.market_id, "", OFFICER, if_version=market.version - steps_behind)
    async with db.transaction() as tx:
        await markets.pause(tx, market.market_id, "", OFFICER, if_version=market.version)


async def test_one_of_two_moves_is_stale_when_both_saw_the_same_version(db: Database) -> None:
    market = await registered(db)

    def decide(decision: Decision) -> Step:
        async def step(tx: Tx, market_id: MarketId) -> Market:
            return await markets.decide(tx, market_id, decision, "x", OFFICER, if_version=market.version)

        return step

    ended = await _take(db, market.market_id, *(decide(one) for one in Decision))

    assert Counter(type(end) for end in ended) == {Market: 1, StaleVersion: 1}


async def test_a_move_is_refused_when_there_is_no_such_market(db: Database) -> None:
    for step in (_approve, _reject, _activate, _pause, _resume, _archive):
        (end,) = await _take(db, MarketId(uuid4()), step)
        assert isinstance(end, MarketNotFound)


async def test_a_symbol_is_refused_when_a_market_that_was_not_rejected_has_it(db: Database) -> None:
    first = await registered(db, token_symbol="HARBOUR")
    with pytest.raises(SymbolTaken):
        await registered(db, token_symbol="HARBOUR")
    await decided(db, first.market_id, Decision.REJECTED)
    second = await registered(db, token_symbol="HARBOUR")
    await decided(db, second.market_id, Decision.APPROVED)
    with pytest.raises(SymbolTaken):
        await registered(db, token_symbol="HARBOUR")


async def test_one_market_gets_the_symbol_when_many_ask_at_once(db: Database) -> None:
    callers = [await issuer(db) for _ in range(6)]
    ended = await asyncio.gather(
        *(registered(db, caller, token_symbol="PIER") for caller in callers), return_exceptions=True
    )
    assert Counter(type(end) for end in ended) == {Market: 1, SymbolTaken: 5}


async def test_a_symbol_is_refused_when_a_token_of_the_platform_has_it(db: Database) -> None:
    market = await market_in(db, _S.ACTIVE)
    async with db.transaction() as tx:
        await tx.execute("UPDATE tokens SET symbol = 'CASH' WHERE market_id = $1", market.market_id)
    with pytest.raises(SymbolTaken):
        await registered(db, token_symbol="CASH")


async def test_a_registration_is_refused_when_the_caller_acts_for_no_issuer(db: Database) -> None:
    caller = replace(await issuer(db), entity_id=None)
    with pytest.raises(IssuerEntityMissing):
        await registered(db, caller)


async def test_a_market_is_approved_again_when_its_activation_failed_for_good(db: Database) -> None:
    market = await market_in(db, _S.ACTIVATING)
    for attempt in (7, 1, 1):
        async with db.transaction() as tx:
            await service.fail_activation(tx, market.market_id, attempt, "no gas " * 1000)
    failed = await load(db, market.market_id)
    assert (failed.status, failed.metadata["activationError"]["attempt"]) == (_S.APPROVED, 1)
    assert len(failed.metadata["activationError"]["error"]) == 1000
    assert (await history(db, market.market_id)).count("activation_failed") == 1


async def test_a_market_goes_live_once_when_its_activation_is_finished_twice(db: Database) -> None:
    market = await market_in(db, _S.ACTIVATING)
    ended = deployment()
    for _ in range(2):
        async with db.transaction() as tx:
            await service.finish_activation(tx, market.market_id, ended, 31337)
    live = await load(db, market.market_id)
    assert (live.status, live.contract_address, live.deployment_tx_hash) == (
        _S.ACTIVE,
        ended.address,
        ended.tx_hash,
    )
    assert (await history(db, market.market_id)).count("activated") == 1


async def test_the_request_for_approval_carries_facts_and_documents_when_a_market_is_registered(
    db: Database,
) -> None:
    caller = await issuer(db)
    document = await put(db, caller)
    attributes = {"sqft": 12500, "yield": 5.25, "units": [1, 2.5]}
    details = AssetDetails(
        "12.50", "USD", {"city": "Hamburg"}, (document.document_id,), {"by": "BaFin"}, attributes
    )

    market = await registered(db, caller, asset=details, total_supply="0.5")

    async with db.reading() as connection:
        told = await connection.fetchval(
            "SELECT payload FROM events WHERE event_type = 'market.approval_requested' AND stream_id = $1",
            market.market_id,
        )
        kept = await connection.fetchrow("SELECT * FROM market_assets WHERE market_id = $1", market.market_id)
    assert kept is not None and kept["attributes"] == attributes
    assert (told["facts"]["totalSupply"], told["facts"]["attributes"]) == ("0.5", attributes)
    assert told["documents"][0]["sha256"] == "0x" + "11" * 32
    assert told["issuer"]["userId"] == str(caller.user_id)


async def test_a_registration_is_refused_when_a_document_is_another_users(db: Database) -> None:
    other = await put(db, await issuer(db))
    for document_id in (other.document_id, DocumentId(uuid4())):
        with pytest.raises(Invalid) as refused:
            await registered(db, asset=AssetDetails(compliance_documents=(document_id,)))
        assert [error.code for error in refused.value.errors] == ["document_not_found"]


async def put(db: Database, caller: Any, replaces: Document | None = None) -> Document:
    command = AddDocument(
        "Deed", "deed", "", b"\x11" * 32, 3, replaces.document_id if replaces else None, {"page": "1"}
    )
    async with db.transaction() as tx:
        return await markets.add_document(tx, caller, command)


async def test_a_document_has_versions_when_it_is_replaced(db: Database) -> None:
    caller = await issuer(db)
    first = await put(db, caller)
    second = await put(db, caller, first)
    third = await put(db, caller, second)
    assert [one.version for one in (first, second, third)] == [1, 2, 3]
    assert await markets.document(db, third.document_id) == third


async def test_a_document_is_replaced_once_when_several_try_at_once(db: Database) -> None:
    caller = await issuer(db)
    first = await put(db, caller)
    ended = await asyncio.gather(*(put(db, caller, first) for _ in range(6)), return_exceptions=True)
    assert Counter(type(end) for end in ended) == {Document: 1, NewerVersionExists: 5}


async def test_a_document_is_not_replaced_when_it_is_another_users(db: Database) -> None:
    first = await put(db, await issuer(db))
    with pytest.raises(DocumentNotFound):
        await put(db, await issuer(db), first)


@pytest.mark.parametrize("start", [status for status in _S if status is not _S.DRAFT])
async def test_every_illegal_step_leaves_the_market_as_it_was_when_it_is_tried(
    db: Database, start: _S
) -> None:
    market = await market_in(db, start)
    told = await history(db, market.market_id)
    for step in (_approve, _reject, _activate, _pause, _resume, _archive):
        await _take_back(db, market.market_id, step)
    assert await load(db, market.market_id) == market
    assert await history(db, market.market_id) == told


def test_builders_give_symbols_of_their_own_when_called_twice() -> None:
    assert asset().token_symbol != asset().token_symbol


async def test_every_fact_says_what_the_market_was_before_and_after(db: Database) -> None:
    """The whole life of a market, with each turn that it can take."""
    failed = await market_in(db, _S.APPROVED)
    rejected = await market_in(db, _S.REJECTED)
    live = await market_in(db, _S.PAUSED)
    await _take(db, live.market_id, _resume)
    await _take(db, live.market_id, _archive)
    for market in (failed, rejected, live):
        async with db.reading() as connection:
            told = await connection.fetch(
                "SELECT event_type, before, after FROM events WHERE stream_id = $1 ORDER BY position",
                market.market_id,
            )
        for fact, following in itertools.pairwise(told):
            assert fact["after"] == following["before"], following["event_type"]
            assert fact["after"]["status"] != following["after"]["status"]
        assert told[0]["before"] == {"status": None}
        assert told[-1]["after"] == (await load(db, market.market_id)).audited
