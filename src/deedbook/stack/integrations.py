"""`deedbook check --integrations`: is everything there that we stand on, and what to do where it is not.

PostgreSQL, Redis, the chain and the permission service are needed. Price sources are not: what they say is shown beside
the market and decides nothing, so that they never make the command fail.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg
from redis.exceptions import AuthenticationError, RedisError
from rich.console import Console

from deedbook.infra import schema
from deedbook.infra.settings import Settings
from deedbook.kernel.errors import Refusal, Unavailable
from deedbook.marketdata import Silence, prices
from deedbook.wiring import Resources, open_resources

WITHIN_S = 10.0


@dataclass(frozen=True)
class Finding:
    """How one of them is. `advice` is empty where nothing has to be done."""

    name: str
    needed: bool
    ok: bool
    detail: str
    advice: str = ""

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "needed": self.needed,
            "ok": self.ok,
            "detail": self.detail,
            "advice": self.advice,
        }


class Wrong(Exception):
    """It is not as it should be, and what to do."""

    def __init__(self, detail: str, advice: str) -> None:
        super().__init__(detail)
        self.detail, self.advice = detail, advice


async def check_integrations(settings: Settings, *, as_json: bool) -> int:
    """Try them all and tell; 1 when one that is needed is wrong, 0 otherwise."""
    async with open_resources(settings, "check", acquire_timeout_s=WITHIN_S) as resources:
        found = await try_all(resources)
    console = Console(stderr=True)
    for finding in found:
        mark = "[green]ok   [/]" if finding.ok else "[red]WRONG[/]" if finding.needed else "[yellow]amiss[/]"
        console.print(f"{mark} {finding.name}: {finding.detail}", highlight=False)
        if finding.advice:
            console.print(f"      {finding.advice}", highlight=False)
    if as_json:
        sys.stdout.write(json.dumps({"integrations": [finding.as_json() for finding in found]}) + "\n")
    return 1 if any(finding.needed and not finding.ok for finding in found) else 0


async def try_all(resources: Resources) -> list[Finding]:
    """How each of them is, all tried at the same time."""
    needed: dict[str, Callable[[Resources], Awaitable[str]]] = {
        "PostgreSQL": _postgres,
        "Redis": _redis,
        "chain": _chain,
        "permission service": _permissions,
    }
    found = await asyncio.gather(*(_try(name, work(resources)) for name, work in needed.items()))
    return [*found, *await _price_sources(resources)]


async def _try(name: str, work: Awaitable[str]) -> Finding:
    try:
        return Finding(name, True, True, await asyncio.wait_for(work, WITHIN_S))
    except Wrong as wrong:
        return Finding(name, True, False, wrong.detail, wrong.advice)
    except TimeoutError:
        return Finding(name, True, False, f"no answer in {WITHIN_S:.0f} s", "look whether it is overloaded")


async def _postgres(resources: Resources) -> str:
    try:
        async with resources.db.reading() as connection:
            await schema.require_current(connection)
            version = await connection.fetchval("SHOW server_version")
    except schema.SchemaOutOfDate as refusal:
        raise Wrong(refusal.detail, "run `deedbook migrate`") from None
    except (Unavailable, asyncpg.PostgresError, OSError) as error:
        detail = error.detail if isinstance(error, Unavailable) else type(error).__name__
        raise Wrong(
            f"it does not answer: {detail}",
            "check DATABASE_URL: host, port, name, user, password; and that the server runs",
        ) from None
    return f"version {version}, schema {schema.REVISION}"


async def _redis(resources: Resources) -> str:
    try:
        await resources.redis.ping()
        told = await resources.redis.config_get("maxmemory-policy")
    except AuthenticationError:
        raise Wrong("it refuses the password", "check REDIS_PASSWORD") from None
    except (RedisError, OSError, TimeoutError) as error:
        raise Wrong(
            f"it does not answer: {type(error).__name__}",
            "check REDIS_URL, REDIS_TLS, and that the server runs",
        ) from None
    policy = told.get("maxmemory-policy", "")
    if policy != "noeviction":
        raise Wrong(
            f"maxmemory-policy is {policy}: jobs may be evicted", "set maxmemory-policy to noeviction"
        )
    return "answers, and evicts nothing"


async def _chain(resources: Resources) -> str:
    wanted = resources.settings.SAPPHIRE_CHAIN_ID
    try:
        chain_id, head = await resources.node.chain_id(), await resources.node.head()
    except Refusal as refusal:
        raise Wrong(refusal.detail, "check SAPPHIRE_RPC_URL, and that the node runs") from None
    if chain_id != wanted:
        raise Wrong(
            f"the node is of chain {chain_id}, and {wanted} is configured",
            "check SAPPHIRE_RPC_URL and SAPPHIRE_CHAIN_ID",
        )
    return f"chain {chain_id}, block {head}"


async def _permissions(resources: Resources) -> str:
    try:
        await resources.permissions.ping()
    except Refusal as refusal:
        raise Wrong(
            refusal.detail,
            "check ENTITY_PERMISSIONS_BASE_URL; meanwhile whatever needs a permission is refused",
        ) from None
    return "answers"


async def _price_sources(resources: Resources) -> list[Finding]:
    """Each source that operators have named. Where they are stands in PostgreSQL."""
    try:
        asked = await prices.sources(resources.db)
        answers = await asyncio.wait_for(resources.price_feeds.ask(asked), WITHIN_S)
    except (Unavailable, asyncpg.PostgresError, OSError, TimeoutError):
        return [
            Finding("price sources", False, False, "not tried", "PostgreSQL first: it knows where they are")
        ]
    if not asked:
        return [Finding("price sources", False, True, "none are named")]
    found = []
    for source in asked:
        name, told = (
            f"price of {source.base}-{source.quote} by {source.kind.value}",
            answers[source.source_id],
        )
        if isinstance(told, Silence):
            advice = "look at it with GET /admin/price-sources; remove it there if it has gone for good"
            found.append(Finding(name, False, False, told.why, advice))
        else:
            found.append(Finding(name, False, True, f"of {told.observed_at:%Y-%m-%d %H:%M:%S} UTC"))
    return found
