"""Who cancels on the chain what they signed: an order that rests ends, a trade fails once it cannot settle."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from deedbook import identity
from deedbook.chain.delivery import FailureReason
from deedbook.chain.vault import VaultEventKind
from deedbook.custody import consents
from deedbook.identity import SignedAction
from deedbook.identity.errors import NonceUsed
from deedbook.identity.typed_data import SWAP
from deedbook.infra.database import Database
from deedbook.kernel.jobs import Job
from deedbook.trading import intake_store
from deedbook.trading.admission import Admitted
from deedbook.trading.intake import Verdict
from deedbook.trading.jobs import end_withdrawn
from deedbook.trading.terms import END_WITHDRAWN
from tests.custody.support import Person
from tests.settlement.support import Floor
from tests.support.vault_logs import told, vault_event
from tests.support.waiting import eventually


async def cancel_on_chain(floor: Floor, person: Person, digest: bytes) -> None:
    event = vault_event(VaultEventKind.ORDER_CANCELLED, person.account, 0, reference=digest)
    await floor.house.happen(told(replace(event, token="0x" + "00" * 20)))  # type: ignore[arg-type]


async def heard(db: Database) -> list[dict[str, str]]:
    """What was told of consent taken back, as its listener's job gets it."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT payload FROM events WHERE event_type = 'consent.withdrawn' ORDER BY position"
        )
    return [row["payload"] for row in rows]


async def listen(floor: Floor) -> None:
    """Run the listener on all that was told, twice each."""
    for payload in await heard(floor.db):
        for _ in range(2):
            async with floor.db.transaction() as tx:
                await end_withdrawn(tx, Job("x", END_WITHDRAWN.name, payload))
    while await floor.matcher.step():
        pass


async def status_of(floor: Floor, order: Admitted) -> tuple[str, str | None]:
    [row] = await floor.house.rows("SELECT status, reason FROM orders WHERE order_id = $1", order.order_id)
    return row["status"], row["reason"]


async def test_a_resting_order_ends_when_its_owner_cancels_it_on_the_chain(floor: Floor) -> None:
    buyer, other = await floor.buyer(), await floor.buyer()
    mine, theirs = floor.order(buyer, "BUY", "1", "9.00"), floor.order(other, "BUY", "1", "9.00")
    await floor.place(mine, theirs)
    await cancel_on_chain(floor, other, mine.digest)
    await cancel_on_chain(floor, buyer, b"\7" * 32)
    assert await heard(floor.db) == []
    await cancel_on_chain(floor, buyer, mine.digest)
    await cancel_on_chain(floor, buyer, mine.digest)
    await listen(floor)
    assert await status_of(floor, mine) == ("CANCELLED", "cancelled")
    assert await status_of(floor, theirs) == ("OPEN", None)
    assert await floor.house.balance(buyer) == (10_000 * 10**6, 0)
    commands = await floor.house.rows("SELECT effective FROM order_commands WHERE kind = 'CANCEL'")
    assert [row["effective"] for row in commands] == [True]
    await floor.require_truths()


async def test_what_was_cancelled_on_the_chain_beforehand_is_not_taken_in(floor: Floor) -> None:
    """Its fills would cost nothing and always be undone."""
    buyer, other = await floor.buyer(), await floor.buyer()
    mine, theirs = floor.order(buyer, "BUY", "1", "9.00"), floor.order(other, "BUY", "1", "9.00")
    for _ in range(2):
        await cancel_on_chain(floor, buyer, mine.digest)
    await cancel_on_chain(floor, buyer, theirs.digest)
    told = await intake_store.take(floor.db, [mine, theirs])
    assert [Verdict(row.verdict) for row in told] == [Verdict.NONCE_USED, Verdict.ACCEPTED]
    assert await floor.house.balance(buyer) == (10_000 * 10**6, 0)
    action = SignedAction(
        SWAP, buyer.account, "another", mine.expires_at, mine.text.values(), mine.digest, mine.signature
    )
    with pytest.raises(NonceUsed):
        async with floor.db.transaction() as tx:
            await identity.record_action(tx, action, uuid4())
    assert await heard(floor.db) == []


async def test_a_trade_fails_at_once_when_the_chain_takes_the_consent_as_withdrawn(floor: Floor) -> None:
    """A day after the cancel the contract refuses; until then what was matched before still settles."""
    buyer, seller = await floor.buyer(), await floor.seller()
    order = floor.order(buyer, "BUY", "2", "10.00")
    await floor.place(floor.order(seller, "SELL", "1", "10.00"), order)
    [trade_id] = await floor.trades()
    floor.words.refuses[trade_id] = FailureReason.CANCELLED
    await cancel_on_chain(floor, buyer, order.digest)
    await listen(floor)
    await floor.settle_all()
    assert (await floor.status(trade_id), (await floor.row(trade_id))["reason"]) == (
        "FAILED",
        "cancelled_by_trader",
    )
    assert await status_of(floor, order) == ("CANCELLED", "cancelled")
    assert await floor.house.balance(buyer) == (10_000 * 10**6, 0)
    assert await floor.settled_events(trade_id) == 0
    await floor.require_truths()


async def test_an_order_ends_that_was_being_taken_in_when_it_was_cancelled_on_the_chain(floor: Floor) -> None:
    """It has looked, and found nothing cancelled; it is not there yet for whoever cancels it."""
    buyer = await floor.buyer()
    mine = floor.order(buyer, "BUY", "1", "9.00")
    async with floor.db.transaction() as held:
        # Its nonce is written by then, and it waits for the balance that it sets aside.
        await held.execute("SELECT FROM user_balances WHERE user_id = $1 FOR UPDATE", buyer.user_id)
        taking = asyncio.create_task(intake_store.take(floor.db, [mine]))
        await eventually(lambda: _waits_for_a_lock(floor.db), "it waits", within_s=30)
        await cancel_on_chain(floor, buyer, mine.digest)
        assert await heard(floor.db) == []
        looking = asyncio.create_task(consents.find_late(floor.db, buyer.account, mine.digest))
        await asyncio.sleep(0.2)
        assert not looking.done(), "it is awaited"
    assert [Verdict(row.verdict) for row in await taking] == [Verdict.ACCEPTED]
    await looking
    assert [told["actionId"] for told in await heard(floor.db)] == [str(mine.order_id)]
    await listen(floor)
    assert await status_of(floor, mine) == ("CANCELLED", "cancelled")
    assert await floor.house.balance(buyer) == (10_000 * 10**6, 0)
    jobs_asked = await floor.house.rows("SELECT data FROM jobs WHERE name = 'find-late-text'")
    assert [row["data"]["digest"] for row in jobs_asked] == [mine.digest.hex()]
    await floor.require_truths()


async def _waits_for_a_lock(db: Database) -> bool:
    async with db.reading() as connection:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
