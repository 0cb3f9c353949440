"""`deedbook check --integrations` says of everything that we stand on whether it is there, and what to do."""

import json
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from deedbook.bench.venue import open_venue
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.infra.settings import Settings
from deedbook.kernel.events import SYSTEM
from deedbook.marketdata import FeedKind, prices
from deedbook.stack.integrations import WITHIN_S, Finding, check_integrations, try_all
from deedbook.wiring import open_resources
from tests.support.fake_prices import PriceDesk, price_desk
from tests.support.world import test_settings

NOWHERE = "127.0.0.1:1"


@pytest.fixture
async def desk() -> AsyncIterator[PriceDesk]:
    """It plays the permission service too: whatever is asked, it is well."""
    async with price_desk() as opened:
        opened.body = b'{"status":"ok"}'
        yield opened


@pytest.fixture
async def settings(
    dsn: str, valkey: EmbeddedValkey, redis: Redis, anvil: EmbeddedAnvil, desk: PriceDesk
) -> Settings:
    return test_settings(
        dsn,
        valkey.url(),
        SAPPHIRE_RPC_URL=anvil.url,
        ENTITY_PERMISSIONS_BASE_URL=desk.url,
        COINGECKO_BASE_URL=desk.url,
    )


async def found(settings: Settings) -> dict[str, Finding]:
    async with open_resources(settings, "check", acquire_timeout_s=WITHIN_S) as resources:
        return {finding.name: finding for finding in await try_all(resources)}


def told(text: str) -> list[dict[str, object]]:
    answer: list[dict[str, object]] = json.loads(text)["integrations"]
    return answer


async def test_everything_is_well_when_it_is(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert await check_integrations(settings, as_json=True) == 0
    shown = told(capsys.readouterr().out)
    assert [entry["name"] for entry in shown] == [
        "PostgreSQL", "Redis", "chain", "permission service", "price sources",
    ]  # fmt: skip
    assert all(entry["ok"] and not entry["advice"] for entry in shown)


@pytest.mark.parametrize(
    ("change", "name", "advice"),
    [
        ({"DATABASE_URL": f"postgresql://x@{NOWHERE}/y"}, "PostgreSQL", "DATABASE_URL"),
        ({"REDIS_URL": f"redis://{NOWHERE}"}, "Redis", "REDIS_URL"),
        ({"SAPPHIRE_RPC_URL": f"http://{NOWHERE}"}, "chain", "SAPPHIRE_RPC_URL"),
        ({"SAPPHIRE_CHAIN_ID": 23294}, "chain", "SAPPHIRE_CHAIN_ID"),
        (
            {"ENTITY_PERMISSIONS_BASE_URL": f"http://{NOWHERE}"},
            "permission service",
            "ENTITY_PERMISSIONS_BASE_URL",
        ),
    ],
)
async def test_what_is_needed_and_not_there_is_named_with_what_to_do(
    settings: Settings, capsys: pytest.CaptureFixture[str], change: dict[str, object], name: str, advice: str
) -> None:
    changed = Settings.model_validate({**settings.model_dump(), **change})
    assert await check_integrations(changed, as_json=True) == 1
    wrong = [entry for entry in told(capsys.readouterr().out) if entry["needed"] and not entry["ok"]]
    assert [entry["name"] for entry in wrong] == [name]
    assert advice in str(wrong[0]["advice"])


async def test_a_schema_that_is_too_old_is_named(settings: Settings) -> None:
    async with open_resources(settings, "check") as resources, resources.db.transaction() as tx:
        await tx.execute("RESET ROLE")
        await tx.execute("UPDATE alembic_version SET version_num = '0001'")
    assert (await found(settings))["PostgreSQL"].advice == "run `deedbook migrate`"


async def test_a_redis_that_may_evict_jobs_is_named(settings: Settings, redis: Redis) -> None:
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "noeviction" in (await found(settings))["Redis"].advice
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")


async def test_a_price_source_that_is_silent_is_named_and_nothing_fails(
    settings: Settings, desk: PriceDesk, capsys: pytest.CaptureFixture[str]
) -> None:

    async with open_resources(settings, "check") as resources:
        spec = await open_venue(resources.db, "BTC")
        async with resources.db.transaction() as tx:
            source = prices.new_source(spec, FeedKind.COINGECKO, "bitcoin", 60, (1, 10**30))
            await prices.add_source(tx, SYSTEM, spec, source)
    assert await check_integrations(settings, as_json=True) == 0
    amiss = [entry for entry in told(capsys.readouterr().out) if not entry["ok"]]
    assert [(entry["name"], entry["detail"]) for entry in amiss] == [
        ("price of BTC-USDC by coingecko", "the service does not know this coin")
    ]
    desk.body = b'{"bitcoin":{"usd":98234.5,"last_updated_at":1770000000},"status":"ok"}'
    assert all(finding.ok for finding in (await found(settings)).values())
