"""The channel `ops`: how everything works, told to those who operate it and to nobody else."""

import time
from uuid import uuid4

import asyncpg
import pytest

from deedbook.api.live.connection import Connection
from deedbook.api.live.operations import Operations
from deedbook.identity import Caller, Recognition, Role
from deedbook.identity.service import KeyRing
from deedbook.identity.terms import Address, VouchedFor
from deedbook.kernel.ids import UserId
from tests.api.live.conftest import Stand
from tests.api.live.support import Listener, listening
from tests.api.live.test_asyncapi import fits
from tests.api.live.test_private import signed_in
from tests.api.snapshot import socket_contract
from tests.support.fake_chain import CHAIN_ID
from tests.support.waiting import eventually
from tests.support.world import World


async def hears(listener: Listener) -> str:
    """What the answer to a subscription is."""
    told = await listener.ask(op="subscribe", channel="ops")
    return str(told["problem"]["code"] if told["type"] == "error" else told["type"])


async def test_operators_hear_what_fails_and_that_it_was_mended(stand: Stand) -> None:
    world = stand.floor.world
    async with listening(stand.address) as listener, listening(stand.address) as another:
        for one in (listener, another):
            await signed_in(one, await world.user(Role.OPERATOR))
        first = await listener.subscribe("ops")
        assert (first["queues"], first["reconciliation"]) == ([], None)
        assert first["stuck"] == {"orders": 0, "commands": 0, "since": None}
        async with world.db.transaction() as tx:
            await tx.execute(
                "INSERT INTO jobs (job_id, queue, name, data, status) "
                "VALUES ('a-job', 'housekeeping', 'a-name', '{}', 'failed')"
            )
        await another.subscribe("ops")  # what is shown to another just then is told to the first all the same
        failed = await listener.wait(lambda told: told["type"] == "update" and bool(told["queues"]))
        assert [(one["name"], one["failed"]) for one in failed["queues"]] == [("housekeeping", 1)]
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE jobs SET status = 'retried'")
        mended = await listener.wait(
            lambda told: told["type"] == "update" and not any(one["failed"] for one in told["queues"])
        )
    document = socket_contract()
    for message in (first, failed, mended):
        fits(document, "OpsMessage", message)


async def test_heartbeats_go_on_when_what_operators_hear_of_cannot_be_read(stand: Stand) -> None:
    world = stand.floor.world
    dsn = world.resources.settings.DATABASE_URL
    assert dsn is not None
    owner = await asyncpg.connect(dsn.get_secret_value())
    async with listening(stand.address) as listener:
        await signed_in(listener, await world.user(Role.OPERATOR))
        await listener.subscribe("ops")
        await owner.execute("ALTER TABLE jobs RENAME TO jobs_out_of_reach")
        try:
            first = await listener.wait(lambda told: told["type"] == "heartbeat")
            await listener.wait(lambda told: told["type"] == "heartbeat" and told["n"] > first["n"] + 1)
        finally:
            await owner.execute("ALTER TABLE jobs_out_of_reach RENAME TO jobs")
            await owner.close()


async def test_nobody_else_hears_it(stand: Stand) -> None:
    for roles in ((), (Role.COMPLIANCE,), (Role.ISSUER,)):
        async with listening(stand.address) as listener:
            assert await hears(listener) == "unauthenticated"
            await signed_in(listener, await stand.floor.world.user(*roles))
            assert await hears(listener) == "forbidden"


async def test_who_is_no_operator_any_more_is_sent_away(stand: Stand) -> None:
    world = stand.floor.world
    admin = await world.user(Role.ADMIN)
    async with listening(stand.address) as listener:
        await signed_in(listener, admin)
        await listener.subscribe("ops")
        async with world.db.transaction() as tx:
            await tx.execute("DELETE FROM user_roles WHERE user_id = $1", admin.user_id)
        assert await listener.until_closed() == (4403, "role_over")


class Deaf:
    """The far end of a socket that nobody reads."""

    async def write(self, text: str) -> None:
        return

    async def close(self, code: int, reason: str) -> None:
        return

    def abort(self) -> None:
        return


async def test_an_operator_whom_an_issuer_vouches_for_is_sent_away_too(shared: World) -> None:
    operator, subject = await shared.user(Role.OPERATOR), uuid4()
    async with shared.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO oidc_subjects (subject_id, issuer, subject, user_id, bound_at) "
            "VALUES ($1, 'https://issuer.test', $2, $3, now())",
            subject,
            str(subject),
            operator.user_id,
        )
    vouched = VouchedFor(time.time(), time.time() + 3600)
    roles = frozenset({Role.OPERATOR})
    connection = Connection(Deaf())
    connection.caller = Caller(UserId(operator.user_id), Address(""), None, roles, subject, vouched=vouched)
    operations = Operations(shared.db, CHAIN_ID)
    await operations.hear(connection)
    await operations.follow()
    assert not connection.over.is_set()
    async with shared.db.transaction() as tx:
        await tx.execute("DELETE FROM user_roles WHERE user_id = $1", operator.user_id)
    [connection.caller] = await Recognition(shared.db, KeyRing(shared.db), "us").again([connection.caller])
    await operations.follow()
    assert connection.over.is_set()


async def test_a_role_that_is_taken_away_takes_its_limit_of_orders_along(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the socket stays open: it is nobody else's, and hears what it may still hear."""
    world = stand.floor.world
    limiter = world.app.state.limiter
    monkeypatch.setitem(limiter.limits, "orders", 1)
    monkeypatch.setattr(limiter, "_order_limits", {"operator": 100})
    operator = await stand.floor.investor("1000", "0", Role.OPERATOR)
    async with listening(stand.address) as listener:
        await signed_in(listener, operator)

        async def place() -> int:
            told = await listener.ask(op="order", order=stand.floor.order(operator))
            return int(told["status"])

        assert [await place() for _ in range(2)] == [201, 201]
        async with world.db.transaction() as tx:
            await tx.execute("DELETE FROM user_roles WHERE user_id = $1", operator.user_id)

        async def is_over() -> bool:
            return await place() == 429

        await eventually(is_over, "the limit is that of everybody", every_s=0.3)
