"""The truths of compliance: each holds after decisions of every kind, and finds the violation planted for it."""

from collections.abc import AsyncIterator

import pytest

from deedbook import compliance
from deedbook.compliance import Applicant, KycStatus, RecordChange
from deedbook.identity import Caller
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import new_uuid
from deedbook.truths.compliance import QUERIES
from deedbook.truths.proof import one_moment, prove
from tests.compliance.support import open_desk
from tests.support.servers import PostgresServer
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="module")
async def decided(postgres: PostgresServer) -> AsyncIterator[str]:
    """Books in which compliance has decided all sorts of things; each test works on a copy."""
    dsn = await postgres.new_database()
    db = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S)
    desk = await open_desk(db)
    user_id, thawed, rejected, asking = [await desk.investor() for _ in range(4)]
    await desk.freeze(user_id)
    await desk.freeze(thawed)
    await desk.freeze(thawed, frozen=False)
    await desk.sanction(user_id)
    await desk.sanction(user_id, sanctioned=False)
    await desk.set_record(rejected, RecordChange(kyc_status=KycStatus.REJECTED))
    caller = Caller(asking, Address("0x" + "01" * 20), None, frozenset(), new_uuid())
    async with db.transaction() as tx:
        await compliance.request_check(tx, caller, asking, desk.token, Applicant("Ada", "LU", ()))
    newcomer = Caller(await desk.user(), Address("0x" + "02" * 20), None, frozenset(), new_uuid())
    async with db.transaction() as tx:
        await compliance.request_check(tx, newcomer, newcomer.user_id, desk.token, Applicant("Bo", "LU", ()))
    await desk.pause()
    await db.close()
    yield dsn
    await postgres.drop(dsn)


@pytest.fixture
async def books(decided: str, postgres: PostgresServer) -> AsyncIterator[Database]:
    dsn = await postgres.copy(decided)
    db = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S)
    yield db
    await db.close()
    await postgres.drop(dsn)


async def broken(db: Database) -> dict[str, tuple[str, ...]]:
    async with one_moment(db) as connection:
        return {truth.name: truth.findings for truth in await prove(connection, QUERIES) if not truth.holds}


async def test_compliance_is_true_after_decisions_of_every_kind(books: Database) -> None:
    assert await broken(books) == {}


AGO = "now() - interval '2 hours'"


@pytest.mark.parametrize(
    ("says", "violation"),
    [
        (
            "history says",
            "UPDATE compliance_records SET kyc_status = 'APPROVED' WHERE kyc_status = 'REJECTED'",
        ),
        ("history says", "UPDATE compliance_records SET whitelisted = true WHERE NOT whitelisted"),
        ("is not frozen", "UPDATE compliance_profiles SET frozen = false WHERE frozen"),
        ("is frozen", "UPDATE compliance_profiles SET frozen = true WHERE NOT frozen"),
        ("is sanctioned", "UPDATE compliance_profiles SET sanctioned = true"),
        ("not heard for long of account", f"UPDATE compliance_profiles SET updated_at = {AGO}"),
        ("not heard for long of a pause", f"UPDATE compliance_rules SET updated_at = {AGO}"),
        (
            "approved beyond its end",
            f"UPDATE compliance_records SET expires_at = {AGO} WHERE kyc_status = 'APPROVED'",
        ),
        ("check without an answer", "DELETE FROM jobs"),
        (
            "pledged for long",
            (
                "INSERT INTO compliance_pledges (operation_id, token_id, receiver, amount, created_at) "
                f"SELECT gen_random_uuid(), token_id, user_id, 1, {AGO} FROM compliance_records LIMIT 1"
            ),
        ),
        (
            "by themselves",
            (
                "INSERT INTO events (event_id, event_type, version, stream_type, stream_id, actor_id, actor_type, "
                "payload, after, correlation_id) SELECT gen_random_uuid(), 'compliance.screened', 1, 'compliance', "
                "user_id, user_id, 'compliance', '{}', '{\"sanctioned\": false}', '' FROM compliance_profiles LIMIT 1"
            ),
        ),
    ],
)
async def test_a_violation_is_found(books: Database, says: str, violation: str) -> None:
    async with books.transaction() as tx:
        await tx.execute(violation)
    found = [finding for findings in (await broken(books)).values() for finding in findings]
    assert any(says in finding for finding in found), found
