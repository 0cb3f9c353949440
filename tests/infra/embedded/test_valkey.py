"""Valkey, cold, warm and killed."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from deedbook.infra.embedded import BinaryMissing, EmbeddedValkey
from deedbook.infra.embedded.valkey import find_valkey
from tests.support.servers import free_port

from .support import PASSWORD, wait_for


def valkey(directory: Path) -> EmbeddedValkey:
    return EmbeddedValkey(directory / "valkey data", free_port(), PASSWORD)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(url, decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


async def test_it_starts_cold_then_warm_with_what_was_written(open_dir: Path) -> None:
    server = valkey(open_dir)
    async with server, connected(server.url()) as client:
        await client.set("pair", "DEED-USDC")
    async with server, connected(server.url()) as client:
        assert await client.get("pair") == "DEED-USDC"


async def test_it_evicts_nothing_and_writes_every_second(open_dir: Path) -> None:
    async with valkey(open_dir) as server, connected(server.url()) as client:
        settings = await client.config_get("*")
    assert settings["maxmemory-policy"] == "noeviction"
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "everysec")
    assert settings["bind"] == "127.0.0.1"


async def test_nobody_comes_in_without_the_password(open_dir: Path) -> None:
    async with valkey(open_dir) as server:
        async with connected(f"redis://127.0.0.1:{server.port}") as client:
            with pytest.raises(AuthenticationError):
                await client.ping()
        command_line = Path(f"/proc/{server.pid}/cmdline")
        if command_line.exists():
            assert PASSWORD.encode() not in command_line.read_bytes()
        assert (server.data / "valkey.conf").stat().st_mode & 0o077 == 0


async def test_jobs_survive_when_the_server_is_killed(open_dir: Path) -> None:
    server = valkey(open_dir)
    await server.start()
    async with connected(server.url()) as client:
        await client.xadd("jobs", {"id": "1"})
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: server.poll() is not None)
    async with server, connected(server.url()) as client:
        assert await client.xlen("jobs") == 1


def test_a_machine_without_a_binary_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(BinaryMissing, match=r"riscv64 is not installed.*REDIS_URL"):
        find_valkey()
