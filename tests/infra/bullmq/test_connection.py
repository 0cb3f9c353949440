"""The client of 2.8: it reads our URLs, and it gives up soon instead of hanging."""

import asyncio
import os
import signal
import time

import pytest
from redis.asyncio import SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from deedbook.infra.bullmq import JobQueue, connect
from tests.infra.bullmq.harness import SOON_S, ValkeyServer


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("redis://u:old@there:7000/2", False),
        ("valkey://u:old@there:7000/2", False),
        ("rediss://u:old@there:7000/2", True),
        ("valkeys://u:old@there:7000/2", True),
    ],
)
def test_url_is_understood_when_it_is_redis_or_valkey(url: str, tls: bool) -> None:
    """Scheme, place and database come from the URL."""
    pool = connect(url).connection_pool
    told = {name: pool.connection_kwargs[name] for name in ("host", "port", "db", "username", "password")}
    assert told == {"host": "there", "port": 7000, "db": 2, "username": "u", "password": "old"}
    assert issubclass(pool.connection_class, SSLConnection) is tls


def test_password_and_tls_win_over_the_url() -> None:
    """Both have environment variables of their own."""
    pool = connect("redis://:old@there", password="new", tls=True).connection_pool
    assert pool.connection_kwargs["password"] == "new"
    assert issubclass(pool.connection_class, SSLConnection)


def test_url_is_refused_when_it_is_something_else() -> None:
    """No guessing."""
    with pytest.raises(ValueError, match="scheme"):
        connect("http://there")


async def test_what_is_sent_comes_back_whatever_it_is(server: ValkeyServer) -> None:
    """Words are put together by hiredis; a command of two words comes as one, values as text, bytes or numbers."""
    client = connect(server.url)
    assert isinstance(await client.config_get("maxmemory"), dict)
    for value, told in (
        ("ä ö\r\n$3", "ä ö\r\n$3"),
        (b"a b", "a b"),
        (7, "7"),
        (1.5, "1.5"),
        ("", ""),
        ("x" * 100_000, "x" * 100_000),
    ):
        async with client.pipeline(transaction=False) as pipe:
            pipe.set("packed", value)
            pipe.get("packed")
            assert (await pipe.execute())[1] == told
    await client.delete("packed")
    await client.aclose()


async def test_add_fails_soon_when_the_server_is_down(
    mortal_server: ValkeyServer, mortal_queue: JobQueue
) -> None:
    """2.8. Stock's own client tries 20 times with up to 20 s between: `add` hangs for minutes."""
    await mortal_queue.add("work", {}, job_id="before")
    mortal_server.kill()
    began = time.monotonic()
    with pytest.raises(RedisConnectionError):
        await mortal_queue.add("work", {}, job_id="after")
    assert time.monotonic() - began < SOON_S


async def test_command_fails_when_the_server_is_frozen_and_the_timeout_is_short(
    mortal_server: ValkeyServer,
) -> None:
    """A producer bounds a frozen server with its own timeout: four tries of 0.2 s."""
    client = connect(mortal_server.url, timeout_s=0.2)
    await client.ping()
    os.kill(mortal_server.process_id, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises((RedisTimeoutError, RedisConnectionError)):
        await client.ping()
    assert time.monotonic() - began < SOON_S
    os.kill(mortal_server.process_id, signal.SIGCONT)
    await client.aclose()


async def test_caller_waits_when_all_connections_are_busy(server: ValkeyServer) -> None:
    """The default pool refuses; a worker with many jobs would lose reports."""
    client = connect(server.url, max_connections=2)
    answers = await asyncio.gather(*(client.ping() for _ in range(50)))
    assert all(answers)
    await client.aclose()
