"""Asking for mints and deciding on them: who may, how much, and what becomes of it when many try at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from typing import Any

import pytest

from deedbook import compliance, tokens
from deedbook.chain.erc20 import Erc20Metadata
from deedbook.compliance import RecordChange
from deedbook.compliance.errors import KycRequired, ReceiverFrozen, TokenNotFound
from deedbook.identity import Role
from deedbook.identity.errors import FourEyes
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.errors import Invalid
from deedbook.kernel.ids import TokenId, new_uuid
from deedbook.tokens import Mint, MintStatus, RegisterToken, TokenType, mint_store, supply
from deedbook.tokens.errors import MintNotFound, MintNotPending, NotMintable, SupplyCapExceeded
from tests.markets.support import issuer
from tests.support.servers import PostgresServer
from tests.support.waiting import PATIENCE_S
from tests.tokens.support import Issue, a_symbol, facts, issue, user

UNIT = 10**18


@pytest.fixture(scope="module")
async def db(postgres: PostgresServer) -> AsyncIterator[Database]:
    made = await postgres.new_database()
    database = await Database.connect(made, acquire_timeout_s=PATIENCE_S)
    yield database
    await database.close()
    await postgres.drop(made)


async def stored(issued: Issue, mint: Mint) -> Mint:
    found = await mint_store.read(issued.db, mint.mint_id)
    assert found is not None
    return found


async def jobs_of(issued: Issue, mint: Mint) -> list[str]:
    async with issued.db.reading() as connection:
        rows = await connection.fetch(
            "SELECT job_id FROM jobs WHERE data ->> 'mintId' = $1", str(mint.mint_id)
        )
    return [row["job_id"] for row in rows]


async def together(*asked: Awaitable[Any]) -> Counter[type]:
    return Counter(type(end) for end in await asyncio.gather(*asked, return_exceptions=True))


async def test_a_mint_waits_for_a_second_person_when_it_is_asked_for(db: Database) -> None:
    issued = await issue(db)
    mint = await issued.ask("12.5")
    assert await stored(issued, mint) == mint
    assert (mint.status, mint.amount, mint.user_id) == (
        MintStatus.PENDING_APPROVAL,
        125 * UNIT // 10,
        issued.issuer.user_id,
    )
    assert await jobs_of(issued, mint) == []
    assert (await issued.token()).total_supply == 1000 * UNIT


async def test_a_mint_goes_ahead_when_a_second_person_agrees(db: Database) -> None:
    issued = await issue(db)
    mint = await issued.approved()
    assert mint.status is MintStatus.APPROVED and mint.decided_by == issued.officer.user_id
    assert await jobs_of(issued, mint) == [f"mint-token-{mint.mint_id}"]


@pytest.mark.parametrize(
    ("amount", "limit", "status"),
    [
        ("100", "100", MintStatus.APPROVED),
        ("100.000000000000000001", "100", MintStatus.PENDING_APPROVAL),
        ("0.000000000000000001", "0", MintStatus.PENDING_APPROVAL),
        ("0.5", "0.5", MintStatus.APPROVED),
    ],
)
async def test_the_policy_agrees_by_itself_when_the_amount_is_within_its_limit(
    db: Database, amount: str, limit: str, status: MintStatus
) -> None:
    issued = await issue(db)
    mint = await issued.ask(amount, automatic=limit)
    assert mint.status is status
    told = [fact for fact in await facts(db, issued.token_id) if fact["event_type"] == "token.mint_approved"]
    assert [fact["payload"]["approvedBy"] for fact in told] == (
        [None] if status is MintStatus.APPROVED else []
    )
    assert len(await jobs_of(issued, mint)) == len(told)


async def test_a_limit_that_is_finer_than_the_token_is_rounded_down(db: Database) -> None:
    issued = await issue(db, decimals=0)
    assert (await issued.ask("1", automatic="1.9")).status is MintStatus.APPROVED
    assert (await issued.ask("2", automatic="1.9")).status is MintStatus.PENDING_APPROVAL


async def test_a_second_person_agrees_to_what_the_day_comes_to_when_it_is_asked_for_in_parts(
    db: Database,
) -> None:
    issued = await issue(db)
    asked = [(await issued.ask(part, automatic="10")).status for part in ("6", "5", "4", "1")]
    waits = MintStatus.PENDING_APPROVAL
    assert asked == [MintStatus.APPROVED, waits, MintStatus.APPROVED, waits]
    async with db.transaction() as tx:
        await tx.execute("UPDATE mint_requests SET created_at = now() - interval '25 hours'")
    assert (await issued.ask("10", automatic="10")).status is MintStatus.APPROVED


async def test_who_asks_or_receives_does_not_decide_whatever_their_roles(db: Database) -> None:
    issued = await issue(db)
    receiver = await user(db, Role.COMPLIANCE, Role.ADMIN)
    await issued.verify(receiver.user_id)
    mint = await issued.ask(to=receiver.account)
    for caller in (issued.issuer, receiver):
        for approve in (True, False):
            with pytest.raises(FourEyes):
                await issued.decide(mint, approve=approve, by=caller)
    assert (await stored(issued, mint)).status is MintStatus.PENDING_APPROVAL


async def test_a_mint_is_decided_once_when_officers_agree_and_refuse_together(db: Database) -> None:
    issued = await issue(db)
    for _ in range(5):
        mint = await issued.ask("1")
        ended = await together(*(issued.decide(mint, approve=number % 2 == 0) for number in range(6)))
        assert ended == {Mint: 1, MintNotPending: 5}
        decided = await stored(issued, mint)
        assert len(await jobs_of(issued, mint)) == (decided.status is MintStatus.APPROVED)


async def test_the_cap_holds_when_twenty_mints_are_asked_for_together(db: Database) -> None:
    issued = await issue(db)
    ended = await together(*(issued.ask("150") for _ in range(20)))
    assert ended == {Mint: 13, SupplyCapExceeded: 7}  # 13 × 150 of the 2,000 that the cap leaves
    with pytest.raises(SupplyCapExceeded, match="at most 50 "):
        await issued.ask("50.000000000000000001")
    await issued.ask("50")


async def test_room_comes_back_when_a_mint_is_refused_or_fails(db: Database) -> None:
    issued = await issue(db)
    first = await issued.ask("2000")
    with pytest.raises(SupplyCapExceeded):
        await issued.ask("1")
    await issued.decide(first, approve=False)
    second = await issued.approved("2000")
    async with db.transaction() as tx:
        await supply.fail_mint(tx, second.mint_id, "no gas")
    assert (await issued.ask("2000")).status is MintStatus.PENDING_APPROVAL


async def test_nothing_is_left_to_mint_when_the_cap_is_the_supply(db: Database) -> None:
    issued = await issue(db, supply_cap=None)
    with pytest.raises(SupplyCapExceeded, match="at most 0 "):
        await issued.ask("0.000000000000000001")


@pytest.mark.parametrize(
    "amount", ["", "0", "0.0", "-1", "+1", "1e3", "NaN", "1\n", "١", str(10**20), "0.0000000000000000001"]
)
async def test_an_amount_is_refused_when_it_is_none(db: Database, amount: str) -> None:
    issued = await issue(db)
    with pytest.raises(Invalid) as refused:
        await issued.ask(amount)
    assert [error.pointer for error in refused.value.errors] == ["/amount"]


async def test_a_receiver_is_refused_when_nobody_has_the_account(db: Database) -> None:
    issued = await issue(db)
    for nowhere in ("0x" + "00" * 20, "0x" + "00" * 19 + "01", "0x" + "ab" * 20):
        with pytest.raises(Invalid) as refused:
            await issued.ask(to=Address(nowhere))
        assert [error.code for error in refused.value.errors] == ["receiver_unknown"]


async def test_a_receiver_is_refused_when_compliance_does_not_let_them_hold_it(db: Database) -> None:
    issued = await issue(db)
    receiver = await user(db)
    with pytest.raises(KycRequired) as refused:
        await issued.ask(to=receiver.account)
    assert refused.value.extra == {"reason": "10"}
    await issued.verify(receiver.user_id)
    assert (await issued.ask(to=receiver.account)).account == receiver.account
    async with db.transaction() as tx:
        await compliance.freeze(tx, issued.officer.actor, receiver.user_id, "looked at it")
    with pytest.raises(ReceiverFrozen):
        await issued.ask(to=receiver.account)


async def test_another_issuers_token_is_absent_and_other_tokens_are_not_minted(db: Database) -> None:
    issued = await issue(db)
    with pytest.raises(TokenNotFound):
        await issued.ask(by=await issuer(db))
    nowhere = Issue(db, issued.issuer, issued.officer, TokenId(new_uuid()))
    with pytest.raises(TokenNotFound):
        await nowhere.ask()
    with pytest.raises(MintNotFound):
        async with db.transaction() as tx:
            await tokens.decide_mint(tx, issued.officer, new_uuid(), "", approve=True)
    address = Address("0x" + new_uuid().hex + "00000000")
    command = RegisterToken(a_symbol(), "Other", TokenType.CRYPTO, address)
    async with db.transaction() as tx:
        other = await tokens.register(tx, issued.officer, command, Erc20Metadata("o", "o", 6), 31337)
    with pytest.raises(NotMintable):
        await Issue(db, issued.issuer, issued.officer, other.token_id).ask()


# What the vault tells


async def test_supply_grows_once_when_a_mint_is_completed_twice(db: Database) -> None:
    issued = await issue(db)
    mint = await issued.approved("100")
    assert [await issued.complete(mint) for _ in range(2)] == [True, True]
    assert (await issued.token()).total_supply == 1100 * UNIT
    assert (await stored(issued, mint)).status is MintStatus.COMPLETED
    told = [fact for fact in await facts(db, issued.token_id) if fact["event_type"] == "token.minted"]
    assert [fact["payload"]["totalSupply"] for fact in told] == ["1100"]


async def test_an_id_that_is_no_mint_of_ours_completes_nothing(db: Database) -> None:
    issued = await issue(db)
    assert not await issued.complete(replace(await issued.approved(), mint_id=new_uuid()))
    assert (await issued.token()).total_supply == 1000 * UNIT


@pytest.mark.parametrize(
    "planted",
    [{"units": 101 * UNIT}, {"account": Address("0x" + "ab" * 20)}, {"token_id": TokenId(new_uuid())}],
)
async def test_a_mint_that_the_vault_tells_otherwise_is_not_the_one_that_was_asked_for(
    db: Database, planted: dict[str, Any]
) -> None:
    issued = await issue(db)
    mint = await issued.approved("100")
    assert not await issued.complete(mint, **planted)
    assert (await stored(issued, mint)).status is MintStatus.APPROVED
    assert (await issued.token()).total_supply == 1000 * UNIT


async def test_what_the_chain_says_counts_when_we_had_given_a_mint_up(db: Database) -> None:
    issued = await issue(db)
    mint = await issued.approved("100")
    async with db.transaction() as tx:
        await supply.fail_mint(tx, mint.mint_id, "no gas")
    assert await issued.complete(mint)
    assert (await issued.token()).total_supply == 1100 * UNIT
    assert (await stored(issued, mint)).error is None


async def test_supply_follows_burns_and_mints_by_other_hands(db: Database) -> None:
    issued = await issue(db)
    for units in (-250 * UNIT, 100 * UNIT):
        async with db.transaction() as tx:
            await tokens.change_supply(tx, issued.token_id, units, "0x" + "cd" * 32)
    assert (await issued.token()).total_supply == 850 * UNIT
    told = (await facts(db, issued.token_id))[-2:]
    assert [(fact["payload"]["change"], fact["before"], fact["after"]) for fact in told] == [
        ("-250", {"totalSupply": "1000"}, {"totalSupply": "750"}),
        ("100", {"totalSupply": "750"}, {"totalSupply": "850"}),
    ]


async def test_every_fact_of_a_token_says_what_was_before_and_after(db: Database) -> None:
    issued = await issue(db)
    await issued.decide(await issued.ask("1"), approve=False)
    mint = await issued.approved("1")
    await issued.complete(mint)
    told = await facts(db, issued.token_id)
    assert {fact["event_type"].removeprefix("token.") for fact in told} >= {
        "listed", "mint_requested", "mint_rejected", "mint_approved", "minted",
    }  # fmt: skip
    for fact in told:
        if fact["event_type"].startswith("token."):
            assert fact["before"] != fact["after"] and fact["before"] is not None, fact


async def test_a_receiver_is_refused_when_they_are_off_the_whitelist(db: Database) -> None:
    issued = await issue(db)
    receiver = await user(db)
    await issued.verify(receiver.user_id)
    async with db.transaction() as tx:
        await compliance.set_record(
            tx, issued.officer, receiver.user_id, issued.token_id, RecordChange(whitelisted=False)
        )
    with pytest.raises(compliance.errors.NotWhitelisted):
        await issued.ask(to=receiver.account)
