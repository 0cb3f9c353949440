"""The platform's own contracts: each once, through every death, and never on a chain that is not theirs."""

import random
from dataclasses import replace

import pytest

from deedbook import chain, ledger, tokens
from deedbook.chain import Contract, lane
from deedbook.chain.identities import IdentityUpdate
from deedbook.chain.lane import LanePolicy
from deedbook.chain.terms import Call
from deedbook.identity import checksum_address, keccak
from deedbook.identity.terms import Address
from deedbook.infra import failpoints
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.infra.failpoints import FailpointHit
from deedbook.infra.settings import SettingsError
from deedbook.integrations.sapphire import contracts as words
from deedbook.integrations.sapphire import custody
from deedbook.integrations.sapphire import platform as founding
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.kernel.clock import SystemClock
from tests.chain.support import POLICY, new_signer
from tests.support.fake_chain import CHAIN_ID
from tests.support.platform import Platform, moving, open_platform, token_terms
from tests.support.sapphire_proxy import SapphireProxy

TRANSACTIONS = 7  # four contracts, a role, a listing, and the entry of the account that keeps the fees


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


async def test_founding_waits_for_confirmations_once(platform: Platform) -> None:
    """What names others follows them in the next blocks: when the last is asked for, the first is not yet final."""
    patient = LanePolicy(CHAIN_ID, 200, POLICY.gas_price_cap)  # ten seconds, in which all are asked for
    final_when_all_were_asked_for: list[int] = []

    async def drive() -> None:
        await lane.step(platform.db, platform.node, platform.signer, patient, SystemClock().now())
        states = [
            row["status"] for row in await platform.db.pool.fetch("SELECT status FROM chain_transactions")
        ]
        if len(states) == TRANSACTIONS:
            final_when_all_were_asked_for.append(states.count("confirmed"))

    await platform.found(drive=drive)
    assert final_when_all_were_asked_for[0] == 0
    rows = await platform.db.pool.fetch("SELECT key FROM chain_transactions ORDER BY nonce")
    names = [row["key"].split("-")[2] for row in rows]
    assert names[:2] == ["cash", "identity_registry"], "what names nobody is asked for together"


async def test_what_names_a_contract_that_was_undone_is_created_anew_with_it(platform: Platform) -> None:
    """As after a reorganization: the first registry stood long enough for others to name it, and is gone."""

    async def drive() -> None:
        await platform.step()
        if await platform.db.pool.fetchval("SELECT count(*) FROM chain_transactions") == TRANSACTIONS:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await platform.found(drive=drive)
    assert await chain.contracts(platform.db, CHAIN_ID) == {}
    await platform.db.pool.execute(
        "UPDATE chain_transactions SET status = 'reverted' WHERE key LIKE 'platform-%-identity_registry-%'"
    )
    await _is_whole(platform, await platform.found())


async def test_what_names_a_contract_that_ended_up_elsewhere_is_created_anew(platform: Platform) -> None:
    async def drive() -> None:
        """As when others had used the nonce of the registry: until it is final it is seen at another place."""
        await platform.step()
        await platform.db.pool.execute(
            """
            UPDATE chain_transactions r SET contract_address = c.contract_address FROM chain_transactions c
            WHERE r.key LIKE 'platform-%-identity_registry-%' AND r.status = 'mined'
              AND c.key LIKE 'platform-%-cash-%' AND c.contract_address IS NOT NULL
            """
        )

    with pytest.raises(chain.errors.TransactionReverted, match="identity_registry was created elsewhere"):
        await platform.found(drive=drive)
    assert Contract.SETTLEMENT not in await chain.contracts(platform.db, CHAIN_ID)
    await _is_whole(platform, await platform.found())


async def _is_whole(platform: Platform, addresses: dict[Contract, Address]) -> None:
    """Every contract names the others as they are written down."""
    registry, settlement = addresses[Contract.IDENTITY_REGISTRY], addresses[Contract.SETTLEMENT]
    factory, node = addresses[Contract.TOKEN_FACTORY], platform.node
    for contract in (settlement, factory):
        assert await words.read(node, contract, "registry()", [], [], "address") == registry
    assert await words.has_role(node, settlement, words.LISTER_ROLE, factory)
    assert await words.is_listed(node, settlement, addresses[Contract.CASH])
    assert await platform.found() == addresses


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
    admin = platform.signer.address
    creation = words.create("IdentityRegistry", ["address"] * 2, [admin, admin])
    async with platform.db.transaction() as tx:
        key = f"{founding.stem(CHAIN_ID, 'identity_registry', creation)}-1"
        await chain.request(tx, key, admin, chain.Call(None, b"\xfe", 100_000))
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


@pytest.mark.parametrize("named", [True, False])
async def test_the_account_that_keeps_the_fees_is_a_verified_holder(platform: Platform, named: bool) -> None:
    house = new_signer().address if named else platform.signer.address
    for _ in range(2):
        founded = await platform.found(fee_account=checksum_address(house) if named else "")
    assert await words.SapphireContracts().is_verified(platform.node, founded, house)
    assert await platform.node.nonce(platform.signer.address) == TRANSACTIONS
    async with platform.db.transaction() as tx:
        assert await ledger.house_address(tx) == house
    with pytest.raises(SettingsError, match=f"keeps its fees at {house}"):
        await platform.found(fee_account=new_signer().address)


async def test_fees_that_the_chain_pays_elsewhere_are_noticed_at_the_start(platform: Platform) -> None:
    founded, other = await platform.found(), new_signer().address
    settlement, admin = founded[Contract.SETTLEMENT], platform.signer.address
    async with platform.db.transaction() as tx:
        data = keccak(b"setFeeAccount(address)")[:4] + bytes(12) + bytes.fromhex(other[2:])
        await chain.request(tx, "elsewhere", admin, Call(settlement, data, 100_000))
    await chain.wait_final(platform.db, "elsewhere", 20, platform.step)
    with pytest.raises(SettingsError, match=f"FEE_ACCOUNT: the vault at {settlement} pays fees to {other}"):
        await platform.found()


async def test_a_vault_that_settles_no_trades_is_not_taken_up(platform: Platform, founded: Platform) -> None:
    older = (await chain.contracts(founded.db, CHAIN_ID))[Contract.IDENTITY_REGISTRY]
    async with platform.db.transaction() as tx:
        await chain.record_contract(tx, CHAIN_ID, Contract.SETTLEMENT, older)
    with pytest.raises(SettingsError, match=f"the vault at {older} is from before trades were settled"):
        await platform.found()


@pytest.mark.parametrize(
    "fee_account", ["0x1234", "0x" + "00" * 20, "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]
)
async def test_an_account_that_is_none_keeps_no_fees(platform: Platform, fee_account: str) -> None:
    with pytest.raises(SettingsError, match="FEE_ACCOUNT"):
        await platform.found(fee_account=fee_account)
    assert await platform.node.nonce(platform.signer.address) == 0


async def test_a_fee_account_that_compliance_revoked_is_not_entered_again(platform: Platform) -> None:
    founded = await platform.found()
    registry, admin = founded[Contract.IDENTITY_REGISTRY], platform.signer.address
    async with platform.db.transaction() as tx:
        call = custody.set_identities(registry, [IdentityUpdate(admin, False, "ZZ", 0, 1)])
        await chain.request(tx, "revoked", admin, call)
    await chain.wait_final(platform.db, "revoked", 20, platform.step)
    assert await platform.found() == founded
    assert await platform.node.nonce(admin) == TRANSACTIONS + 1


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
