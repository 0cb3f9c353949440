"""The vault's events and the ledger: each once, in order, to the last unit, whatever else went wrong."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from deedbook import tokens
from deedbook.chain.vault import VaultEventKind
from deedbook.custody.store import events as store
from deedbook.custody.store.events import Place
from deedbook.custody.vault import apply_events
from deedbook.markets import MarketStatus
from tests.chain.support import armed
from tests.custody.support import CASH, DEED, DEPTH, House, somewhere
from tests.markets.support import market_in
from tests.support.fake_chain import CHAIN_ID, Told
from tests.support.vault_logs import VAULT, deposited, told, vault_event

UNIT = 10**6


async def processed(house: House) -> list[bool]:
    return [
        row["processed"]
        for row in await house.rows("SELECT processed FROM blockchain_events ORDER BY position")
    ]


async def test_a_deposit_is_credited_once_when_it_is_deep_enough(house: House) -> None:
    person = await house.person()
    house.node.tell(deposited(person.account, 5 * UNIT, token=CASH))
    house.node.mine(DEPTH)
    await house.watch()
    assert await house.balance(person) == (0, 0)
    house.node.mine()
    await house.watch()
    await house.watch()
    assert await house.balance(person) == (5 * UNIT, 0)
    [deposit] = await house.rows("SELECT * FROM deposits")
    assert (deposit["status"], int(deposit["credited"]), deposit["user_id"]) == (
        "CREDITED",
        5 * UNIT,
        person.user_id,
    )
    assert await house.history(deposit["deposit_id"]) == ["credited"]
    await house.require_truths()


async def test_money_may_arrive_before_its_owner_signs_in(house: House) -> None:
    account = somewhere()
    await house.happen(deposited(account, 7, token=CASH))
    [row] = await house.rows(
        "SELECT b.available FROM users u JOIN user_balances b USING (user_id) WHERE u.account = $1", account
    )
    assert int(row["available"]) == 7
    await house.require_truths()


async def test_what_a_wallet_of_another_account_deposits_stands_in_suspense(house: House) -> None:
    person, second = await house.person(), somewhere()
    async with house.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO user_wallets (address, user_id) VALUES ($1, $2)", second, person.user_id
        )
    await house.happen(deposited(second, 7, token=CASH))
    assert (await house.balance(person), await house.suspense()) == ((0, 0), 7)
    assert [row["event_type"] for row in await house.rows(CLAIMS)] == ["custody.claim_raised"]
    await house.require_truths()


CLAIMS = "SELECT event_type, payload FROM events WHERE event_type = 'custody.claim_raised' ORDER BY position"


async def test_many_events_in_one_transaction_are_many_postings(house: House) -> None:
    alice, bob = await house.person(), await house.person()
    await house.happen(
        deposited(alice.account, 1, token=CASH),
        deposited(alice.account, 2, token=CASH),
        deposited(bob.account, 3, token=CASH),
        deposited(alice.account, 4, token=DEED),
    )
    assert await house.balance(alice) == (3, 0)
    assert await house.balance(bob) == (3, 0)
    assert await house.balance(alice, house.deed) == (4, 0)
    await house.require_truths()


async def test_many_hands_give_each_event_its_effect_once(house: House) -> None:
    person = await house.person()
    for amount in range(1, 21):
        house.node.tell(deposited(person.account, amount, token=CASH))
    house.node.mine(1 + DEPTH)
    await house.watch_only()
    await asyncio.gather(*[apply_events(house.db, CHAIN_ID, DEPTH) for _ in range(6)])
    assert await house.balance(person) == (210, 0)
    await house.require_truths()


@pytest.mark.parametrize("place", ["vault.beforeCommit", "database.beforeCommit"])
async def test_an_interrupted_effect_happens_later_and_once(house: House, place: str) -> None:
    person = await house.person()
    house.node.tell(deposited(person.account, 5, token=CASH))
    house.node.mine(1 + DEPTH)
    await house.watch_only()
    with armed(f"{place}=raise:1"):
        assert await apply_events(house.db, CHAIN_ID, DEPTH) == 0
    assert await house.balance(person) == (0, 0)
    assert await apply_events(house.db, CHAIN_ID, DEPTH) == 1
    assert await apply_events(house.db, CHAIN_ID, DEPTH) == 0
    assert await house.balance(person) == (5, 0)


# What cannot have its effect yet


async def test_events_of_an_unknown_token_wait_and_others_go_on(house: House) -> None:
    unknown, person = somewhere(), await house.person()
    await house.happen(deposited(person.account, 1, token=unknown), deposited(person.account, 2, token=CASH))
    assert await house.balance(person) == (2, 0)
    assert await processed(house) == [False, True]
    [row] = await house.rows("SELECT processing_error FROM blockchain_events WHERE NOT processed")
    assert unknown in row["processing_error"]
    async with house.db.transaction() as tx:
        await tx.execute(
            "UPDATE tokens SET contract_address = $1 WHERE token_id = $2", unknown, house.deed.token_id
        )
    await house.watch()
    assert await house.balance(person, house.deed) == (1, 0)
    assert await house.rows("SELECT 1 FROM blockchain_events WHERE processing_error IS NOT NULL") == []


async def test_the_order_of_a_token_is_kept_when_one_of_its_events_fails(house: House) -> None:
    person = await house.rich("10")
    house.node.tell(deposited(person.account, UNIT, token=CASH))
    house.node.mine()
    burn = vault_event(VaultEventKind.BURN_DEBITED, person.account, 11 * UNIT, token=CASH, reference=uuid4())
    house.node.tell(told(burn))
    house.node.mine(1 + DEPTH)
    await house.watch_only()
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE tokens SET total_supply = 11000000 WHERE token_id = $1", house.cash.token_id)
    with armed("vault.beforeCommit=raise:1"):
        assert await apply_events(house.db, CHAIN_ID, DEPTH) == 0
    assert await processed(house) == [True, False, False]
    assert await apply_events(house.db, CHAIN_ID, DEPTH) == 2
    assert (await house.balance(person), await house.suspense()) == ((0, 0), 0)
    await house.require_truths()


async def test_nothing_has_its_effect_while_the_watcher_is_stopped(house: House) -> None:
    person = await house.person()
    house.node.tell(deposited(person.account, 5, token=CASH))
    house.node.mine(1 + DEPTH)
    await house.watch_only()
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE chain_cursors SET stopped_reason = 'the chain took something back'")
    assert await apply_events(house.db, CHAIN_ID, DEPTH) == 0


async def test_an_event_has_no_effect_when_the_chain_parts_after_it_was_found_deep_enough(
    house: House,
) -> None:
    person = await house.person()
    house.node.tell(deposited(person.account, 5, token=CASH))
    house.node.mine(1 + DEPTH)
    await house.watch_only()
    [found] = await store.waiting(house.db, CHAIN_ID, DEPTH, Place(-1, -1), 10)
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE chain_cursors SET stopped_reason = 'the chain took something back'")
        assert not await store.claim(tx, found, DEPTH)
        await tx.execute("UPDATE chain_cursors SET stopped_reason = NULL, block_number = block_number - 1")
        assert not await store.claim(tx, found, DEPTH)
        await tx.execute("UPDATE chain_cursors SET block_number = block_number + 1")
        assert await store.claim(tx, found, DEPTH)
        await tx.execute("UPDATE blockchain_events SET block_hash = $1", "0x" + "77" * 32)
        assert not await store.claim(tx, found, DEPTH)


async def test_an_orphaned_event_has_no_effect(house: House) -> None:
    person = await house.person()
    house.node.mine(3)
    house.node.tell(deposited(person.account, 5, token=CASH))
    house.node.mine(2)
    await house.watch()
    house.node.reorganize(2, keep=False)
    house.node.mine(3 * DEPTH)
    await house.watch()
    assert await house.balance(person) == (0, 0)
    assert await processed(house) == [False]


async def test_a_deposit_that_moves_to_another_block_is_credited_once(house: House) -> None:
    person = await house.person()
    house.node.mine(3)
    house.node.tell(deposited(person.account, 5, token=CASH))
    house.node.mine(DEPTH)
    await house.watch()
    house.node.reorganize(DEPTH)
    house.node.mine(1 + DEPTH)
    await house.watch()
    house.node.mine(DEPTH)
    await house.watch()
    assert await house.balance(person) == (5, 0)
    await house.require_truths()


# Mints, burns, force


async def test_the_first_supply_is_credited_to_its_issuer_and_changes_no_supply(house: House) -> None:
    market = await market_in(house.db, MarketStatus.ACTIVE)
    async with house.db.transaction() as tx:
        token = await tokens.of_market(tx, market.market_id)
    assert token is not None and token.contract_address is not None
    minted = vault_event(
        VaultEventKind.MINT_CREDITED,
        market.issuer_account,
        token.total_supply,
        token=token.contract_address,
        reference=market.market_id,
    )
    await house.happen(told(minted))
    [row] = await house.rows(
        "SELECT available FROM user_balances WHERE user_id = $1 AND token_id = $2",
        market.issuer_user_id,
        token.token_id,
    )
    assert int(row["available"]) == token.total_supply == await house.supply(token)
    await house.require_truths()


async def test_a_mint_that_nobody_asked_for_is_credited_and_counted(house: House) -> None:
    person = await house.person()
    minted = vault_event(
        VaultEventKind.MINT_CREDITED, person.account, 500, token=DEED, reference=b"\xff" * 32
    )
    await house.happen(told(minted))
    assert (await house.balance(person, house.deed), await house.supply(house.deed)) == ((500, 0), 500)
    burned = vault_event(VaultEventKind.BURN_DEBITED, person.account, 200, token=DEED, reference=uuid4())
    await house.happen(told(burned))
    assert (await house.balance(person, house.deed), await house.supply(house.deed)) == ((300, 0), 300)
    assert await house.history(person.user_id) >= ["burned"]
    await house.require_truths()


@pytest.mark.parametrize("kind", [VaultEventKind.FORCED_MOVE, VaultEventKind.BALANCE_RECOVERED])
async def test_a_move_by_force_is_followed(house: House, kind: VaultEventKind) -> None:
    alice, bob = await house.rich("10", token=house.deed), await house.person()
    amount = 4 * 10**18
    moved = vault_event(kind, alice.account, amount, token=DEED, counterparty=bob.account, reference=uuid4())
    await house.happen(told(moved))
    assert await house.balance(alice, house.deed) == (6 * 10**18, 0)
    assert await house.balance(bob, house.deed) == (amount, 0)
    await house.require_truths()


async def test_force_takes_what_is_held_from_suspense_and_raises_a_claim(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person()
    await house.withdraw(alice, "7")
    moved = vault_event(
        VaultEventKind.FORCED_MOVE,
        alice.account,
        10 * UNIT,
        token=CASH,
        counterparty=bob.account,
        reference=uuid4(),
    )
    await house.happen(told(moved))
    assert await house.balance(alice) == (0, 7 * UNIT)
    assert await house.balance(bob) == (10 * UNIT, 0)
    assert await house.suspense() == -7 * UNIT
    [claim] = await house.rows(CLAIMS)
    assert claim["payload"]["amount"] == "7"
    await house.require_truths()


async def test_a_recovery_of_nothing_moves_nothing(house: House) -> None:
    alice, bob = await house.person(), await house.person()
    kind = VaultEventKind.BALANCE_RECOVERED
    await house.happen(told(vault_event(kind, alice.account, 0, token=DEED, counterparty=bob.account)))
    assert await processed(house) == [True]
    assert await house.rows("SELECT 1 FROM ledger_lines") == []


async def test_a_withdrawal_that_nobody_asked_for_is_taken_and_claimed(house: House) -> None:
    alice = await house.rich("10")
    kind, to = VaultEventKind.WITHDRAWN, somewhere()
    gone = vault_event(kind, alice.account, 12 * UNIT, token=CASH, counterparty=to, reference=uuid4())
    await house.happen(told(gone))
    assert (await house.balance(alice), await house.suspense()) == ((0, 0), -2 * UNIT)
    [claim] = await house.rows(CLAIMS)
    assert claim["payload"]["amount"] == "2"
    await house.require_truths()


async def test_a_transfer_that_nobody_asked_for_is_followed(house: House) -> None:
    alice, bob = await house.rich("10"), await house.person()
    kind = VaultEventKind.TRANSFERRED
    moved = vault_event(
        kind, alice.account, 3 * UNIT, token=CASH, counterparty=bob.account, reference=uuid4()
    )
    await house.happen(told(moved))
    assert (await house.balance(alice), await house.balance(bob)) == ((7 * UNIT, 0), (3 * UNIT, 0))
    assert len(await house.rows(CLAIMS)) == 1
    await house.require_truths()


async def test_events_of_other_contracts_never_move_money(house: House) -> None:
    """A-40: a fake vault, and a fake token that calls itself as ours does."""
    person = await house.person()
    forged = replace(deposited(person.account, 5, token=CASH), address=somewhere())
    await house.happen(forged, Told(CASH, (b"\2" * 32,), b"Transfer"))
    assert await house.rows("SELECT 1 FROM blockchain_events") == []
    assert VAULT not in (forged.address, CASH)
    assert await house.balance(person) == (0, 0)
