"""The platform's own contracts: each once, through every death, and never on a chain that is not theirs."""

import random
from dataclasses import replace

import pytest

from deedbook import chain, tokens
from deedbook.chain import Contract
from deedbook.identity.terms import Address
from deedbook.infra import failpoints
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.infra.failpoints import FailpointHit
from deedbook.infra.settings import SettingsError
from deedbook.integrations.sapphire import contracts as words
from deedbook.integrations.sapphire import platform as founding
from deedbook.integrations.sapphire.client import SapphireClient
from tests.support.fake_chain import CHAIN_ID
from tests.support.platform import Platform, open_platform, token_terms
from tests.support.sapphire_proxy import SapphireProxy
from tests.tokens.conftest import moving

TRANSACTIONS = 6  # four contracts, a role and a listing


@pytest.fixture
async def platform(db: Database, node: SapphireClient, anvil: EmbeddedAnvil) -> Platform:
    return await open_platform(db, node, anvil)


async def test_founding_twice_founds_once(platform: Platform) -> None:
    first = await platform.found()
    assert set(first) == set(Contract)
    assert await platform.found() == first
    assert await platform.node.nonce(platform.signer.address) == TRANSACTIONS
    factory, settlement = first[Contract.TOKEN_FACTORY], first[Contract.SETTLEMENT]
    assert await words.has_role(platform.node, settlement, words.LISTER_ROLE, factory)
    assert await words.is_listed(platform.node, settlement, first[Contract.CASH])
    async with platform.db.transaction() as tx:
        cash = await tokens.of_symbol(tx, "USDC")
    assert cash is not None
    assert (cash.contract_address, cash.decimals) == (first[Contract.CASH], 6)


@pytest.mark.parametrize("point", ["database.beforeCommit", "database.afterCommit"])
async def test_founding_goes_on_after_deaths_between_its_steps(platform: Platform, point: str) -> None:
    """Every so often it dies at the next commit: of the lane, of a request, of an address to remember."""
    chance, deaths = random.Random(20_260_722), 0

    async def drive() -> None:
        await platform.step()
        if chance.random() < 0.3:
            failpoints.arm(f"{point}=raise:1")

    addresses: dict[Contract, Address] = {}
    while not addresses:
        try:
            addresses = await platform.found(drive=drive)
        except FailpointHit:
            deaths += 1
        finally:
            failpoints.arm("")
    assert deaths >= 4
    assert await platform.node.nonce(platform.signer.address) == TRANSACTIONS
    assert all([await platform.node.code(address) for address in addresses.values()])
    assert await platform.found() == addresses


async def test_a_step_that_was_undone_is_tried_again(platform: Platform) -> None:
    async with platform.db.transaction() as tx:
        key = f"platform-{CHAIN_ID}-identity_registry-1"
        await chain.request(tx, key, platform.signer.address, chain.Call(None, b"\xfe", 100_000))
    with pytest.raises(chain.errors.TransactionReverted):
        await platform.found()
    assert set(await platform.found()) == set(Contract)
    assert await platform.node.nonce(platform.signer.address) == TRANSACTIONS + 1


async def test_contracts_that_the_chain_does_not_have_are_not_founded_again(platform: Platform) -> None:
    nowhere = Address("0x" + "de" * 20)
    async with platform.db.transaction() as tx:
        await chain.record_contract(tx, CHAIN_ID, Contract.SETTLEMENT, nowhere)
    with pytest.raises(SettingsError, match=f"settlement at {nowhere}"):
        await platform.found()
    assert await platform.node.nonce(platform.signer.address) == 0


async def test_a_real_chain_needs_its_quote_token(platform: Platform) -> None:
    with pytest.raises(SettingsError, match="SAPPHIRE_CASH_TOKEN"):
        await founding._chosen_cash(platform.db, platform.node, 23294, "")


@pytest.mark.parametrize(
    ("cash_token", "says"),
    [
        ("0x1234", "set the address"),
        ("0x" + "de" * 20, "there is no contract"),
        (None, "is no token"),
    ],
)
async def test_a_quote_token_that_is_none_is_refused_and_may_be_corrected(
    platform: Platform, founded: Platform, cash_token: str | None, says: str
) -> None:
    known = await chain.contracts(founded.db, CHAIN_ID)
    with pytest.raises(SettingsError, match=says):
        await platform.found(cash_token or known[Contract.IDENTITY_REGISTRY])
    usable = known[Contract.CASH]
    assert (await platform.found(usable))[Contract.CASH] == usable
    with pytest.raises(SettingsError, match="stays so"):
        await platform.found(known[Contract.SETTLEMENT])


async def test_founding_and_issuing_work_under_the_rules_of_sapphire(
    db: Database, anvil: EmbeddedAnvil
) -> None:
    async with SapphireProxy(anvil.url) as proxy:
        node = SapphireClient(proxy.url)
        platform = await open_platform(db, node, anvil)
        await platform.found()
        terms = [token_terms() for _ in range(6)]
        async with moving(platform):
            for asked in terms[:1]:
                known = await tokens.deploy(db, platform.foundry, asked, 20)
        assert "eth_estimateGas" not in proxy.asked
        assert proxy.refused == []
        adopted = await platform.foundry.contracts.deployment_of(
            node, await chain.contracts(db, CHAIN_ID), terms[0].market_id
        )
        assert adopted == known.tx_hash
        await node.close()


async def test_the_window_fits_into_what_sapphire_takes(db: Database, anvil: EmbeddedAnvil) -> None:
    """Thirty calls at once: nothing is refused for its nonce, its price or its size."""
    async with SapphireProxy(anvil.url) as proxy:
        node = SapphireClient(proxy.url)
        platform = await open_platform(db, node, anvil)
        asked = [f"call-{number}" for number in range(30)]
        async with db.transaction() as tx:
            for key in asked:
                call = chain.Call(Address("0x" + "11" * 20), key.encode(), 60_000)
                await chain.request(tx, key, platform.signer.address, call)
        for key in asked:
            await chain.wait_final(db, key, 20, platform.step)
        assert proxy.refused == []
        await node.close()


async def test_another_key_founds_another_platform(founded: Platform, platform: Platform) -> None:
    ours = await replace(platform).found()
    theirs = await chain.contracts(founded.db, CHAIN_ID)
    assert not set(ours.values()) & set(theirs.values())
