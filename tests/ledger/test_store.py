"""The function behind which money moves, the statement that is derived from its lines, and who may touch them."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from deedbook.infra.database import APPLICATION_ROLE, Database
from deedbook.kernel.jobs import Job
from deedbook.ledger import (
    CHAIN,
    LineKind,
    between,
    holders,
    into_the_vault,
    post,
    posted,
    received_since,
    views,
)
from deedbook.ledger.jobs import CHECKPOINT_LEDGER, LINES_EACH, checkpoint_ledger
from tests.ledger.support import Books, open_books
from tests.support.facts import tell
from tests.support.owner import as_owner
from tests.support.waiting import PATIENCE_S

APPLY = (
    "SELECT ledger_apply($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::numeric[], $6::uuid[], $7::uuid[], "
    "$8::numeric[], $9::numeric[])"
)


async def apply(books: Books, lines: list[tuple[Any, ...]], deltas: list[tuple[Any, ...]]) -> None:
    """Call the function as it is, past our own checks. Lines are (posting, account, token, amount)."""
    async with books.db.transaction() as tx:
        await tx.execute(
            APPLY,
            [line[0] for line in lines],
            ["trade" for _ in lines],
            [line[1] for line in lines],
            [line[2] for line in lines],
            [line[3] for line in lines],
            [delta[0] for delta in deltas],
            [delta[1] for delta in deltas],
            [delta[2] for delta in deltas],
            [delta[3] for delta in deltas],
        )


async def refused(books: Books, lines: list[tuple[Any, ...]], deltas: list[tuple[Any, ...]]) -> str:
    """The SQLSTATE with which the function refuses; nothing may have changed then."""
    before = await books.balances()
    with pytest.raises(asyncpg.PostgresError) as error:
        await apply(books, lines, deltas)
    assert await books.balances() == before
    return str(error.value.sqlstate)


async def test_function_refuses_when_a_posting_does_not_sum_to_zero(books: Books) -> None:
    alice, bob, _ = books.accounts
    token, other = books.tokens
    one = uuid4()
    assert await refused(books, [(one, alice, token, 5)], [(alice, token, 5, 0)]) == "DL001"
    lines = [(one, alice, token, 5), (one, bob, other, -5)]
    assert await refused(books, lines, [(alice, token, 5, 0), (bob, other, -5, 0)]) == "DL001"
    lines = [(one, alice, token, 5), (uuid4(), CHAIN, token, -5)]
    assert await refused(books, lines, [(alice, token, 5, 0)]) == "DL001"


async def test_function_refuses_when_the_lines_do_not_explain_the_balances(books: Books) -> None:
    alice, bob, _ = books.accounts
    token, one = books.tokens[0], uuid4()
    lines = [(one, alice, token, 5), (one, CHAIN, token, -5)]
    assert await refused(books, lines, [(alice, token, 6, 0)]) == "DL001"
    assert await refused(books, lines, []) == "DL001"
    assert await refused(books, lines, [(alice, token, 5, 0), (bob, token, 1, 0)]) == "DL001"
    assert await refused(books, [], [(alice, token, 1, 0)]) == "DL001"
    assert await refused(books, [], [(alice, token, 0, 1)]) == "DL001"


async def test_function_refuses_when_a_balance_would_fall_below_zero(books: Books) -> None:
    alice, bob, _ = books.accounts
    token, one = books.tokens[0], uuid4()
    await books.deposit(alice, token, 10)
    lines = [(one, alice, token, -11), (one, bob, token, 11)]
    assert await refused(books, lines, [(alice, token, -11, 0), (bob, token, 11, 0)]) == "DL002"
    assert await refused(books, [], [(alice, token, 1, -1)]) == "DL002"
    assert await refused(books, [], [(alice, token, -11, 11)]) == "DL002"


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")], ids=str)
async def test_function_refuses_when_an_amount_is_no_number(books: Books, amount: Decimal) -> None:
    alice, token, one = books.accounts[0], books.tokens[0], uuid4()
    await books.deposit(alice, token, 10)
    lines = [(one, alice, token, amount), (one, CHAIN, token, -amount)]
    state = await refused(books, lines, [(alice, token, amount, 0)])
    assert state in ("DL001", "DL002", "22003", "23514")
    assert await books.untrue() == {}


@pytest.mark.parametrize("value", ["NaN", "-1", "Infinity"])
@pytest.mark.parametrize("column", ["available", "locked"])
async def test_balance_is_refused_when_it_is_negative_or_no_number(
    books: Books, column: str, value: str
) -> None:
    await books.deposit(books.accounts[0], books.tokens[0], 10)
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.NumericValueOutOfRangeError)):
        async with books.db.transaction() as tx:
            await tx.execute(f"UPDATE user_balances SET {column} = '{value}'")


async def test_posting_is_known_when_it_was_made(books: Books) -> None:
    made = await books.deposit(books.accounts[0], books.tokens[0], 10)
    async with books.db.transaction() as tx:
        assert await posted(tx, made)
        assert not await posted(tx, uuid4())


async def test_holders_are_those_who_hold_something_when_they_are_counted(books: Books) -> None:
    alice, bob, carol = books.accounts
    token = books.tokens[0]
    await books.deposit(alice, token, 10)
    await books.deposit(bob, token, 10)
    async with books.db.transaction() as tx:
        await post(tx, [between(uuid4(), LineKind.TRANSFER, bob, carol, token, 10, held=False)])
        assert await holders(tx, token) == 2
        assert await holders(tx, books.tokens[1]) == 0
        assert await received_since(tx, carol, token, 1) == 10
        assert await received_since(tx, bob, token, 1) == 10, "what was passed on had still come in"
    shown = await views.holders(books.db, token, None, 10)
    assert [row["user_id"] for row in shown] == sorted([alice, carol])
    assert await views.holders(books.db, token, max(alice, carol), 10) == []


async def test_statement_explains_every_balance_when_it_is_read_by_pages(books: Books) -> None:
    """The running balance is derived, across checkpoints and pages, and ends at the balance."""
    alice, token, other = books.accounts[0], *books.tokens
    for number in range(5):
        async with books.db.transaction() as tx:
            await post(
                tx,
                [
                    into_the_vault(uuid4(), LineKind.DEPOSIT, alice, each, 1 + (number + n) % 7)
                    for n in range(LINES_EACH // 2)
                    for each in (token, other)
                ],
            )
    resources = type("Here", (), {"db": books.db})()
    for _ in range(2):
        await checkpoint_ledger(resources, Job("job", CHECKPOINT_LEDGER.name, {}))
    async with books.db.reading() as connection:
        assert await connection.fetchval("SELECT count(*) FROM ledger_checkpoints") == 4
    for asked in (token, None):
        running: dict[Any, int] = {token: 0, other: 0}
        lines = await _whole_statement(books, alice, asked)
        for line in reversed(lines):
            running[line["token_id"]] += int(line["amount"])
            assert line["balance"] == running[line["token_id"]]
        assert len(lines) == 5 * LINES_EACH // (2 if asked else 1)
        assert (await books.balances())[(alice, token)] == (running[token], 0)
    assert await books.untrue() == {}


async def _whole_statement(books: Books, account: Any, token: Any) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    before = None
    while page := await views.statement(books.db, account, token, before, 200):
        lines += page
        before = page[-1]["line_id"]
    return lines


async def test_balances_are_shown_when_a_user_looks(books: Books) -> None:
    alice = books.accounts[0]
    await books.deposit(alice, books.tokens[0], 10)
    assert [row["available"] for row in await views.balances(books.db, alice)] == [10]
    never = await views.balance(books.db, alice, books.tokens[1])
    assert never is not None
    assert (never["available"], never["locked"]) == (0, 0)
    assert await views.balance(books.db, alice, uuid4()) is None


# Rights

WRITTEN_DOWN = ("events", "ledger_lines", "ledger_checkpoints", "audit_seals")
SET = {"events": "version = 2", "ledger_lines": "amount = 1", "ledger_checkpoints": "balance = 0",
       "audit_seals": "row_count = 9"}  # fmt: skip


@pytest.fixture
async def written(books: Books) -> Books:
    """A row in each table that may only grow."""
    await tell(books.db, "one")
    await books.deposit(books.accounts[0], books.tokens[0], 10)
    async with books.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO ledger_checkpoints VALUES ($1, $2, 1, 10)", books.accounts[0], books.tokens[0]
        )
        await tx.execute(
            "INSERT INTO audit_seals (stream, seal_number, last_tx_id, last_position, row_count, previous_hash, "
            "seal_hash) VALUES ('events', 1, '1', 1, 1, sha256(''), sha256('1'))"
        )
    return books


@pytest.mark.parametrize("table", WRITTEN_DOWN)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("who", ["application", "owner"])
async def test_history_is_refused_a_change_when_anybody_tries(
    written: Books, table: str, statement: str, who: str
) -> None:
    """A-36: the application has no right to; the owner, who has every right, is stopped by the triggers."""
    wanted = statement.format(table, SET[table])
    if who == "owner":
        async with as_owner(written.db) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await connection.execute(wanted)
        return
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        async with written.db.transaction() as tx:
            await tx.execute(wanted)


async def test_application_keeps_its_role_when_a_connection_is_used_again(db: Database) -> None:
    """The pool resets what a user of a connection has set; the role is not among it."""
    for _ in range(3):
        async with db.reading() as connection:
            assert await connection.fetchval("SELECT current_user") == APPLICATION_ROLE
            await connection.execute("SET statement_timeout = '1s'")


async def test_platform_works_when_its_login_owns_nothing(books: Books, dsn: str) -> None:
    """As an operator sets it up: migrations by the owner, everything else by a member of the application's role."""
    login = f"member_{uuid4().hex[:8]}"
    async with as_owner(books.db) as connection:
        await connection.execute(
            f"CREATE ROLE {login} LOGIN PASSWORD 'member-password' IN ROLE {APPLICATION_ROLE}"
        )
    parts = urlsplit(dsn)
    member = await Database.connect(
        urlunsplit(parts._replace(netloc=f"{login}:member-password@{parts.hostname}:{parts.port}")),
        acquire_timeout_s=PATIENCE_S,
    )
    try:
        theirs = await open_books(member)
        await theirs.deposit(theirs.accounts[0], theirs.tokens[0], 10)
        assert await theirs.balances() == {(theirs.accounts[0], theirs.tokens[0]): (10, 0)}
        async with member.pool.acquire() as connection:
            await connection.execute("RESET ROLE")
            for table in WRITTEN_DOWN:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"DELETE FROM {table}")
    finally:
        await member.close()
        async with as_owner(books.db) as connection:
            await connection.execute(f"DROP ROLE {login}")


async def test_application_may_neither_lower_a_guard_nor_change_the_schema(db: Database) -> None:
    for statement in (
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "DROP TRIGGER events_append_only ON events",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TABLE mine (id int)",
        "SET session_replication_role = replica",
        "UPDATE alembic_version SET version_num = '0'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.transaction() as tx:
                await tx.execute(statement)
