"""Having a market's token deployed: once, whoever crashes or forgets, and proven on the chain."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from deedbook import chain, tokens
from deedbook.chain import TxStatus
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.terms import Call, Contract
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire import contracts as words
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.kernel.ids import MarketId, new_uuid
from deedbook.tokens.errors import DeploymentNotProven, PlatformNotDeployed
from deedbook.tokens.terms import TokenTerms
from tests.api.support import caller_of
from tests.support.fake_chain import CHAIN_ID
from tests.support.platform import Platform, token_terms
from tests.support.servers import mine
from tests.support.world import World

TIMEOUT_S = 20


async def deploy(platform: Platform, terms: TokenTerms) -> tokens.Deployment:
    return await tokens.deploy(platform.db, platform.foundry, terms, TIMEOUT_S)


async def keys(platform: Platform, terms: TokenTerms) -> dict[str, TxStatus]:
    """The transactions that were asked for on behalf of this market, without their stem."""
    async with platform.db.reading() as connection:
        rows = await connection.fetch(
            "SELECT key, status FROM chain_transactions WHERE key LIKE '%' || $1 || '%' ORDER BY position",
            str(terms.market_id),
        )
    return {row["key"].replace(f"-{terms.market_id}", ""): TxStatus(row["status"]) for row in rows}


async def forgetful(platform: Platform, db: Database) -> Platform:
    """The same platform with a database that was restored from before anything was deployed."""
    async with db.transaction() as tx:
        for contract, address in (await chain.contracts(platform.db, CHAIN_ID)).items():
            await chain.record_contract(tx, CHAIN_ID, contract, address)
    return replace(platform, db=db)


async def test_a_token_is_deployed_and_proven(founded: Platform) -> None:
    terms = token_terms()
    deployment = await deploy(founded, terms)
    entry = await chain.find(founded.db, f"deploy-token-{terms.market_id}-1")
    assert entry is not None
    assert deployment.tx_hash == entry.tx_hash
    assert await founded.node.code(deployment.address)
    assert await keys(founded, terms) == {
        "register-issuer-1": TxStatus.CONFIRMED,
        "deploy-token-1": TxStatus.CONFIRMED,
    }
    platform = await chain.contracts(founded.db, CHAIN_ID)
    held = await words.read(
        founded.node,
        platform[Contract.SETTLEMENT],
        "balanceOf(address,address)",
        ["address", "address"],
        [terms.issuer, deployment.address],
        "uint256",
    )
    assert held == terms.supply_units
    cap = await words.read(founded.node, deployment.address, "cap()", [], [], "uint256")
    assert cap == terms.cap_units > terms.supply_units


async def test_a_second_deployment_of_a_market_is_the_first(founded: Platform) -> None:
    terms = token_terms()
    first = await deploy(founded, terms)
    used = await founded.node.nonce(founded.signer.address)
    assert await deploy(founded, terms) == first
    assert await founded.node.nonce(founded.signer.address) == used


async def test_many_deployments_of_a_market_at_once_are_one(founded: Platform) -> None:
    terms = token_terms()
    found = await asyncio.gather(*[deploy(founded, terms) for _ in range(4)])
    assert len(set(found)) == 1
    assert list(await keys(founded, terms)) == ["register-issuer-1", "deploy-token-1"]


async def test_an_issuer_is_registered_once(founded: Platform) -> None:
    first = token_terms()
    await deploy(founded, first)
    second = token_terms(issuer=first.issuer)
    await deploy(founded, second)
    assert list(await keys(founded, second)) == ["deploy-token-1"]


async def test_a_deployment_that_was_undone_is_tried_under_the_next_number(founded: Platform) -> None:
    terms = token_terms()
    platform = await chain.contracts(founded.db, CHAIN_ID)
    # The issuer of this call is not registered, so the factory refuses it.
    call = founded.foundry.contracts.deploy_token(platform, terms, founded.signer.address)
    await ask(founded, f"deploy-token-{terms.market_id}-1", call)
    with pytest.raises(TransactionReverted, match=r"IssuerNotVerified\(0x"):
        await deploy(founded, terms)

    deployment = await deploy(founded, terms)
    assert await keys(founded, terms) == {
        "deploy-token-1": TxStatus.REVERTED,
        "register-issuer-1": TxStatus.CONFIRMED,
        "deploy-token-2": TxStatus.CONFIRMED,
    }
    assert await deploy(founded, terms) == deployment


async def test_waiting_may_end_and_go_on_later(founded: Platform) -> None:
    terms = token_terms()
    with pytest.raises(TimeoutError):
        await tokens.deploy(founded.db, founded.foundry, terms, 0.01)
    await deploy(founded, terms)
    assert list(await keys(founded, terms)) == ["register-issuer-1", "deploy-token-1"]


async def test_nothing_is_deployed_before_the_platform_stands(
    db: Database, node: SapphireClient, founded: Platform
) -> None:
    with pytest.raises(PlatformNotDeployed):
        await deploy(replace(founded, db=db), token_terms())


# A database that was restored from a backup


async def test_a_token_that_stands_without_our_knowing_is_proven_and_adopted(
    founded: Platform, db: Database, anvil: EmbeddedAnvil
) -> None:
    terms = token_terms()
    known = await deploy(founded, terms)
    await mine(anvil, 250)  # further back than one search reaches
    restored = await forgetful(founded, db)
    assert await deploy(restored, terms) == known
    assert await keys(restored, terms) == {}


async def test_a_token_of_other_terms_is_not_adopted(founded: Platform, db: Database) -> None:
    terms = token_terms()
    await deploy(founded, terms)
    restored = await forgetful(founded, db)
    with pytest.raises(DeploymentNotProven, match="symbol is"):
        await deploy(restored, replace(terms, symbol="OTHER"))


async def test_a_token_whose_deployment_is_not_found_is_named(founded: Platform, db: Database) -> None:
    terms = token_terms()
    known = await deploy(founded, terms)
    restored = await forgetful(founded, db)
    blind = replace(restored.foundry, contracts=_Blind())
    with pytest.raises(DeploymentNotProven, match=known.address):
        await tokens.deploy(restored.db, blind, terms, TIMEOUT_S)


async def test_a_token_deployed_while_our_call_was_queued_is_adopted_after_its_refusal(
    founded: Platform, db: Database
) -> None:
    """The backup had the call queued; it was sent since. Sent once more it is refused, and the retry adopts."""
    terms = token_terms()
    known = await deploy(founded, terms)
    call = founded.foundry.contracts.deploy_token(
        await chain.contracts(founded.db, CHAIN_ID), terms, founded.signer.address
    )
    stem = f"deploy-token-{terms.market_id}"
    restored = await forgetful(founded, db)
    async with restored.db.transaction() as tx:
        await chain.request(tx, f"{stem}-1", restored.signer.address, call)
        await tx.execute(
            "UPDATE chain_transactions SET status = 'reverted', nonce = 0, error = 'MarketAlreadyDeployed' "
            "WHERE key = $1",
            f"{stem}-1",
        )
    assert await deploy(restored, terms) == known


# Rows


async def test_a_token_row_is_written_once(world: World) -> None:
    user = await world.issuer()
    market, issuer = await world.register(user), caller_of(user)
    terms = token_terms(market_id=MarketId(UUID(market["id"])))
    deployment = tokens.Deployment(Address("0x" + "ab" * 20), "0x" + "cd" * 32)
    async with world.db.transaction() as tx:
        first = await tokens.record(tx, terms, issuer.user_id, deployment, CHAIN_ID)
    async with world.db.transaction() as tx:
        assert await tokens.record(tx, terms, issuer.user_id, deployment, CHAIN_ID) == first
        found = await tokens.of_market(tx, terms.market_id)
        assert found == await tokens.of_symbol(tx, terms.symbol)
        assert found is not None and found.contract_address == deployment.address
        assert (found.total_supply, found.supply_cap) == (terms.supply_units, terms.cap_units)
        assert found.issuer_user_id == issuer.user_id
        assert found == await tokens.of_address(tx, deployment.address) == await tokens.of_id(tx, first)
        assert await tokens.of_market(tx, MarketId(new_uuid())) is None


async def test_the_quote_token_has_one_row(db: Database) -> None:
    for _ in range(2):
        async with db.transaction() as tx:
            await tokens.record_cash(tx, Address("0x" + "ef" * 20), CHAIN_ID, 6)
    async with db.transaction() as tx:
        cash = await tokens.of_symbol(tx, "USDC")
    assert cash is not None
    assert (cash.decimals, cash.market_id) == (6, None)


async def ask(platform: Platform, key: str, call: Call) -> None:
    async with platform.db.transaction() as tx:
        await chain.request(tx, key, platform.signer.address, call)


class _Blind(words.SapphireContracts):
    async def deployment_of(self, *_: object) -> None:
        return None
