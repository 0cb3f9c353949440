"""Having the chain mint: once, whoever crashes when, and never what compliance or the contract refuses."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from deedbook import chain, compliance
from deedbook.chain import Contract
from deedbook.infra import failpoints
from deedbook.infra.failpoints import FailpointHit
from deedbook.integrations.sapphire import custody as words
from deedbook.kernel.ids import new_uuid
from deedbook.kernel.jobs import Job
from deedbook.tokens import Mint, MintStatus, jobs, mint_store, supply
from deedbook.tokens.errors import MintNotFound
from deedbook.tokens.terms import MINT, SWEEP_MINTS
from tests.chain.support import new_signer
from tests.support.fake_chain import CHAIN_ID
from tests.support.platform import Platform
from tests.tokens.support import Issue, Resources, facts, issue, mint_job, user

UNIT = 10**18


@pytest.fixture(scope="module")
async def live(founded: Platform) -> Issue:
    """A token that stands on the chain."""
    return await issue(founded.db, founded.foundry, supply_cap="1000000")


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def stored(issued: Issue, mint: Mint) -> Mint:
    found = await mint_store.read(issued.db, mint.mint_id)
    assert found is not None
    return found


async def on_chain(platform: Platform, issued: Issue) -> tuple[int, int]:
    """Total supply, and what the vault keeps for the issuer."""
    token = await issued.token()
    assert token.contract_address is not None
    settlement = (await chain.contracts(platform.db, CHAIN_ID))[Contract.SETTLEMENT]
    total = await platform.foundry.vault_tokens.total_supply(platform.node, token.contract_address)
    held = await words.vault_balance(platform.node, settlement, issued.issuer.account, token.contract_address)
    assert total is not None
    return total, held


async def test_what_was_approved_is_minted_into_the_vault_once(founded: Platform, live: Issue) -> None:
    before = await on_chain(founded, live)
    mint = await live.approved("12.5")
    for _ in range(2):
        await jobs.mint_token(Resources(founded.db, founded.foundry), mint_job(mint))
    after = await on_chain(founded, live)
    assert [now - then for now, then in zip(after, before, strict=True)] == [mint.amount] * 2
    submitted = await stored(live, mint)
    entry = await chain.find(founded.db, supply.key_of(mint.mint_id))
    assert entry is not None and submitted.tx_hash == entry.tx_hash
    assert submitted.status is MintStatus.SUBMITTED  # until the vault's event is booked
    await live.complete(mint)
    assert (await live.token()).total_supply == after[0]
    await jobs.mint_token(Resources(founded.db, founded.foundry), mint_job(mint))
    assert await on_chain(founded, live) == after


@pytest.mark.parametrize("place", ["afterClaim", "beforeCommit", "afterRequest", "afterFinal"])
async def test_a_mint_is_made_once_when_its_worker_dies(founded: Platform, live: Issue, place: str) -> None:
    before = await on_chain(founded, live)
    mint = await live.approved("7")
    failpoints.arm(f"mint.{place}=raise:1")
    resources = Resources(founded.db, founded.foundry)
    with pytest.raises(FailpointHit):
        await jobs.mint_token(resources, mint_job(mint))
    await jobs.mint_token(resources, mint_job(mint))
    assert (await on_chain(founded, live))[0] == before[0] + mint.amount
    await live.complete(mint)


async def test_a_mint_is_made_once_when_many_workers_have_the_job(founded: Platform, live: Issue) -> None:
    before = await on_chain(founded, live)
    mint = await live.approved("3")
    resources = Resources(founded.db, founded.foundry)
    await asyncio.gather(*(jobs.mint_token(resources, mint_job(mint)) for _ in range(5)))
    assert (await on_chain(founded, live))[0] == before[0] + mint.amount
    await live.complete(mint)


async def test_the_contract_refuses_a_second_mint_under_the_same_id(founded: Platform, live: Issue) -> None:
    """What a database that was restored from before the mint would ask."""
    mint = await live.approved("2")
    await jobs.mint_token(Resources(founded.db, founded.foundry), mint_job(mint))
    before = await on_chain(founded, live)
    token = await live.token()
    assert token.contract_address is not None
    call = founded.foundry.vault_tokens.mint(token.contract_address, mint.account, mint.amount, mint.mint_id)
    async with founded.db.transaction() as tx:
        await chain.request(tx, f"again-{mint.mint_id}", founded.signer.address, call)
    with pytest.raises(chain.errors.TransactionReverted):
        await chain.wait_final(founded.db, f"again-{mint.mint_id}", 20)
    assert await on_chain(founded, live) == before
    await live.complete(mint)


async def test_a_mint_fails_when_the_contract_undoes_it(founded: Platform, live: Issue) -> None:
    """The receiver is eligible here, and the chain's registry does not know them."""
    receiver = await user(founded.db)
    await live.verify(receiver.user_id)
    mint = await live.decide(await live.ask("1", to=receiver.account))
    await jobs.mint_token(Resources(founded.db, founded.foundry), mint_job(mint))
    failed = await stored(live, mint)
    assert failed.status is MintStatus.FAILED and "ERC7943CannotReceive" in (failed.error or "")
    told = (await facts(founded.db, live.token_id))[-1]
    assert (told["event_type"], told["after"]) == ("token.mint_failed", {"status": "FAILED"})
    await jobs.mint_token(Resources(founded.db, founded.foundry), mint_job(mint))
    assert await stored(live, mint) == failed


async def test_the_chain_is_not_asked_when_compliance_says_no_at_the_execution(
    founded: Platform, live: Issue
) -> None:
    receiver = await user(founded.db)
    await live.verify(receiver.user_id)
    mint = await live.decide(await live.ask("1", to=receiver.account))
    async with founded.db.transaction() as tx:
        await compliance.freeze(tx, live.officer.actor, receiver.user_id, "looked at it")
    for _ in range(2):
        await jobs.mint_token(Resources(founded.db, founded.foundry), mint_job(mint))
    assert (await stored(live, mint)).status is MintStatus.FAILED
    assert await chain.find(founded.db, supply.key_of(mint.mint_id)) is None


async def test_a_mint_stays_with_the_chain_when_it_does_not_answer_in_time(
    founded: Platform, live: Issue
) -> None:
    mint = await live.approved("4")
    idle = Resources(founded.db, replace(founded.foundry, admin=new_signer().address))
    with pytest.raises(TimeoutError):
        await supply.carry_out(founded.db, idle.foundry, mint.mint_id, 0.2)
    async with founded.db.transaction() as tx:
        await jobs._give_up_mint(tx, mint_job(mint), "not final after 120 s")
    assert (await stored(live, mint)).status is MintStatus.SUBMITTED

    # The sweeper finds it, and books what the chain has said meanwhile.
    async with founded.db.transaction() as tx:
        await tx.execute(
            "UPDATE mint_requests SET updated_at = now() - interval '2 minutes' WHERE mint_id = $1",
            mint.mint_id,
        )
    sweep = Job("sweep", SWEEP_MINTS.name, {})
    await jobs.sweep_mints(idle, sweep)
    assert (await stored(live, mint)).status is MintStatus.SUBMITTED
    async with founded.db.transaction() as tx:
        await tx.execute(
            "UPDATE chain_transactions SET status = 'reverted', nonce = 0, error = 'CapExceeded' WHERE key = $1",
            supply.key_of(mint.mint_id),
        )
    for _ in range(2):
        await jobs.sweep_mints(idle, sweep)
    assert (await stored(live, mint)).status is MintStatus.FAILED


async def test_a_mint_fails_when_its_job_does_before_the_chain_was_asked(
    founded: Platform, live: Issue
) -> None:
    mint = await live.approved("5")
    for _ in range(2):
        async with founded.db.transaction() as tx:
            await jobs._give_up_mint(tx, mint_job(mint), "a bug of ours")
    assert (await stored(live, mint)).error == "a bug of ours"
    told = [
        fact for fact in await facts(founded.db, live.token_id) if fact["event_type"] == "token.mint_failed"
    ]
    assert [fact["payload"]["mintId"] for fact in told].count(str(mint.mint_id)) == 1


@pytest.mark.parametrize("data", [{}, {"mintId": "x"}, {"mintId": str(new_uuid())}])
async def test_a_job_that_names_no_mint_is_refused(founded: Platform, data: dict[str, str]) -> None:
    with pytest.raises(MintNotFound):
        await jobs.mint_token(Resources(founded.db, founded.foundry), Job("j", MINT.name, data))


async def test_a_mint_that_waits_for_a_person_is_not_minted(founded: Platform, live: Issue) -> None:
    mint = await live.ask("1")
    await jobs.mint_token(Resources(founded.db, founded.foundry), mint_job(mint))
    assert (await stored(live, mint)).status is MintStatus.PENDING_APPROVAL
    assert await chain.find(founded.db, supply.key_of(mint.mint_id)) is None
