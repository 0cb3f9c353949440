"""What `deedbook audit` does: verify the sealed record, and write it to a file."""

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from deedbook.infra import audit
from deedbook.infra.database import Database
from deedbook.infra.schema import require_current
from deedbook.infra.settings import Settings
from deedbook.wiring import require


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    """PostgreSQL alone: an auditor needs neither Redis nor a chain."""
    require(settings, "DATABASE_URL")
    assert settings.DATABASE_URL is not None
    db = await Database.connect(
        settings.DATABASE_URL.get_secret_value(), pool_size=2, application="deedbook-audit"
    )
    try:
        async with db.reading() as connection:
            await require_current(connection)
        yield db
    finally:
        await db.close()


async def verify(settings: Settings, heads: Mapping[str, tuple[int, str]], *, as_json: bool) -> int:
    """Verify every seal; 1 when one is broken."""
    console = Console(stderr=True)

    def progress(stream: str, rows: int) -> None:
        console.print(f"[dim]· {stream}: {rows:,} rows[/]")

    async with _database(settings) as db:
        reports = await audit.verify(db, expected=heads, progress=progress)
    for report in reports:
        told = "[red]BROKEN[/]" if report.findings else "[green]holds [/]"
        console.print(
            f"{told} {report.stream}: {report.seals} seals over {report.rows:,} rows, "
            f"{report.unsealed_rows} rows wait for theirs"
        )
        for finding in report.findings:
            console.print(f"         {finding}", highlight=False)
        # Noted down elsewhere, this finds what is cut off at the end together with its seals.
        console.print(f"         --head {report.stream}:{report.seals}:{report.head_hash}", highlight=False)
    if as_json:
        sys.stdout.write(json.dumps([asdict(report) for report in reports]) + "\n")
    return 1 if any(report.findings for report in reports) else 0


async def export(settings: Settings, form: audit.Form, first: date, last: date, out: Path) -> int:
    """Write the entries from the first day to the last, both included, to a new file; how many lines."""
    wanted = audit.Wanted(first=_begin(first), last=_begin(date.fromordinal(last.toordinal() + 1)))
    entries = 0

    async def counted(db: Database) -> AsyncIterator[dict[str, object]]:
        nonlocal entries
        async for row in audit.period(db, wanted):
            entries += 1
            yield row

    async with _database(settings) as db:
        with out.open("x", encoding="utf-8", newline="") as file:
            async for text in audit.exported(counted(db), form):
                file.write(text)
    return entries


def _begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def parse_head(text: str) -> tuple[str, tuple[int, str]]:
    """Read `stream:number:hash` as a verification printed it.

    Raises:
        ValueError: it is not of this form.
    """
    stream, number, hash_ = text.split(":")
    if stream not in {known.name for known in audit.STREAMS} or len(bytes.fromhex(hash_)) != 32:
        raise ValueError(text)
    return stream, (int(number), hash_.lower())
