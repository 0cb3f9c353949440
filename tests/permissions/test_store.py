"""The file: transactions that hold, a schema that is known, and a busy lock that is answered."""

import sqlite3
from pathlib import Path

import httpx2
import pytest

from deedbook.permissions import create_app
from deedbook.permissions.store import Store
from deedbook.permissions.tables import UnknownSchema

from .support import TurnedClock, config_in


def test_file_is_in_wal_mode_and_fully_synchronous(tmp_path: Path, clock: TurnedClock) -> None:
    opened = Store(tmp_path / "new" / "permissions.db", clock=clock)
    with opened.read() as tx:
        assert tx.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert tx.db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert tx.db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    opened.close()


def test_failed_transaction_leaves_nothing(tmp_path: Path, clock: TurnedClock) -> None:
    opened = Store(tmp_path / "permissions.db", clock=clock)

    def half_done() -> None:
        with opened.write() as tx:
            tx.db.execute("INSERT INTO subscriptions VALUES ('u', 's', 't', 'now')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    with opened.read() as tx:
        assert tx.db.execute("SELECT count(*) FROM subscriptions").fetchone()[0] == 0
    opened.close()


def test_reader_sees_one_snapshot_while_another_writes(tmp_path: Path, clock: TurnedClock) -> None:
    opened = Store(tmp_path / "permissions.db", clock=clock)
    count = "SELECT count(*) FROM subscriptions"
    with opened.read() as reader:
        assert reader.db.execute(count).fetchone()[0] == 0
        with opened.write() as writer:
            writer.db.execute("INSERT INTO subscriptions VALUES ('u', 's', 't', 'now')")
        assert reader.db.execute(count).fetchone()[0] == 0
    opened.close()


def test_file_of_another_version_is_refused(tmp_path: Path, clock: TurnedClock) -> None:
    path = tmp_path / "permissions.db"
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(UnknownSchema):
        Store(path, clock=clock)


async def test_file_locked_by_another_process_is_answered_with_503(
    tmp_path: Path, clock: TurnedClock
) -> None:
    config = config_in(tmp_path, busy_timeout_s=0.1)
    app = create_app(config, clock=clock)
    event = {"event_type": "some.thing", "source": "somebody"}
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://desk.test") as client,
    ):
        blocker = sqlite3.connect(config.database_path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        refused = await client.post("/api/v1/events", json=event)
        assert (await client.get("/healthz")).status_code == 200
        blocker.close()
        assert refused.status_code == 503
        assert (await client.post("/api/v1/events", json=event)).status_code == 201
