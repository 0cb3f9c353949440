"""A mint on its whole way: asked for, agreed to, minted on a real chain, seen by the watcher, booked, and shown."""

from collections.abc import AsyncIterator

import pytest

from deedbook import chain, ledger, truths
from deedbook.chain.terms import Contract
from deedbook.chain.watcher import Watch
from deedbook.custody import jobs as custody_jobs
from deedbook.custody.ports import Lookout
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire import custody as words
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.vault_events import decode_if_known
from deedbook.ledger import AccountId
from deedbook.tokens import MintStatus, holders, jobs, metadata, mint_store, views
from tests.support.fake_chain import CHAIN_ID
from tests.support.platform import Platform, moving, open_platform
from tests.support.waiting import eventually
from tests.tokens.support import Issue, Resources, issue, mint_job, user

UNIT = 10**18
CONFIRMATIONS = 3


@pytest.fixture
async def platform(db: Database, node: SapphireClient, anvil: EmbeddedAnvil) -> AsyncIterator[Platform]:
    opened = await open_platform(db, node, anvil)
    await opened.found()
    async with moving(opened):
        yield opened


async def lookout(platform: Platform) -> Lookout:
    vault = (await chain.contracts(platform.db, CHAIN_ID))[Contract.SETTLEMENT]
    first = await chain.deployed_in(platform.db, vault)
    return Lookout(platform.node, Watch(CHAIN_ID, vault, decode_if_known, first), CONFIRMATIONS)


async def booked(platform: Platform, issued: Issue, holder: AccountId, units: int) -> None:
    """Wait until the ledger has so much for somebody."""
    look = await lookout(platform)

    async def there() -> bool:
        await custody_jobs.watch(platform.db, look)
        async with platform.db.transaction() as tx:
            return await ledger.balance(tx, holder, issued.token_id) == (units, 0)

    await eventually(there, f"{units} units are booked", within_s=20)


async def test_a_mint_is_booked_when_the_vault_has_told_it(platform: Platform) -> None:
    db, issued = platform.db, await issue(platform.db, platform.foundry)
    treasury = AccountId(issued.issuer.user_id)
    await booked(platform, issued, treasury, 1000 * UNIT)
    assert (await issued.token()).total_supply == 1000 * UNIT  # the first supply is not counted twice

    mint = await issued.approved("250.5")
    await jobs.mint_token(Resources(db, platform.foundry), mint_job(mint))
    await booked(platform, issued, treasury, 12505 * UNIT // 10)

    completed = await mint_store.read(db, mint.mint_id)
    assert completed is not None and completed.status is MintStatus.COMPLETED
    token = await issued.token()
    assert token.total_supply == 12505 * UNIT // 10
    spread = await holders.spread(db, token)
    assert (spread.in_vault, spread.outside_vault) == (token.total_supply, 0)
    [line] = await holders.page(db, token, None, 10)
    assert (line.kind, line.share) == ("treasury", "100")
    await metadata.refresh(db, platform.node, platform.foundry.vault_tokens, token.token_id)
    shown = await views.one(db, token.symbol)
    assert shown is not None and shown.metadata["differences"] == []
    found = [*await truths.check_supply(db), *await truths.check_money(db)]
    assert {truth.name: truth.findings for truth in found if not truth.holds} == {}


async def test_a_mint_for_an_investor_reaches_them_and_a_burn_shrinks_the_supply(platform: Platform) -> None:
    db, issued = platform.db, await issue(platform.db, platform.foundry)
    investor = await user(db)
    await issued.verify(investor.user_id)
    contracts = await chain.contracts(db, CHAIN_ID)
    async with db.transaction() as tx:
        entry = platform.foundry.contracts.register_issuer(contracts, investor.account)
        await chain.request(tx, "investor", platform.signer.address, entry)
    await chain.wait_final(db, "investor", 20)

    mint = await issued.decide(await issued.ask("40", to=investor.account))
    await jobs.mint_token(Resources(db, platform.foundry), mint_job(mint))
    await booked(platform, issued, AccountId(investor.user_id), 40 * UNIT)
    assert (await issued.token()).total_supply == 1040 * UNIT

    token = await issued.token()
    assert token.contract_address is not None
    async with db.transaction() as tx:
        call = words.burn_from_vault(token.contract_address, investor.account, 15 * UNIT, b"\7" * 32)
        await chain.request(tx, "burn", platform.signer.address, call)
    await chain.wait_final(db, "burn", 20)
    await booked(platform, issued, AccountId(investor.user_id), 25 * UNIT)
    assert (await issued.token()).total_supply == 1025 * UNIT
    found = [*await truths.check_supply(db), *await truths.check_money(db)]
    assert {truth.name: truth.findings for truth in found if not truth.holds} == {}
