"""Somebody else's token on the register: examined on the chain, listed in the vault once, and never a guess."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from deedbook import chain, tokens
from deedbook.chain import Call, Contract
from deedbook.chain.erc20 import Erc20Metadata
from deedbook.chain.errors import ChainUnavailable
from deedbook.compliance.errors import TokenNotFound
from deedbook.identity import Role
from deedbook.identity.terms import Address
from deedbook.infra import failpoints
from deedbook.infra.database import Database
from deedbook.infra.failpoints import FailpointHit
from deedbook.integrations.sapphire import contracts as words
from deedbook.integrations.sapphire.vault_tokens import SapphireVaultTokens
from deedbook.kernel.errors import Invalid
from deedbook.kernel.ids import TokenId
from deedbook.kernel.jobs import Job
from deedbook.markets import Decision, Market
from deedbook.markets.errors import SymbolTaken
from deedbook.tokens import RegisterToken, Token, TokenStatus, TokenType, jobs, listing
from deedbook.tokens.errors import (
    ListingNotFailed,
    ListingNotProven,
    NotAToken,
    PlatformNotDeployed,
    TokenExists,
)
from deedbook.tokens.terms import LIST_TOKEN
from tests.markets.support import decided, registered
from tests.support.fake_chain import CHAIN_ID, FakeChain
from tests.support.platform import Platform
from tests.tokens.support import Resources, Told, a_symbol, facts, number, text, user

TOLD = Erc20Metadata("Other Dollar", "OUSD", 6)


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def an_address() -> Address:
    return Address("0x" + uuid4().hex + "00000000")


def asked(**changes: Any) -> RegisterToken:
    told: dict[str, Any] = {
        "symbol": a_symbol(),
        "name": "Other Dollar",
        "token_type": TokenType.STABLE,
        "contract_address": an_address(),
    }
    return RegisterToken(**{**told, **changes})


async def register(db: Database, command: RegisterToken, told: Erc20Metadata = TOLD) -> Token:
    operator = await user(db, Role.OPERATOR)
    async with db.transaction() as tx:
        return await tokens.register(tx, operator, command, told, CHAIN_ID)


async def load(db: Database, token: Token) -> Token:
    async with db.transaction() as tx:
        found = await tokens.of_id(tx, token.token_id)
    assert found is not None
    return found


def job_of(token: Token) -> Job:
    data = {"tokenId": str(token.token_id), "attempt": token.listings}
    return Job(f"{LIST_TOKEN.name}-{token.token_id}-{token.listings}", LIST_TOKEN.name, data)


# Examining


GOOD = {"name": text("Other Dollar"), "symbol": text("OUSD"), "decimals": number(6)}


async def examine(db: Database, node: FakeChain, **changes: Any) -> Erc20Metadata:
    return await tokens.examine(db, node, SapphireVaultTokens(), CHAIN_ID, asked(**changes))


@pytest.fixture
async def settled(db: Database) -> Database:
    """Books that know of a vault."""
    async with db.transaction() as tx:
        await chain.record_contract(tx, CHAIN_ID, Contract.SETTLEMENT, Address("0x" + "5e" * 20))
    return db


async def test_the_contracts_own_decimals_count(settled: Database) -> None:
    assert await examine(settled, Told(**GOOD)) == TOLD
    assert await examine(settled, Told(**GOOD), decimals=6) == TOLD


@pytest.mark.parametrize("given", [0, 5, 7, 18])
async def test_other_decimals_than_the_contracts_are_refused(settled: Database, given: int) -> None:
    with pytest.raises(Invalid) as refused:
        await examine(settled, Told(**GOOD), decimals=given)
    assert [error.pointer for error in refused.value.errors] == ["/decimals"]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"name": b""},
        {"name": text("")},
        {"name": text("x" * 65)},
        {"name": text("Other\u202e Dollar")},
        {"symbol": text("O\x00")},
        {"symbol": b"\xff" * 64},
        {"symbol": text("x" * 900_000)},
        {"decimals": number(19)},
        {"decimals": number(256)},
        {"decimals": number(2**256 - 1)},
        {"decimals": b"\x06"},
    ],
    ids=lambda answers: str(answers)[:40],
)
async def test_what_does_not_answer_as_a_token_is_refused(
    settled: Database, answers: dict[str, bytes]
) -> None:
    with pytest.raises(NotAToken):
        await examine(settled, Told(**{**GOOD, **answers}) if answers else Told())


async def test_the_vault_itself_is_no_token(settled: Database) -> None:
    with pytest.raises(NotAToken):
        await examine(settled, Told(**GOOD), contract_address=Address("0x" + "5e" * 20))


async def test_nothing_is_examined_without_a_vault_or_a_node(db: Database) -> None:
    with pytest.raises(PlatformNotDeployed):
        await examine(db, Told(**GOOD))
    async with db.transaction() as tx:
        await chain.record_contract(tx, CHAIN_ID, Contract.SETTLEMENT, Address("0x" + "5e" * 20))
    away = Told(**GOOD)
    away.down = True
    with pytest.raises(ChainUnavailable):
        await examine(db, away)


# Registering


async def test_a_token_waits_for_the_vault_when_it_is_registered(db: Database) -> None:
    command = asked()
    token = await register(db, command)
    assert await load(db, token) == token
    assert (token.status, token.decimals, token.market_id) == (TokenStatus.LISTING, 6, None)
    [told] = await facts(db, token.token_id)
    assert (told["event_type"], told["before"], told["after"]["status"]) == (
        "token.registered",
        {"status": None},
        "listing",
    )
    async with db.reading() as connection:
        [job] = await connection.fetch("SELECT job_id, queue FROM jobs WHERE name = 'list-token'")
    assert (job["job_id"], job["queue"]) == (f"list-token-{token.token_id}-1", "deploy-token")


async def test_a_symbol_and_a_contract_are_registered_once_when_many_try(db: Database) -> None:
    symbol, contract = a_symbol(), an_address()
    for same in ({"symbol": symbol}, {"contract_address": contract}):
        ended = await asyncio.gather(*(register(db, asked(**same)) for _ in range(8)), return_exceptions=True)
        assert Counter(type(end) for end in ended) == {Token: 1, TokenExists: 7}


async def test_a_symbol_belongs_to_a_market_or_a_token_and_never_to_both(db: Database) -> None:
    market = await registered(db)
    with pytest.raises(TokenExists):
        await register(db, asked(symbol=market.token_symbol))
    await decided(db, market.market_id, Decision.REJECTED)
    await register(db, asked(symbol=market.token_symbol))
    with pytest.raises(SymbolTaken):
        await registered(db, token_symbol=market.token_symbol)


async def test_a_symbol_goes_to_one_when_a_market_and_a_token_want_it_at_once(db: Database) -> None:
    for _ in range(5):
        symbol = a_symbol()
        ended = await asyncio.gather(
            register(db, asked(symbol=symbol)), registered(db, token_symbol=symbol), return_exceptions=True
        )
        kinds = {type(end) for end in ended}
        assert kinds in ({Token, SymbolTaken}, {Market, TokenExists})


# Listing


async def examined(platform: Platform, **changes: Any) -> Token:
    command = asked(contract_address=await platform.another_coin(), **changes)
    words_of = platform.foundry.vault_tokens
    told = await tokens.examine(platform.db, platform.node, words_of, CHAIN_ID, command)
    return await register(platform.db, command, told)


async def test_a_token_is_listed_once_when_its_job_runs_twice(founded: Platform) -> None:
    token = await examined(founded)
    resources = Resources(founded.db, founded.foundry)
    for _ in range(2):
        await jobs.list_token(resources, job_of(token))
    assert (await load(founded.db, token)).status is TokenStatus.ACTIVE
    told = [fact["event_type"] for fact in await facts(founded.db, token.token_id)]
    assert told == ["token.registered", "token.listed"]
    settlement = (await chain.contracts(founded.db, CHAIN_ID))[Contract.SETTLEMENT]
    assert token.contract_address is not None
    assert await words.is_listed(founded.node, settlement, token.contract_address)


@pytest.mark.parametrize("place", ["list.afterClaim", "list.afterRequest", "list.afterProof"])
async def test_a_token_is_listed_once_when_its_worker_dies(founded: Platform, place: str) -> None:
    token = await examined(founded)
    resources = Resources(founded.db, founded.foundry)
    failpoints.arm(f"{place}=raise:1")
    with pytest.raises(FailpointHit):
        await jobs.list_token(resources, job_of(token))
    await jobs.list_token(resources, job_of(token))
    assert (await load(founded.db, token)).status is TokenStatus.ACTIVE


async def test_a_token_that_stands_listed_already_is_taken_over(founded: Platform) -> None:
    token = await examined(founded)
    assert token.contract_address is not None
    platform = await chain.contracts(founded.db, CHAIN_ID)
    key = f"foreign-{token.token_id}"
    async with founded.db.transaction() as tx:
        call: Call = founded.foundry.vault_tokens.list_token(platform, token.contract_address)
        await chain.request(tx, key, founded.signer.address, call)
    await chain.wait_final(founded.db, key, 20)
    await jobs.list_token(Resources(founded.db, founded.foundry), job_of(token))
    assert (await load(founded.db, token)).status is TokenStatus.ACTIVE
    assert await chain.find(founded.db, f"list-token-{token.token_id}-1") is None


async def test_a_token_that_changes_its_decimals_is_not_listed_here(founded: Platform) -> None:
    command = asked(contract_address=await founded.another_coin())
    token = await register(founded.db, command, replace(TOLD, decimals=8))
    with pytest.raises(ListingNotProven):
        await jobs.list_token(Resources(founded.db, founded.foundry), job_of(token))


async def test_a_listing_is_tried_again_when_it_failed_for_good(founded: Platform) -> None:
    db, token = founded.db, await examined(founded)
    operator = await user(db, Role.OPERATOR)

    async def give_up(attempt: int) -> None:
        async with db.transaction() as tx:
            await listing.fail(tx, token.token_id, attempt, "no gas " * 1000)

    async def again() -> Token:
        async with db.transaction() as tx:
            return await tokens.list_again(tx, operator.actor, token.token_id)

    with pytest.raises(ListingNotFailed):
        await again()
    for attempt in (7, 1, 1):
        await give_up(attempt)
    assert (await load(db, token)).status is TokenStatus.FAILED
    await jobs.list_token(Resources(db, founded.foundry), job_of(token))  # a late worker of the first attempt
    assert (await load(db, token)).status is TokenStatus.FAILED
    ended = await asyncio.gather(*(again() for _ in range(4)), return_exceptions=True)
    assert Counter(type(end) for end in ended) == {Token: 1, ListingNotFailed: 3}
    await give_up(1)  # the first attempt's failure, once more and too late
    second = await load(db, token)
    assert (second.status, second.listings) == (TokenStatus.LISTING, 2)
    await jobs.list_token(Resources(db, founded.foundry), job_of(second))
    told = [fact["event_type"].removeprefix("token.") for fact in await facts(db, token.token_id)]
    assert told == ["registered", "listing_failed", "listing_retried", "listed"]
    async with db.reading() as connection:
        kept = await connection.fetchval("SELECT metadata FROM tokens WHERE token_id = $1", token.token_id)
    assert "listingError" not in kept


@pytest.mark.parametrize("data", [{}, {"tokenId": "x", "attempt": 1}, {"tokenId": str(uuid4())}])
async def test_a_job_that_names_no_token_is_refused(founded: Platform, data: dict[str, Any]) -> None:
    with pytest.raises(TokenNotFound):
        await jobs.list_token(Resources(founded.db, founded.foundry), Job("j", LIST_TOKEN.name, data))


async def test_an_absent_token_is_not_listed_again(db: Database) -> None:
    with pytest.raises(TokenNotFound):
        async with db.transaction() as tx:
            await tokens.list_again(tx, (await user(db)).actor, TokenId(uuid4()))
