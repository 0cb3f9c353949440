"""All servers together: a parent that is killed, an ordinary user, root in a closed clone."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from deedbook.infra.embedded import EmbeddedPostgres, EmbeddedValkey, Home
from tests.support.servers import free_port

from .support import PYTHONPATH, REPOSITORY, Supervisor, is_gone, linux_only, root_only, wait_for

START = """
import asyncio, json, os, sys, time
from pathlib import Path
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedPostgres, EmbeddedValkey, Home

async def main(path, outside, with_anvil, *ports):
    home = Home(Path(path), outside=Path(outside))
    postgres_port, valkey_port, anvil_port = map(int, ports)
    with home.held():
        servers = [
            EmbeddedPostgres(home.postgres_data(), postgres_port, home.secret("postgres"), fast=True),
            EmbeddedValkey(home.valkey_data, valkey_port, home.secret("valkey")),
        ]
        if with_anvil == "True":
            servers.append(EmbeddedAnvil(home.anvil_state, anvil_port, tools_dir=Path(TOOLS)))
        for server in servers:
            await server.start()
        owners = [os.stat(f"/proc/{server.pid}").st_uid for server in servers]
        print(json.dumps({"pids": [server.pid for server in servers], "owners": owners}), flush=True)
        await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
""".replace("TOOLS", repr(str(REPOSITORY / "contracts")))


def ports() -> tuple[int, int, int]:
    return free_port(), free_port(), free_port()


async def write_to_both(home: Home, postgres_port: int, valkey_port: int) -> None:
    connection = await asyncpg.connect(
        EmbeddedPostgres(home.postgres_data(), postgres_port, home.secret("postgres")).dsn()
    )
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    await connection.close()
    client = Redis.from_url(EmbeddedValkey(home.valkey_data, valkey_port, home.secret("valkey")).url())
    await client.set("kept", 1)
    await client.aclose()


async def assert_both_kept(home: Home) -> None:
    postgres = EmbeddedPostgres(home.postgres_data(), free_port(), home.secret("postgres"), fast=True)
    valkey = EmbeddedValkey(home.valkey_data, free_port(), home.secret("valkey"))
    async with postgres, valkey:
        connection = await asyncpg.connect(postgres.dsn())
        assert await connection.fetchval("SELECT one FROM kept") == 1
        await connection.close()
        client = Redis.from_url(valkey.url())
        assert await client.get("kept") == b"1"
        await client.aclose()


@linux_only
@pytest.mark.usefixtures("_anvil")
async def test_all_servers_end_with_a_killed_parent_and_lose_nothing(open_dir: Path) -> None:
    home = Home(open_dir / "home")
    postgres_port, valkey_port, anvil_port = ports()
    anvil = {name: os.environ[name] for name in ("DEEDBOOK_ANVIL",) if name in os.environ}
    arguments = (home.path, open_dir, True, postgres_port, valkey_port, anvil_port)
    with Supervisor(START, *arguments, environment=anvil) as supervisor:
        pids = json.loads(await asyncio.to_thread(supervisor.line))["pids"]
        await write_to_both(home, postgres_port, valkey_port)
        supervisor.kill()
    with home.held():  # at once, while they are still on their way out
        await assert_both_kept(home)
    for pid in pids:
        wait_for(partial(is_gone, pid))


@root_only
async def test_an_ordinary_user_needs_nothing_from_root(open_dir: Path) -> None:
    nobody = 65534
    # redis-py wants this package before Python 3.11.3, where our lock file installs it. The machine's own
    # Python may be older than ours.
    (open_dir / "async_timeout.py").write_text("from asyncio import timeout\n__all__ = ['timeout']\n")
    environment = {"PYTHONPATH": os.pathsep.join([PYTHONPATH, str(open_dir)]), "PYTHONDONTWRITEBYTECODE": "1"}
    python = _python_of(nobody, environment)
    directory = open_dir / "nobody's"
    directory.mkdir()
    os.chown(directory, nobody, nobody)
    arguments = (directory / "home", "/nowhere", False, *ports())
    with Supervisor(START, *arguments, python=python, uid=nobody, environment=environment) as supervisor:
        started = json.loads(await asyncio.to_thread(supervisor.line))
    assert started["owners"] == [nobody, nobody]
    assert (directory / "home").stat().st_mode & 0o077 == 0
    for pid in started["pids"]:
        wait_for(partial(is_gone, pid))


@root_only
async def test_root_in_a_closed_clone_keeps_postgres_elsewhere(closed_dir: Path, open_dir: Path) -> None:
    home = Home(closed_dir / "clone" / ".deedbook", outside=open_dir)
    with home.held():
        server = EmbeddedPostgres(home.postgres_data(), free_port(), home.secret("postgres"), fast=True)
        async with server:
            assert server.data.is_relative_to(open_dir)
            assert not server.data.is_relative_to(closed_dir)
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        await home.fresh()
    assert not server.data.exists()


def _python_of(uid: int, environment: dict[str, str]) -> str:
    """A Python this user may run, with our dependencies: root's own is often in root's closed home."""
    probe = "import asyncpg, redis, msgspec, deedbook.infra.embedded"
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in filter(None, (sys.executable, shutil.which(name, path="/usr/local/bin:/usr/bin"))):
        try:
            command = [python, "-c", probe]
            subprocess.run(
                command, env=environment, cwd="/", user=uid, group=uid, extra_groups=[], check=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip(f"no Python of this version that user {uid} may run")
