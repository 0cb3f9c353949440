"""Metadata: read anew from asset, rules and chain, told when it changes, and copied to Redis but never trusted."""

from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from deedbook import compliance, tokens
from deedbook.chain.erc20 import Erc20Metadata
from deedbook.chain.errors import ChainUnavailable
from deedbook.compliance import TokenRules
from deedbook.identity import Role
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.outbox import Cursor, facts_after
from deedbook.integrations.sapphire.vault_tokens import SapphireVaultTokens
from deedbook.kernel.ids import TokenId, new_uuid
from deedbook.kernel.jobs import Job
from deedbook.markets.model import AssetDetails
from deedbook.tokens import RegisterToken, Token, TokenType, jobs, metadata, views
from deedbook.tokens.cache import METADATA_TTL_S, TokenCopies, key_of
from deedbook.tokens.terms import REFRESH_ALL_METADATA, REFRESH_METADATA
from tests.markets.support import issuer
from tests.support.fake_chain import CHAIN_ID
from tests.support.platform import Platform
from tests.tokens.support import Issue, Resources, Told, a_symbol, facts, issue, number, text, user

UNIT = 10**18


def shown(token: Token, **changes: bytes) -> Told:
    """A chain on which the token is as registered, but for what a test plants."""
    answers = {
        "name": text(token.name),
        "symbol": text(token.symbol),
        "decimals": number(token.decimals),
        "totalSupply": number(token.total_supply),
    }
    return Told(**{**answers, **changes})


async def refresh(db: Database, token: Token, node: Told) -> dict[str, Any]:
    await metadata.refresh(db, node, SapphireVaultTokens(), token.token_id)
    found = await views.one(db, str(token.token_id))
    assert found is not None
    return found.metadata


async def kinds(db: Database, token: Token) -> list[str]:
    told = [fact["event_type"] for fact in await facts(db, token.token_id)]
    return [name.removeprefix("token.metadata_") for name in told if name.startswith("token.metadata_")]


async def test_metadata_says_what_asset_rules_and_contract_say(db: Database) -> None:
    details = AssetDetails("12.50", "USD", {"city": "Kiel"}, (), {"by": "BaFin"})
    issued = await issue(db, asset=details)
    async with db.transaction() as tx:
        rules = TokenRules(max_holders=99, max_ownership=5 * UNIT, blocked_jurisdictions=frozenset({"US"}))
        await compliance.set_rules(tx, issued.officer, issued.token_id, rules)
    token = await issued.token()
    told = await refresh(db, token, shown(token))
    assert (told["asset"]["valuation"], told["asset"]["currency"]) == ("12.5", "USD")
    assert told["asset"]["regulatoryInfo"] == {"by": "BaFin"}
    assert (told["rules"]["maxHolders"], told["rules"]["maxOwnership"]) == (99, "5")
    assert told["rules"]["blockedJurisdictions"] == ["US"]
    assert told["chain"] == {
        "name": token.name, "symbol": token.symbol, "decimals": 18, "totalSupply": "1000",
    }  # fmt: skip
    assert told["differences"] == [] and told["refreshedAt"]


async def test_a_fact_is_told_once_when_nothing_changes_any_more(db: Database) -> None:
    issued = await issue(db)
    token = await issued.token()
    first = await refresh(db, token, shown(token))
    second = await refresh(db, token, shown(token))
    assert await kinds(db, token) == ["updated"]
    assert first["refreshedAt"] < second["refreshedAt"]
    async with db.transaction() as tx:
        await compliance.set_rules(tx, issued.officer, issued.token_id, TokenRules(max_holders=5))
    await refresh(db, token, shown(token))
    assert await kinds(db, token) == ["updated", "updated"]
    told = (await facts(db, token.token_id))[-1]
    assert (told["before"]["rules"]["maxHolders"], told["after"]["rules"]["maxHolders"]) == (None, 5)


@pytest.mark.parametrize(
    ("planted", "says"),
    [
        ({"name": text("Forged")}, "name is 'Forged'"),
        ({"symbol": text("FORGED")}, "symbol is 'FORGED'"),
        ({"decimals": number(6)}, "decimals is 6, not 18"),
        ({"totalSupply": number(1001 * UNIT)}, "totalSupply is 1001, and the register has 1000"),
        ({"totalSupply": number(999 * UNIT)}, "totalSupply is 999"),
        ({"name": b"\xff" * 64}, "does not answer as a token"),
    ],
)
async def test_a_difference_is_told_once_and_nothing_is_repaired(
    db: Database, planted: dict[str, bytes], says: str
) -> None:
    issued = await issue(db)
    token = await issued.token()
    for _ in range(2):
        told = await refresh(db, token, shown(token, **planted))
        [difference] = told["differences"]
        assert says in difference
    assert sorted(await kinds(db, token)) == ["differs", "updated"]
    assert await issued.token() == token
    assert (await refresh(db, token, shown(token)))["differences"] == []


async def test_a_mint_on_its_way_is_no_difference(db: Database) -> None:
    issued = await issue(db)
    mint = await issued.approved("100")
    token = await issued.token()
    async with db.transaction() as tx:
        await tx.execute("UPDATE mint_requests SET status = 'SUBMITTED' WHERE mint_id = $1", mint.mint_id)
    for supply in (1000, 1100):
        told = await refresh(db, token, shown(token, totalSupply=number(supply * UNIT)))
        assert told["differences"] == []
    beyond = await refresh(db, token, shown(token, totalSupply=number(1100 * UNIT + 1)))
    assert len(beyond["differences"]) == 1


async def test_nothing_is_written_when_the_node_does_not_answer(db: Database) -> None:
    issued = await issue(db)
    token = await issued.token()
    away = shown(token)
    away.down = True
    with pytest.raises(ChainUnavailable):
        await refresh(db, token, away)
    found = await views.one(db, token.symbol)
    assert found is not None and found.metadata == {}


async def others(db: Database) -> Token:
    operator = await user(db, Role.OPERATOR)
    address = Address("0x" + new_uuid().hex + "00000000")
    command = RegisterToken(a_symbol(), "Other Dollar", TokenType.STABLE, address)
    async with db.transaction() as tx:
        return await tokens.register(tx, operator, command, Erc20Metadata("Other", "USD₮0", 6), CHAIN_ID)


async def test_others_tokens_may_be_called_here_as_we_like_until_they_change(db: Database) -> None:
    token = await others(db)
    own = {"name": text("Other"), "symbol": text("USD₮0"), "totalSupply": number(2**256 - 1)}
    told = await refresh(db, token, shown(token, **own))
    assert told["differences"] == [] and "rules" not in told
    found = await views.one(db, token.symbol)
    assert found is not None and found.token.total_supply == 2**256 - 1
    assert (found.token.name, found.token.symbol) == (token.name, token.symbol)
    changed = await refresh(db, token, shown(token, **{**own, "name": text("Another")}))
    assert changed["differences"] == ["name is 'Another', not 'Other'"]


async def test_an_absent_token_has_nothing_to_refresh(db: Database) -> None:
    await metadata.refresh(db, Told(), SapphireVaultTokens(), TokenId(new_uuid()))


# Jobs


def job_of(token: Token) -> Job:
    return Job("j", REFRESH_METADATA.name, {"tokenId": str(token.token_id)})


async def test_a_token_on_the_chain_differs_in_nothing_and_is_copied(founded: Platform, redis: Redis) -> None:
    issued = await issue(founded.db, founded.foundry)
    token = await issued.token()
    resources = Resources(founded.db, founded.foundry, redis)
    for _ in range(2):
        await jobs.refresh_metadata(resources, job_of(token))
    copy = await copy_of(redis, token.token_id)
    assert (copy["symbol"], copy["type"], copy["decimals"]) == (token.symbol, "RWA", 18)
    assert (copy["contractAddress"], copy["totalSupply"]) == (token.contract_address, "1000")
    assert copy["metadata"]["differences"] == []
    assert 0 < await redis.ttl(key_of(token.token_id)) <= METADATA_TTL_S


async def test_metadata_is_written_when_redis_is_away(founded: Platform) -> None:
    issued = await issue(founded.db, founded.foundry)
    token = await issued.token()
    await jobs.refresh_metadata(Resources(founded.db, founded.foundry), job_of(token))
    found = await views.one(founded.db, token.symbol)
    assert found is not None and found.metadata["chain"]["totalSupply"] == "1000"


async def test_every_token_of_the_vault_is_asked_for_once_a_day(db: Database) -> None:
    issued, waiting = await issue(db), await others(db)
    for _ in range(2):
        async with db.transaction() as tx:
            await jobs.refresh_all_metadata(tx, Job("daily", REFRESH_ALL_METADATA.name, {}))
    async with db.reading() as connection:
        rows = await connection.fetch("SELECT data FROM jobs WHERE name = $1", REFRESH_METADATA.name)
    assert [row["data"]["tokenId"] for row in rows] == [str(issued.token_id)]
    assert str(waiting.token_id) not in str(rows)


async def test_issuers_and_operators_may_ask_and_nobody_else(db: Database) -> None:
    issued = await issue(db)
    for caller in (issued.issuer, await user(db, Role.OPERATOR), await user(db, Role.ADMIN)):
        async with db.transaction() as tx:
            await tokens.request_refresh(tx, caller, issued.token_id)
    for caller in (await issuer(db), issued.officer, await user(db)):
        with pytest.raises(compliance.errors.TokenNotFound):
            async with db.transaction() as tx:
                await tokens.request_refresh(tx, caller, issued.token_id)
    async with db.reading() as connection:
        asked = await connection.fetchval("SELECT count(*) FROM jobs WHERE name = $1", REFRESH_METADATA.name)
    assert asked == 3


# Copies


@pytest.fixture
async def live(db: Database) -> Issue:
    return await issue(db)


async def copy_of(redis: Redis, token_id: TokenId) -> dict[str, Any]:
    copy = await redis.get(key_of(token_id))
    assert copy is not None
    told: dict[str, Any] = orjson.loads(copy)
    return told


async def test_a_copy_follows_every_fact_of_its_token(live: Issue, redis: Redis) -> None:
    copies = TokenCopies(live.db, redis)
    await copies.follow(await facts_after(live.db, Cursor(0, 0), limit=1000))
    copy = await copy_of(redis, live.token_id)
    assert (copy["status"], copy["totalSupply"], copy["supplyCap"]) == ("active", "1000", "3000")
    mint = await live.approved("100")
    await live.complete(mint)
    stale = await facts_after(live.db, Cursor(0, 0), limit=2)  # the first facts once more, and late
    await copies.follow(stale)
    await copies.refresh({live.token_id})
    assert (await copy_of(redis, live.token_id))["totalSupply"] == "1100"


async def test_what_is_told_of_a_token_does_not_come_from_its_copy(live: Issue, redis: Redis) -> None:
    await redis.set(key_of(live.token_id), b'{"symbol": "FORGED", "totalSupply": "1"}')
    found = await views.one(live.db, str(live.token_id))
    assert found is not None and found.token == await live.token()
