"""The truths of supply: each holds after mints of every fate, and each finds the violation that is planted for it."""

from collections.abc import AsyncIterator

import pytest

from deedbook import tokens, truths
from deedbook.infra.database import Database
from deedbook.tokens import supply as supplying
from tests.support.servers import PostgresServer
from tests.support.waiting import PATIENCE_S
from tests.tokens.support import Issue, issue


@pytest.fixture(scope="module")
async def minted(postgres: PostgresServer) -> AsyncIterator[tuple[str, str]]:
    """Books in which mints have come to every end; each test works on a copy."""
    dsn = await postgres.new_database()
    db = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S)
    issued = await issue(db)
    done = await issued.approved("100")
    await issued.complete(done)
    by_policy = await issued.ask("10", automatic="10")
    await issued.complete(by_policy)
    failed = await issued.approved("5")
    async with db.transaction() as tx:
        await supplying.fail_mint(tx, failed.mint_id, "no gas")
        await tokens.change_supply(tx, issued.token_id, -(10**18) // 4, "0x" + "cd" * 32)
    await issued.decide(await issued.ask("1"), approve=False)
    await issued.ask("50")
    await issued.approved("60")
    await db.close()
    yield dsn, str(done.mint_id)
    await postgres.drop(dsn)


@pytest.fixture
async def books(minted: tuple[str, str], postgres: PostgresServer) -> AsyncIterator[Database]:
    dsn = await postgres.copy(minted[0])
    db = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S)
    yield db
    await db.close()
    await postgres.drop(dsn)


async def broken(db: Database) -> dict[str, tuple[str, ...]]:
    return {
        truth.name.removeprefix("INV-6 "): truth.findings
        for truth in await truths.check_supply(db)
        if not truth.holds
    }


async def test_supply_is_true_after_mints_of_every_fate(books: Database) -> None:
    assert len(await truths.check_supply(books)) == 4
    assert await broken(books) == {}


@pytest.mark.parametrize(
    ("name", "finding", "violation"),
    [
        (
            "supply is what was issued",
            "its history says",
            "UPDATE tokens SET total_supply = total_supply + 1 WHERE market_id IS NOT NULL",
        ),
        (
            "each mint has one effect",
            "told twice: mint {done}",
            (
                "INSERT INTO events (event_id, event_type, version, stream_type, stream_id, actor_type, payload) "
                "SELECT gen_random_uuid(), event_type, version, stream_type, stream_id, actor_type, payload "
                "FROM events WHERE event_type = 'token.minted' AND payload ->> 'mintId' = '{done}'"
            ),
        ),
        (
            "each mint has one effect",
            "mint {done} is FAILED, its history says otherwise",
            "UPDATE mint_requests SET status = 'FAILED' WHERE mint_id = '{done}'",
        ),
        (
            "each mint has one effect",
            "is SUBMITTED and the chain was never asked",
            "UPDATE mint_requests SET status = 'SUBMITTED' WHERE status = 'APPROVED'",
        ),
        (
            "no mint without a second person",
            "is APPROVED",
            "UPDATE mint_requests SET status = 'APPROVED' WHERE status = 'PENDING_APPROVAL'",
        ),
        (
            "no mint without a second person",
            "mint {done} is COMPLETED",
            "UPDATE mint_requests SET decided_by = NULL WHERE mint_id = '{done}'",
        ),
        (
            "no more is asked for than the cap leaves",
            "asked for, of at most",
            "UPDATE mint_requests SET amount = amount * 1000 WHERE status = 'PENDING_APPROVAL'",
        ),
    ],
)
async def test_a_truth_of_supply_is_broken_when_its_violation_is_planted(
    books: Database, minted: tuple[str, str], name: str, finding: str, violation: str
) -> None:
    async with books.pool.acquire() as connection:
        await connection.execute(violation.format(done=minted[1]))
    found = await broken(books)
    [named] = [told for told in found if told.startswith(name)]
    assert any(finding.format(done=minted[1]) in text for text in found[named]), found


async def test_a_fresh_token_is_true(db: Database) -> None:
    issued: Issue = await issue(db)
    assert (await issued.token()).total_supply == 1000 * 10**18
    assert await broken(db) == {}
