"""A-34: what people sign and sign in with is kept where it is used, and nowhere else: no log, fact, job or copy."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from deedbook.infra.bullmq_client import connect
from tests.support.counter import Counter, somewhere
from tests.support.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

USED = {
    "signed_actions",
    "deposits",
    "withdrawal_requests",
    "transfers",
    "chain_transactions",
    "chain_attempts",
}
"""Tables that hold a signature because the contract will ask for it."""


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    client = connect(stack.valkey.url(), timeout_s=5)
    yield client
    await client.aclose()


async def test_signatures_and_tokens_are_nowhere_but_where_they_are_used(
    counter: Counter, redis: Redis
) -> None:
    alice, bob, saver = await counter.person("100"), await counter.person(), await counter.person()
    await counter.pay(saver, "5")
    await counter.done_once(
        await counter.withdraw(alice, "7", somewhere()),
        await counter.hand_over(alice, bob, "3"),
        await counter.relay(saver, "5"),
        await counter.mint("1"),
    )
    refused = await counter.stack.http.post(
        "/withdrawals",
        headers={"Authorization": f"Bearer {counter.stack.tokens[bob.wallet]}"},
        json=counter.withdrawal(alice, "1"),
    )
    assert refused.status_code == 404
    signatures = [signature.removeprefix("0x") for signature in counter.signatures]
    tokens = list(counter.stack.tokens.values())
    assert len(signatures) >= 5 and len(tokens) >= 5
    assert await _tables_with(counter.stack, signatures) - USED == set()
    assert await _tables_with(counter.stack, signatures) >= {"signed_actions", "withdrawal_requests"}
    assert await _tables_with(counter.stack, tokens) == set()
    written = await _logs(counter.stack) + await _copies(redis)
    assert "withdrawal" in written and "transaction_final" in written
    found = [needle[:12] for needle in (*signatures, *tokens) if needle in written]
    assert found == []


async def _tables_with(stack: Stack, needles: list[str]) -> set[str]:
    """The tables in whose rows one of these stands, as text."""
    connection = await asyncpg.connect(stack.postgres.dsn())
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {
            table["tablename"]
            for table in tables
            if await connection.fetchval(
                f"SELECT EXISTS (SELECT 1 FROM {table['tablename']} AS row, unnest($1::text[]) AS needle "
                "WHERE position(needle IN row::text) > 0)",
                needles,
            )
        }
    finally:
        await connection.close()


async def _logs(stack: Stack) -> str:
    """All that the processes and their servers have written, since the stack stands."""
    files = [*stack.directory.glob("*/*.log"), *stack.directory.glob("*/*/*.log")]
    return "\n".join(file.read_text(errors="replace") for file in files)


async def _copies(redis: Redis) -> str:
    """All that is in Redis."""
    found: list[str] = []
    async for key in redis.scan_iter(count=1000):
        match await redis.type(key):
            case "string":
                found.append(str(await redis.get(key)))
            case "hash":
                found.append(str(await redis.hgetall(key)))
            case "list":
                found.append(str(await redis.lrange(key, 0, -1)))
            case "set":
                found.append(str(await redis.smembers(key)))
            case "zset":
                found.append(str(await redis.zrange(key, 0, -1)))
            case "stream":
                found.append(str(await redis.xrange(key)))
    assert found
    return "\n".join(found)
