"""Moving money: exact under any number of hands, once for each cause, and never below zero."""

import asyncio
from uuid import UUID, uuid4

import pytest

from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId
from deedbook.ledger import (
    SUSPENSE,
    TREASURY,
    AccountId,
    Hold,
    HoldOwner,
    LineKind,
    Move,
    Posting,
    between,
    consume,
    hold,
    keep_house_at,
    open_fee_account,
    out_of_the_vault,
    post,
    release,
    require_available,
    take_or_claim,
)
from deedbook.ledger.errors import InsufficientFunds, NoSuchHold, PostingExists
from tests.ledger.support import Books, open_books


async def set_aside(books: Books, account: AccountId, amount: int, owner_id: UUID | None = None) -> UUID:
    owner_id = owner_id or uuid4()
    async with books.db.transaction() as tx:
        await hold(tx, Hold(HoldOwner.ORDER, owner_id, account, books.tokens[0], amount))
    return owner_id


async def pay(books: Books, giver: AccountId, taker: AccountId, amount: int) -> None:
    async with books.db.transaction() as tx:
        await post(
            tx, [between(uuid4(), LineKind.TRANSFER, giver, taker, books.tokens[0], amount, held=False)]
        )


async def outcome(work: object) -> str:
    """`done`, or the code of the refusal."""
    try:
        await work  # type: ignore[misc]
    except (InsufficientFunds, NoSuchHold, PostingExists) as refusal:
        return refusal.code
    return "done"


async def test_account_is_exact_when_fifty_transfers_and_holds_meet_on_it(db: Database) -> None:
    """L-04: 50 at once on one balance of 1000, each for 30: 33 fit, and the rest is refused."""
    books = await open_books(db, accounts=6)
    alice, *others = books.accounts
    await books.deposit(alice, books.tokens[0], 1000)
    work = [
        set_aside(books, alice, 30) if number % 2 else pay(books, alice, others[number % 5], 30)
        for number in range(50)
    ]
    outcomes = await asyncio.wait_for(asyncio.gather(*(outcome(each) for each in work)), 30)
    assert sorted(set(outcomes)) == ["done", "insufficient_funds"]
    assert outcomes.count("done") == 33
    balances = await books.balances()
    available, locked = balances[(alice, books.tokens[0])]
    assert available == 10
    assert locked + sum(sum(balances.get((other, books.tokens[0]), (0, 0))) for other in others) == 990
    assert await books.untrue() == {}


async def test_nobody_waits_in_a_circle_when_all_pay_each_other(db: Database) -> None:
    """Locks are taken in sorted order, whoever gives and whoever takes."""
    books = await open_books(db, accounts=4)
    for account in books.accounts:
        await books.deposit(account, books.tokens[0], 1000)
    work = [
        pay(books, books.accounts[number % 4], books.accounts[(number * 7 + 1 + number // 4) % 4], 1)
        for number in range(80)
        if number % 4 != (number * 7 + 1 + number // 4) % 4
    ]
    await asyncio.wait_for(asyncio.gather(*work), 20)
    assert await books.untrue() == {}
    assert sum(sum(both) for both in (await books.balances()).values()) == 4000


async def test_nobody_waits_in_a_circle_when_forced_moves_meet_payments(db: Database) -> None:
    """Taking what is there looks before it posts, so it must lock the receiver as well, and in order."""
    books = await open_books(db, accounts=2)
    token = books.tokens[0]
    first, second = sorted(books.accounts)
    for account in (first, second):
        await books.deposit(account, token, 10_000)

    async def force(number: int) -> None:
        async with db.transaction() as tx:
            taken = await take_or_claim(tx, second, token, 5, receiver=first)
            await asyncio.sleep(0.002)
            await post(tx, [Posting(uuid4(), LineKind.FORCED_TRANSFER, (*taken, Move(first, token, 5)))])

    await asyncio.wait_for(
        asyncio.gather(*(force(n) for n in range(20)), *(pay(books, first, second, 1) for _ in range(20))), 20
    )
    assert await books.balances() == {(first, token): (10_080, 0), (second, token): (9_920, 0)}
    assert await books.untrue() == {}


async def test_one_of_a_hundred_wins_when_each_wants_the_whole_balance(books: Books) -> None:
    alice = books.accounts[0]
    await books.deposit(alice, books.tokens[0], 777)
    outcomes = await asyncio.gather(*(outcome(set_aside(books, alice, 777)) for _ in range(100)))
    assert outcomes.count("done") == 1
    assert await books.balances() == {(alice, books.tokens[0]): (0, 777)}
    assert await books.untrue() == {}


async def test_posting_is_made_once_when_ten_make_it(books: Books) -> None:
    alice, bob, _ = books.accounts
    await books.deposit(alice, books.tokens[0], 100)
    same = between(uuid4(), LineKind.TRANSFER, alice, bob, books.tokens[0], 10, held=False)

    async def make() -> None:
        async with books.db.transaction() as tx:
            await post(tx, [same])

    outcomes = await asyncio.gather(*(outcome(make()) for _ in range(10)))
    assert sorted(outcomes) == ["done"] + ["posting_exists"] * 9
    assert await books.balances() == {(alice, books.tokens[0]): (90, 0), (bob, books.tokens[0]): (10, 0)}


async def test_posting_is_refused_when_its_id_stands_under_something_else(books: Books) -> None:
    """The id alone decides: neither another account nor another token makes it a new posting."""
    alice, bob, carol = books.accounts
    made = await books.deposit(alice, books.tokens[0], 100)
    for other in (
        between(made, LineKind.TRANSFER, bob, carol, books.tokens[0], 5, held=False),
        between(made, LineKind.TRANSFER, bob, carol, books.tokens[1], 5, held=False),
    ):
        for token in books.tokens:
            await books.deposit(bob, token, 5)
        with pytest.raises(PostingExists):
            async with books.db.transaction() as tx:
                await post(tx, [other])


async def test_nothing_is_posted_when_one_of_many_postings_is_not_covered(books: Books) -> None:
    alice, bob, carol = books.accounts
    await books.deposit(alice, books.tokens[0], 100)
    many = [
        between(uuid4(), LineKind.TRADE, alice, bob, books.tokens[0], 60, held=False),
        between(uuid4(), LineKind.TRADE, alice, carol, books.tokens[0], 60, held=False),
    ]
    with pytest.raises(InsufficientFunds):
        async with books.db.transaction() as tx:
            await post(tx, many)
    assert await books.balances() == {(alice, books.tokens[0]): (100, 0)}
    assert await books.untrue() == {}


async def test_money_passes_through_an_empty_account_when_the_postings_come_together(books: Books) -> None:
    """A batch counts by what it comes to: what is received in it can be given on in it."""
    alice, bob, carol = books.accounts
    await books.deposit(alice, books.tokens[0], 100)
    async with books.db.transaction() as tx:
        await post(
            tx,
            [
                between(uuid4(), LineKind.TRADE, bob, carol, books.tokens[0], 100, held=False),
                between(uuid4(), LineKind.TRADE, alice, bob, books.tokens[0], 100, held=False),
            ],
        )
    assert await books.balances() == {(carol, books.tokens[0]): (100, 0)}
    assert await books.untrue() == {}


async def test_hold_is_one_when_its_owner_asks_again(books: Books) -> None:
    alice = books.accounts[0]
    await books.deposit(alice, books.tokens[0], 100)
    owner_id = uuid4()
    await asyncio.gather(*(set_aside(books, alice, 40, owner_id) for _ in range(5)))
    assert await books.balances() == {(alice, books.tokens[0]): (60, 40)}
    async with books.db.transaction() as tx:
        await hold(tx, Hold(HoldOwner.ORDER, owner_id, alice, books.tokens[1], 5))
    assert await books.balances() == {(alice, books.tokens[0]): (60, 40)}, "one owner has one hold"
    assert await books.untrue() == {}


async def test_hold_leaves_nothing_when_it_is_not_covered(books: Books) -> None:
    alice = books.accounts[0]
    await books.deposit(alice, books.tokens[0], 100)
    owner_id = uuid4()
    assert await outcome(set_aside(books, alice, 101, owner_id)) == "insufficient_funds"
    with pytest.raises(NoSuchHold):
        async with books.db.transaction() as tx:
            await release(tx, HoldOwner.ORDER, owner_id)
    assert await books.untrue() == {}


async def test_hold_is_refused_when_the_user_never_held_anything(books: Books) -> None:
    """Such a user has no ledger account yet; asking is refused like any other uncovered hold."""
    assert await outcome(set_aside(books, books.accounts[0], 1)) == "insufficient_funds"
    assert await outcome(pay(books, books.accounts[0], books.accounts[1], 1)) == "insufficient_funds"


async def test_hold_is_given_back_once_when_it_is_released_in_parts_and_at_once(books: Books) -> None:
    alice = books.accounts[0]
    await books.deposit(alice, books.tokens[0], 100)
    owner_id = await set_aside(books, alice, 50)

    async def give_back(amount: int | None) -> None:
        async with books.db.transaction() as tx:
            await release(tx, HoldOwner.ORDER, owner_id, amount)

    assert await outcome(give_back(51)) == "no_such_hold"
    assert await outcome(give_back(20)) == "done"
    assert await books.balances() == {(alice, books.tokens[0]): (70, 30)}
    outcomes = await asyncio.gather(*(outcome(give_back(None)) for _ in range(8)))
    assert sorted(outcomes) == ["done"] + ["no_such_hold"] * 7
    assert await books.balances() == {(alice, books.tokens[0]): (100, 0)}


async def test_hold_is_spent_once_when_its_posting_is_made_again(books: Books) -> None:
    alice = books.accounts[0]
    await books.deposit(alice, books.tokens[0], 100)
    owner_id = await set_aside(books, alice, 50)
    paid = out_of_the_vault(uuid4(), LineKind.WITHDRAWAL, alice, books.tokens[0], 50, held=True)

    async def spend() -> None:
        async with books.db.transaction() as tx:
            await consume(tx, HoldOwner.ORDER, owner_id, paid)

    outcomes = await asyncio.gather(*(outcome(spend()) for _ in range(6)))
    assert sorted(outcomes) == ["done"] + ["no_such_hold"] * 5
    assert await books.balances() == {(alice, books.tokens[0]): (50, 0)}
    assert await books.owed(books.tokens[0]) == (-50, 0)


async def test_hold_stays_when_a_posting_spends_another_amount(books: Books) -> None:
    alice = books.accounts[0]
    await books.deposit(alice, books.tokens[0], 100)
    owner_id = await set_aside(books, alice, 50)
    paid = out_of_the_vault(uuid4(), LineKind.WITHDRAWAL, alice, books.tokens[0], 49, held=True)
    with pytest.raises(AssertionError, match="spends 49 of the 50"):
        async with books.db.transaction() as tx:
            await consume(tx, HoldOwner.ORDER, owner_id, paid)
    assert await books.balances() == {(alice, books.tokens[0]): (50, 50)}


async def test_suspense_carries_the_rest_when_less_is_available_than_left_the_vault(books: Books) -> None:
    alice, token = books.accounts[0], books.tokens[0]
    await books.deposit(alice, token, 100)
    await set_aside(books, alice, 70)
    async with books.db.transaction() as tx:
        taken = await take_or_claim(tx, alice, token, 40)
        assert taken == (Move(alice, token, -30), Move(SUSPENSE, token, -10))
        await post(
            tx,
            [
                Posting(
                    uuid4(),
                    LineKind.BURN,
                    (*taken, out_of_the_vault(uuid4(), LineKind.BURN, alice, token, 40, held=False).moves[1]),
                )
            ],
        )
    assert await books.balances() == {(alice, token): (0, 70)}
    assert await books.owed(token) == (-60, -10)
    assert await books.untrue() == {}


async def test_looking_changes_nothing_when_funds_are_asked_for(books: Books) -> None:
    alice = books.accounts[0]
    await books.deposit(alice, books.tokens[0], 100)
    async with books.db.transaction() as tx:
        await require_available(tx, alice, books.tokens[0], 100)
        with pytest.raises(InsufficientFunds):
            await require_available(tx, alice, books.tokens[0], 101)
        with pytest.raises(InsufficientFunds):
            await require_available(tx, alice, books.tokens[1], 1)
    assert await books.balances() == {(alice, books.tokens[0]): (100, 0)}


async def test_fees_have_an_account_of_their_own_when_a_pair_opens(books: Books) -> None:
    alice, token = books.accounts[0], books.tokens[0]
    await books.deposit(alice, token, 100)
    account, pair = AccountId(uuid4()), PairId(uuid4())
    async with books.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO trading_pairs (pair_id, symbol, base_token_id, quote_token_id, status, tick_size, lot_size) "
            "VALUES ($1, $2, $3, $4, 'active', 0.01, 0.01)",
            pair,
            f"P{pair.hex[:8]}",
            *books.tokens[:2],
        )
        for _ in range(2):
            await open_fee_account(tx, account, pair)
        await keep_house_at(tx, "0x" + "ab" * 20)  # type: ignore[arg-type]
        fee = between(uuid4(), LineKind.TRADE, alice, account, token, 3, held=False)
        swept = between(uuid4(), LineKind.FEE_SWEEP, account, TREASURY, token, 2, held=False)
        await post(tx, [fee, swept])
        rows = await tx.fetch(
            "SELECT kind, vault_address FROM ledger_accounts WHERE kind IN ('fee', 'treasury')"
        )
        held = await tx.fetch(
            "SELECT available FROM user_balances WHERE user_id = ANY ($1)", [account, TREASURY]
        )
    assert {row["vault_address"] for row in rows} == {"0x" + "ab" * 20}
    assert sorted(row["kind"] for row in rows) == ["fee", "treasury"]
    assert sorted(int(row["available"]) for row in held) == [1, 2]
    assert await books.untrue() == {}
