"""Each process alone: what it needs from the environment, which queues it serves, what it says when it cannot."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator

import pytest

from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.stack.environment import LOCAL_ADMIN_KEY
from tests.support.facts import count
from tests.support.owner import as_owner
from tests.support.running import Terminal
from tests.support.servers import free_port
from tests.support.waiting import eventually

PROCESSES = {
    "worker": "worker_started",
    "relay": "relay_started",
    "scheduler": "scheduler_started",
    "matcher": "matcher_started",
}


@pytest.fixture
async def terminal(dsn: str, valkey: EmbeddedValkey, anvil: EmbeddedAnvil) -> AsyncIterator[Terminal]:
    """An environment that names every server, as an operator would write it."""
    opened = Terminal.new()
    opened.environ |= {
        "DATABASE_URL": dsn,
        "REDIS_URL": valkey.url(),
        "SAPPHIRE_RPC_URL": anvil.url,
        "SAPPHIRE_ADMIN_KEY": LOCAL_ADMIN_KEY,
        "ENTITY_PERMISSIONS_BASE_URL": f"http://127.0.0.1:{free_port()}",
        "DEEDBOOK_SECRET": "a-secret-of-some-length",
    }
    yield opened
    opened.close()


@pytest.mark.parametrize("name", PROCESSES)
async def test_process_serves_alone_and_ends_with_0_when_it_is_told_to(terminal: Terminal, name: str) -> None:
    process = terminal.start(name)
    await process.says(PROCESSES[name])
    assert await process.stop(signal.SIGTERM, within_s=15) == 0
    assert f"{name}_stopped" in process.log.read_text()
    assert "Traceback" not in process.log.read_text()


async def test_api_serves_alone_and_ends_when_it_is_told_to(terminal: Terminal) -> None:
    process = terminal.start("api")

    async def answers() -> bool:
        assert process.process.poll() is None, process.log.read_text()
        try:
            return await terminal.markets() == {}
        except Exception:
            return False

    await eventually(answers, "the API answers", within_s=30)
    assert await process.stop(signal.SIGTERM, within_s=15) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("name", ["api", "worker", "relay", "matcher"])
async def test_process_waits_for_its_database_when_it_is_started_first(terminal: Terminal, name: str) -> None:
    """And for the chain, where it needs that. Nobody has to start things in order."""
    port = free_port()
    process = terminal.start(
        name, DATABASE_URL=f"postgresql://a:b@127.0.0.1:{port}/c", SAPPHIRE_RPC_URL=f"http://127.0.0.1:{port}"
    )
    if name == "api":
        await asyncio.sleep(4)
    else:
        await process.says("start_waits")
    assert process.process.poll() is None, process.log.read_text()
    assert await process.stop(signal.SIGTERM, within_s=15) in (0, -signal.SIGTERM)
    assert "Traceback" not in process.log.read_text()


async def test_worker_waits_for_the_chain_when_that_does_not_answer_yet(terminal: Terminal) -> None:
    process = terminal.start("worker", SAPPHIRE_RPC_URL=f"http://127.0.0.1:{free_port()}")
    await process.says("start_waits")
    assert process.process.poll() is None
    assert await process.stop(signal.SIGTERM, within_s=15) == 0


async def test_worker_serves_the_queues_that_are_named(terminal: Terminal) -> None:
    process = terminal.start("worker", "--queues", "deploy-token,housekeeping", "--no-lane")
    said = await process.says("worker_started")
    assert '"queues":["deploy-token","housekeeping"]' in said
    assert '"lane":false' in said


async def test_worker_refuses_a_queue_that_is_not_ours(terminal: Terminal) -> None:
    ended = await terminal.command("worker", "--queues", "deploy-token,nonsense")
    assert ended.returncode == 2
    said = " ".join(ended.stderr.replace("│", " ").split())
    assert "unknown queue nonsense" in said
    assert "deploy-token" in said


async def test_two_relays_share_the_work_without_doing_it_twice(terminal: Terminal, db: Database) -> None:
    relays = [terminal.start("relay") for _ in range(2)]
    for process in relays:
        await process.says("relay_started")
    lines = relays[0].log.read_text().splitlines()
    (sinks,) = [json.loads(line)["sinks"] for line in lines if "relay_started" in line]

    async def all_served() -> bool:
        return await count(db, "leases", "name LIKE 'relay-%' AND expires_at > now()") == len(sinks) + 1

    await eventually(all_served, "each sink and the sweeper have one holder")
    assert [await process.stop(signal.SIGTERM, within_s=15) for process in relays] == [0, 0]
    assert await count(db, "leases", "expires_at > now()") == 0, (
        "given back, so that a successor need not wait"
    )


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        (
            "api",
            [
                "DATABASE_URL",
                "REDIS_URL",
                "SAPPHIRE_RPC_URL",
                "ENTITY_PERMISSIONS_BASE_URL",
                "DEEDBOOK_SECRET",
            ],
        ),
        ("relay", ["DATABASE_URL", "REDIS_URL"]),
        ("scheduler", ["REDIS_URL"]),
        ("worker", ["SAPPHIRE_ADMIN_KEY"]),
        ("migrate", ["DATABASE_URL"]),
        ("check", ["SAPPHIRE_ADMIN_KEY"]),
    ],
)
async def test_process_names_what_it_lacks(name: str, missing: list[str]) -> None:
    terminal = Terminal.new()
    try:
        ended = await terminal.command(name)
    finally:
        terminal.close()
    assert ended.returncode in (1, 3), ended.stderr
    assert all(variable in ended.stderr for variable in missing), ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "http"),
        ("DATABASE_URL", "mysql://x"),
        ("FAILPOINTS", "lane.afterSign=explode"),
        ("REDIS_URL", "ftp://x"),
    ],
)
async def test_process_names_what_is_wrong(terminal: Terminal, variable: str, value: str) -> None:
    terminal.environ[variable] = value
    ended = await terminal.command("relay")
    assert ended.returncode == 1
    assert variable in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_process_refuses_to_work_when_the_schema_is_another(terminal: Terminal, db: Database) -> None:
    async with as_owner(db) as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '0000'")
    ended = await terminal.command("relay")
    assert ended.returncode == 1
    assert "deedbook migrate" in ended.stderr


async def test_worker_refuses_to_work_when_the_database_belongs_to_another_chain(
    terminal: Terminal, db: Database
) -> None:
    await db.pool.execute("INSERT INTO chain_network (chain_id) VALUES (1)")
    ended = await terminal.command("worker")
    assert ended.returncode == 1
    assert "belongs to chain 1" in ended.stderr
