"""The sealed record: every row is sealed once, and every change by somebody with all rights is found."""

import asyncio
import hashlib
import json
from uuid import UUID, uuid4

import pytest

from deedbook.infra import audit
from deedbook.infra.audit import sealer
from deedbook.infra.audit.seals import EVENTS, LEDGER_LINES, Stretch, first_hash
from deedbook.infra.database import Database
from deedbook.infra.jobs import SEAL_AUDIT, seal_audit
from deedbook.kernel.jobs import Job
from tests.support.facts import a_fact, count, tell
from tests.support.owner import as_owner
from tests.support.waiting import eventually

NO_GUARDS = (
    "ALTER TABLE events DISABLE TRIGGER ALL; ALTER TABLE ledger_lines DISABLE TRIGGER ALL; "
    "ALTER TABLE audit_seals DISABLE TRIGGER ALL; "
)


async def findings(db: Database, **how: object) -> list[str]:
    reports = await audit.verify(db, **how)  # type: ignore[arg-type]
    return [finding for report in reports for finding in report.findings]


async def add_lines(db: Database, number: int) -> None:
    """Ledger lines as they stand in the table; the ledger itself is not the matter here."""
    async with db.transaction() as tx:
        for _ in range(number):
            await tx.execute(
                "INSERT INTO ledger_lines (posting_id, number, kind, account_id, token_id, amount) "
                "VALUES ($1, 1, 'trade', $2, $3, 5)",
                uuid4(),
                uuid4(),
                uuid4(),
            )


@pytest.fixture
async def sealed(db: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Twelve facts and twelve lines under seals of four rows each, and two facts that wait for theirs."""
    monkeypatch.setattr(sealer, "ROWS_EACH", 4)
    for part in range(4):
        await tell(db, *(f"{part}-{number}" for number in range(3)))
        await add_lines(db, 3)
    sealed_rows = 0

    async def all_sealed() -> bool:
        nonlocal sealed_rows
        sealed_rows += await audit.seal(db)
        return sealed_rows == 24

    await eventually(all_sealed, "all rows are sealed")
    await tell(db, "late", "later")
    return db


async def test_every_row_is_sealed_once_when_sealers_meet(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealer, "ROWS_EACH", 3)
    for part in range(6):
        await tell(db, *(f"{part}-{number}" for number in range(7)))
        await asyncio.gather(*(audit.seal(db) for _ in range(4)))

    async def all_sealed() -> bool:
        """A transaction of any database of the server holds rows back for as long as it runs."""
        await audit.seal(db)
        async with db.reading() as connection:
            return bool(await connection.fetchval("SELECT sum(row_count) = 42 FROM audit_seals"))

    await eventually(all_sealed, "all rows are sealed")
    assert await findings(db) == []
    assert await audit.seal(db) == 0, "there is nothing left, and no empty seal"


async def test_row_waits_for_its_seal_when_an_older_transaction_is_open(db: Database) -> None:
    """Otherwise the older one could still write a row into a stretch that is closed."""
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def early() -> None:
        async with db.transaction() as tx:
            await tx.execute("SELECT pg_current_xact_id()")
            entered.set()
            await go_on.wait()
            tx.emit(a_fact("early id, late row"))

    task = asyncio.create_task(early())
    await entered.wait()
    await tell(db, "late")
    assert await audit.seal(db) == 0
    go_on.set()
    await task
    assert await audit.seal(db) == 2
    assert await findings(db) == []


async def test_report_says_what_was_looked_at_when_all_holds(sealed: Database) -> None:
    told: list[tuple[str, int]] = []
    events, lines, trading = await audit.verify(
        sealed, progress=lambda stream, rows: told.append((stream, rows))
    )
    assert (events.stream, events.seals, events.rows, events.unsealed_rows) == ("events", 3, 12, 2)
    assert (lines.stream, lines.seals, lines.rows, lines.unsealed_rows) == ("ledger_lines", 3, 12, 0)
    assert (trading.stream, trading.seals, trading.rows) == ("trading_facts", 0, 0)
    assert events.findings == lines.findings == trading.findings == ()
    assert len(events.head_hash) == 64
    assert told == [], "so few rows need no progress"


async def test_hash_is_that_of_the_declared_form_when_it_is_computed_by_hand(sealed: Database) -> None:
    """Whoever verifies with tools of their own needs nothing of ours but this form."""
    async with sealed.reading() as connection:
        rows = await connection.fetch(
            f"SELECT {', '.join(LEDGER_LINES.columns)} FROM ledger_lines AS r ORDER BY r.tx_id, r.line_id LIMIT 4"
        )
        seal = await connection.fetchrow(
            "SELECT seal_hash, to_char(sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at "
            "FROM audit_seals WHERE stream = 'ledger_lines' AND seal_number = 1"
        )
    assert seal is not None
    lines = [["ledger_lines", "1"], *(list(row) for row in rows), ["4", rows[-1][0], rows[-1][1], seal["at"]]]
    told = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
    assert (
        hashlib.sha256(hashlib.sha256(b"deedbook audit ledger_lines").digest() + told).digest()
        == seal["seal_hash"]
    )


def test_hash_differs_when_anything_in_a_row_does() -> None:
    """Also where the same characters stand, divided otherwise."""
    from datetime import UTC, datetime

    def of(*rows: tuple[str | None, ...], number: int = 1) -> bytes:
        stretch = Stretch(EVENTS, number, first_hash(EVENTS))
        for row in rows:
            stretch.add(row)
        return stretch.close(datetime(2026, 1, 1, tzinfo=UTC))

    hashes = [
        of(("1", "1", "ab", "c")), of(("1", "1", "a", "bc")), of(("1", "1", "ab,c")), of(("1", "1", "ab", None)),
        of(("1", "1", "ab", "")), of(("1", "1", "ab", "null")), of(("1", "1", "ab"), ("1", "2", "c")),
        of(("1", "2", "c"), ("1", "1", "ab")), of(("1", "1", "ab", "c"), number=2), of(),
    ]  # fmt: skip
    assert len(set(hashes)) == len(hashes)


THIRD_EVENT = "(SELECT position FROM events ORDER BY tx_id, position OFFSET 2 LIMIT 1)"
CHANGES = {
    "a payload is altered": (
        "UPDATE events SET payload = payload || '{{\"jobId\": \"forged\"}}' WHERE position = {third}",
        "seal 1 has another hash"),
    "an amount is altered": (
        "UPDATE ledger_lines SET amount = amount + 1 WHERE line_id = (SELECT max(line_id) FROM ledger_lines)",
        "ledger_lines: seal 3 has another hash"),
    "who did it is altered": (
        "UPDATE events SET actor_id = gen_random_uuid() WHERE position = {third}", "seal 1 has another hash"),
    "what it was before is added": (
        "UPDATE events SET before = '{{}}' WHERE position = {third}", "seal 1 has another hash"),
    "a moment is altered by a microsecond": (
        "UPDATE events SET occurred_at = occurred_at + interval '1 microsecond' WHERE position = {third}",
        "seal 1 has another hash"),
    "a row is deleted": ("DELETE FROM events WHERE position = {third}", "seal 1 covers 4 rows, 3 stand there"),
    "a row is inserted": (
        ("INSERT INTO events (event_id, event_type, version, stream_type, stream_id, actor_type, payload, tx_id) "
        "SELECT gen_random_uuid(), event_type, version, stream_type, stream_id, actor_type, payload, tx_id FROM events "
        "ORDER BY tx_id LIMIT 1"), "seal 1 covers 4 rows, 5 stand there"),
    "two rows are swapped": (
        ("CREATE TEMP TABLE two AS SELECT position, event_id, payload FROM events ORDER BY tx_id, position LIMIT 2;"
        "UPDATE events e SET event_id = gen_random_uuid() FROM two t WHERE e.position = t.position;"
        "UPDATE events e SET event_id = t.event_id, payload = t.payload FROM two t "
        "WHERE e.position IN (SELECT position FROM two) AND e.position <> t.position"), "seal 1 has another hash"),
    "a seal is deleted": ("DELETE FROM audit_seals WHERE seal_number = 2", "seal 3 follows seal 1"),
    "the first seal is deleted": ("DELETE FROM audit_seals WHERE seal_number = 1", "seal 2 follows seal 0"),
    "a seal is altered": (
        "UPDATE audit_seals SET seal_hash = sha256('forged') WHERE seal_number = 3", "seal 3 has another hash"),
    "a seal's moment is altered": (
        "UPDATE audit_seals SET sealed_at = sealed_at - interval '1 day' WHERE seal_number = 3",
        "seal 3 has another hash"),
    "a seal is made anew over a forged row": (
        ("UPDATE events SET version = 9 WHERE position = {third};"
        "UPDATE audit_seals SET seal_hash = sha256('well computed') WHERE stream = 'events' AND seal_number = 1"),
        "events: seal 1 has another hash"),
    "a chain is joined anew at the wrong place": (
        "UPDATE audit_seals SET previous_hash = sha256('x') WHERE seal_number = 2", "seal 2 does not follow the hash"),
    "the tail is truncated": (
        ("DELETE FROM events WHERE tx_id = (SELECT last_tx_id FROM audit_seals WHERE stream = 'events' "
        "ORDER BY seal_number DESC LIMIT 1)"), "seal 3 covers 4 rows, 1 stand there"),
    "the table is truncated": ("TRUNCATE events", "events: seal 1 covers 4 rows, 0 stand there"),
    "seals are gone and nothing is sealed again": (
        "DELETE FROM audit_seals; UPDATE events SET occurred_at = now() - interval '1 hour'",
        "events: a row waits for its seal for 60 minutes"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "finding"), CHANGES.values(), ids=CHANGES)
async def test_change_is_found_when_the_owner_lowers_the_guards(
    sealed: Database, change: str, finding: str
) -> None:
    """A-36."""
    assert await findings(sealed) == []
    async with as_owner(sealed) as connection:
        await connection.execute(NO_GUARDS + change.format(third=THIRD_EVENT))
    found = await findings(sealed)
    assert any(finding in text for text in found), found


async def test_missing_tail_is_found_when_its_facts_had_been_delivered(sealed: Database) -> None:
    """Rows and seals are cut off together, so the chain itself is whole: the relay knows what it has seen."""
    async with as_owner(sealed) as connection:
        await connection.execute(
            "INSERT INTO relay_cursors (sink, tx_id, position) "
            "SELECT 'redis', tx_id, position FROM events ORDER BY tx_id DESC, position DESC LIMIT 1"
        )
        assert await findings(sealed) == []
        await connection.execute(
            NO_GUARDS
            + "DELETE FROM audit_seals WHERE seal_number > 1; DELETE FROM events e USING audit_seals s "
            "WHERE s.stream = 'events' AND (e.tx_id, e.position) > (s.last_tx_id, s.last_position)"
        )
    assert "events: redis has delivered a fact that is gone" in await findings(sealed)


async def test_missing_tail_is_found_when_its_head_was_noted_down(sealed: Database) -> None:
    """Nothing inside a database can prove what its owner cut off at the end; a note outside of it can."""
    noted = {report.stream: (report.seals, report.head_hash) for report in await audit.verify(sealed)}
    assert await findings(sealed, expected=noted) == []
    async with as_owner(sealed) as connection:
        await connection.execute(
            NO_GUARDS
            + "DELETE FROM audit_seals WHERE stream = 'events' AND seal_number = 3; UPDATE events SET version = 9 "
            "WHERE position = (SELECT max(position) FROM events)"
        )
    assert await findings(sealed, expected=noted) == ["events: seal 3 was noted down and is gone"]
    await audit.seal(sealed)
    assert await findings(sealed, expected=noted) == ["events: seal 3 has another hash than was noted down"]
    assert await findings(sealed) == []


async def test_older_seals_are_checked_for_their_chain_alone_when_the_work_is_bounded(
    sealed: Database,
) -> None:
    assert [report.rows for report in await audit.verify(sealed, newest_seals=1)] == [4, 4, 0]
    async with as_owner(sealed) as connection:
        await connection.execute(NO_GUARDS + f"UPDATE events SET version = 9 WHERE position = {THIRD_EVENT}")
        assert await findings(sealed, newest_seals=2) == []
        assert await findings(sealed, newest_seals=3) == [
            "events: seal 1 has another hash than its rows: one of them was changed, or the seal was"
        ]
        await connection.execute("DELETE FROM audit_seals WHERE stream = 'events' AND seal_number = 1")
    assert "events: seal 2 follows seal 0" in (await findings(sealed, newest_seals=1))[0]


async def test_numbers_are_sealed_to_the_last_digit_when_a_payload_holds_them(db: Database) -> None:
    """Read as floats, 0.1 and 0.10000000000000000001 would be one and the same."""
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO events (event_id, event_type, version, stream_type, stream_id, actor_type, payload) "
            "VALUES ($1, 't', 1, 's', $1, 'system', '{\"yield\": 0.1, \"big\": 100000000000000000000001}')",
            UUID(int=7),
        )
    await audit.seal(db)
    for forged in ('{"yield": 0.10000000000000000001, "big": 100000000000000000000001}',
                   '{"yield": 0.1, "big": 100000000000000000000002}',
                   '{"yield": 0.10, "big": 100000000000000000000001}'):  # fmt: skip
        async with as_owner(db) as connection:
            await connection.execute(NO_GUARDS + f"UPDATE events SET payload = '{forged}'")
        assert len(await findings(db)) == 1
    async with as_owner(db) as connection:
        await connection.execute(
            'UPDATE events SET payload = \'{"big": 100000000000000000000001, "yield": 0.1}\''
        )
    assert await findings(db) == [], "the order of keys is no content"


async def test_batches_of_trading_facts_are_sealed_as_well(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO trading_facts (batch_id, pair_id, first_seq, last_seq, facts) VALUES ($1, $1, 1, 2, '{}')",
            uuid4(),
        )
    await audit.seal(db)
    async with as_owner(db) as connection:
        await connection.execute(
            "ALTER TABLE trading_facts DISABLE TRIGGER ALL; UPDATE trading_facts SET facts = '{\"forged\": 1}'"
        )
    assert "trading_facts: seal 1 has another hash" in (await findings(db))[0]


async def test_job_seals_and_does_no_more_when_it_is_run_again(db: Database) -> None:
    await tell(db, "one")
    resources = type("Here", (), {"db": db})()
    for _ in range(2):
        await seal_audit(resources, Job("job", SEAL_AUDIT.name, {}))
    assert await count(db, "audit_seals") == 1
