"""`deedbook audit`: what it says, what it exits with, and the file that it writes."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deedbook.infra import audit
from deedbook.infra.database import Database
from deedbook.stack.audit import export, parse_head, verify
from tests.support.facts import tell
from tests.support.owner import as_owner
from tests.support.world import test_settings

GUARDS_DOWN = "ALTER TABLE events DISABLE TRIGGER ALL; ALTER TABLE audit_seals DISABLE TRIGGER ALL;"


@pytest.fixture
async def sealed(db: Database) -> Database:
    await tell(db, "one", "two")
    while await audit.seal(db) == 0:
        pass
    return db


async def test_verification_exits_with_one_when_a_row_was_changed(
    sealed: Database, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = test_settings(dsn, "redis://x")
    assert await verify(settings, {}, as_json=True) == 0
    told = {report["stream"]: report for report in json.loads(capsys.readouterr().out)}
    assert (told["events"]["seals"], told["events"]["rows"], told["events"]["findings"]) == (1, 2, [])
    async with as_owner(sealed) as connection:
        await connection.execute(GUARDS_DOWN + "UPDATE events SET version = 9")
    assert await verify(settings, {}, as_json=True) == 1
    shown = capsys.readouterr()
    assert "seal 1 has another hash" in json.loads(shown.out)[0]["findings"][0]
    assert "BROKEN" in shown.err


async def test_verification_compares_with_a_head_when_one_was_noted_down(sealed: Database, dsn: str) -> None:
    events, *_ = await audit.verify(sealed)
    head = dict([parse_head(f"events:{events.seals}:{events.head_hash}")])
    settings = test_settings(dsn, "redis://x")
    assert await verify(settings, head, as_json=False) == 0
    async with as_owner(sealed) as connection:
        await connection.execute(GUARDS_DOWN + "DELETE FROM audit_seals; DELETE FROM events")
    assert await verify(settings, {}, as_json=False) == 0, "an empty record is a whole one"
    assert await verify(settings, head, as_json=False) == 1


@pytest.mark.parametrize("text", ["", "events", "events:1", "orders:1:" + "0" * 64, "events:x:" + "0" * 64,
                                  "events:1:" + "0" * 62, "events:1:" + "g" * 64])  # fmt: skip
def test_head_is_refused_when_it_is_not_as_it_was_printed(text: str) -> None:
    with pytest.raises(ValueError):
        parse_head(text)


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_file_holds_the_days_that_were_asked_for(
    sealed: Database, dsn: str, tmp_path: Path, form: audit.Form
) -> None:
    settings, today = test_settings(dsn, "redis://x"), datetime.now(UTC).date()
    day = timedelta(days=1)
    out = tmp_path / f"audit.{form}"
    assert await export(settings, form, today - day, today + day, out) == 2
    text = out.read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline=""))) if form == "csv" else json.loads(text)["data"]
    assert [row["action"] for row in rows] == ["operations.job_retried"] * 2
    assert await export(settings, form, today - 9 * day, today - 8 * day, tmp_path / "before") == 0
    with pytest.raises(FileExistsError):
        await export(settings, form, today, today, out)
