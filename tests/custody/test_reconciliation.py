"""Ledger against vault: exact or explained, and a break is told once and never repaired by itself."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.ports import LOG_ROUNDS
from deedbook.chain.vault import VaultEventKind
from deedbook.custody.jobs import reconcile_now, reconcile_on_schedule
from deedbook.custody.reconciliation import Run, reconcile, reconcile_all
from deedbook.custody.store import reconciliation as store
from deedbook.custody.terms import RECONCILE
from deedbook.identity.terms import Address
from deedbook.kernel.jobs import Job
from deedbook.ledger import AccountId, LineKind, into_the_vault, post
from tests.custody.support import CASH, DEED, DEPTH, House, Person, somewhere
from tests.support.fake_chain import CHAIN_ID
from tests.support.owner import as_owner
from tests.support.vault_logs import MOVES, VAULT, decode, deposited, told, vault_event

RISES = {VaultEventKind.DEPOSITED, VaultEventKind.MINT_CREDITED}
MOVES_WITHIN = {VaultEventKind.TRANSFERRED, VaultEventKind.FORCED_MOVE, VaultEventKind.BALANCE_RECOVERED}


class ReplayedVault:
    """Implements `VaultState` by replaying what the vault has told, up to a block: knows no ledger."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.asked: list[tuple[Address, Address]] = []
        self.more: dict[tuple[Address, Address], int] = defaultdict(int)
        self.short: int = 0
        self.before: Callable[[], Awaitable[None]] | None = None

    async def _balances(self, block: int) -> dict[tuple[Address, Address], int]:
        if self.before is not None:
            await self.before()
        balances = defaultdict(int, self.more)
        for first in range(0, block + 1, LOG_ROUNDS):
            last = min(block, first + LOG_ROUNDS - 1)
            for log in await self._house.node.logs(VAULT, [MOVES], first, last):
                event = decode(list(log.topics), log.data)
                if event is None or event.kind is VaultEventKind.DEPOSIT_RELAYED:
                    continue
                balances[event.account, event.token] += event.amount if event.kind in RISES else -event.amount
                if event.kind in MOVES_WITHIN and event.counterparty is not None:
                    balances[event.counterparty, event.token] += event.amount
        return balances

    async def owed(self, token: Address, block: int) -> int:
        return sum(units for (_, of), units in (await self._balances(block)).items() if of == token)

    async def held(self, token: Address, block: int) -> int:
        return await self.owed(token, block) - self.short

    async def balance(self, account: Address, token: Address, block: int) -> int:
        self.asked.append((account, token))
        return (await self._balances(block))[account, token]


@pytest.fixture
def vault(house: House) -> ReplayedVault:
    return ReplayedVault(house)


async def compared(house: House, vault: ReplayedVault) -> Run:
    run = await reconcile(house.db, house.node, CHAIN_ID, vault)
    assert run is not None
    return run


async def told_by(house: House) -> list[str]:
    rows = await house.rows(
        "SELECT event_type FROM events WHERE event_type LIKE 'reconciliation.%' ORDER BY position"
    )
    return [row["event_type"] for row in rows]


async def test_books_are_exact_when_everything_has_had_its_effect(house: House, vault: ReplayedVault) -> None:
    alice, bob = await house.rich("1000"), await house.rich("5", token=house.deed)
    await house.happen(deposited(alice.account, 7, token=DEED), deposited(bob.account, 1, token=CASH))
    run = await compared(house, vault)
    assert run.exact
    figures = {told.books.symbol: told for told in run.tokens}
    cash = figures["USDC"]
    assert (cash.books.held, cash.books.owed, cash.vault_owes, cash.vault_holds) == (1_000_000_001,) * 4
    assert run.accounts == 4
    assert set(vault.asked) == {(p.account, t) for p in (alice, bob) for t in (CASH, DEED)}
    [row] = await store.runs(house.db, None, 10)
    assert (row["exact"], row["breaks"], row["block_number"]) == (True, [], run.block_number)
    assert await told_by(house) == []


async def test_difference_is_explained_when_an_event_waits_for_its_depth(
    house: House, vault: ReplayedVault
) -> None:
    alice, stranger = await house.rich("1000"), somewhere()
    move = vault_event(
        VaultEventKind.TRANSFERRED,
        alice.account,
        40,
        token=CASH,
        counterparty=stranger,
        reference=uuid4().bytes * 2,
    )
    house.node.tell(deposited(alice.account, 5, token=CASH), told(move))
    house.node.mine(1)
    await house.watch_only()
    run = await compared(house, vault)
    assert run.exact, run.breaks
    [cash] = [told_ for told_ in run.tokens if told_.books.symbol == "USDC"]
    assert (cash.books.in_flight, cash.vault_owes - cash.books.owed) == (5, 5)
    assert (stranger, CASH) in vault.asked
    house.node.mine(DEPTH)
    await house.watch()
    assert (await compared(house, vault)).exact


async def test_break_is_told_once_when_the_vault_has_what_the_books_do_not(
    house: House, vault: ReplayedVault
) -> None:
    """An event that no node has shown us: the total finds it at once."""
    alice = await house.rich("1000")
    vault.more[alice.account, CASH] = 3
    for _ in range(2):
        run = await compared(house, vault)
        found = {(broken.token, broken.account): broken for broken in run.breaks}
        assert found[CASH, ""].difference == 3
        assert found[CASH, alice.account].difference == 3
    assert await told_by(house) == ["reconciliation.broken"]
    assert await house.balance(alice) == (1_000_000_000, 0), "and nothing is written over"
    [row, _] = await store.runs(house.db, None, 10)
    assert row["breaks"][0]["difference"] == "3"
    vault.more.clear()
    assert (await compared(house, vault)).exact
    assert await told_by(house) == ["reconciliation.broken", "reconciliation.restored"]


async def test_break_is_found_when_a_balance_was_written_over(house: House, vault: ReplayedVault) -> None:
    alice, bob = await house.rich("1000"), await house.rich("1000")
    async with as_owner(house.db) as connection:
        await connection.execute(
            "UPDATE user_balances SET available = available + CASE user_id WHEN $1::uuid THEN 1 ELSE -1 END",
            alice.user_id,
        )
    run = await compared(house, vault)
    assert {(broken.account, broken.difference) for broken in run.breaks} == {
        (alice.account, -1),
        (bob.account, 1),
    }
    async with as_owner(house.db) as connection:
        await connection.execute("UPDATE user_balances SET available = available + 10")
    assert "does not balance in itself" in " ".join(
        broken.explanation for broken in (await compared(house, vault)).breaks
    )


async def _between_two_of_seven(house: House) -> tuple[Person, Person]:
    """A unit is written over from one account to another, long after either was looked at."""
    people = sorted([await house.rich("1") for _ in range(7)], key=lambda person: person.user_id)
    await compared(house, ReplayedVault(house))
    async with as_owner(house.db) as connection:
        await connection.execute(
            "UPDATE user_balances SET available = available + CASE user_id WHEN $1::uuid THEN 1 ELSE -1 END "
            "WHERE user_id IN ($1::uuid, $2::uuid)",
            people[2].user_id,
            people[5].user_id,
        )
    return people[2], people[5]


async def test_break_stays_when_the_next_run_looks_at_others(
    house: House, vault: ReplayedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    gained, lost = await _between_two_of_seven(house)
    monkeypatch.setattr(store, "SAMPLE", 1)
    seen = [{found.account for found in (await compared(house, vault)).breaks} for _ in range(10)]
    assert seen[-1] == {gained.account, lost.account}
    assert sorted(seen, key=len) == seen, "none is lost sight of"
    assert await told_by(house) == ["reconciliation.broken"]


async def test_every_break_is_found_when_all_are_compared(
    house: House, vault: ReplayedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    gained, lost = await _between_two_of_seven(house)
    monkeypatch.setattr(store, "SAMPLE", 1)
    runs = [run async for run in reconcile_all(house.db, house.node, CHAIN_ID, vault)]
    assert {found.account for run in runs for found in run.breaks} == {gained.account, lost.account}


async def test_break_is_found_when_the_vault_holds_less_than_it_owes(
    house: House, vault: ReplayedVault
) -> None:
    await house.rich("1000")
    vault.short = 1
    explanations = {broken.explanation for broken in (await compared(house, vault)).breaks}
    assert explanations == {"the vault holds less than it owes"}


async def test_newer_block_is_compared_when_the_node_has_forgotten_the_state(
    house: House, vault: ReplayedVault
) -> None:
    await house.rich("1000")
    old = await compared(house, vault)
    asked = 0

    async def forgets_twice() -> None:
        nonlocal asked
        asked += 1
        if asked <= 2:
            house.node.mine(1)
            await house.watch()
            raise ChainUnavailable("missing trie node")

    vault.before = forgets_twice
    run = await compared(house, vault)
    assert run.exact
    assert run.block_number == old.block_number + 2


async def test_nothing_is_written_down_when_the_node_gives_no_answer(
    house: House, vault: ReplayedVault
) -> None:
    await house.rich("1000")

    async def never() -> None:
        raise ChainUnavailable("no answer")

    vault.before = never
    with pytest.raises(ChainUnavailable):
        await reconcile(house.db, house.node, CHAIN_ID, vault)
    assert await store.runs(house.db, None, 10) == []


async def test_nothing_is_compared_when_the_chain_is_another_than_was_read(
    house: House, vault: ReplayedVault
) -> None:
    await house.rich("1000")
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE chain_cursors SET block_hash = '0x' || repeat('9', 64)")
    with pytest.raises(ChainUnavailable, match="another one than was read"):
        await reconcile(house.db, house.node, CHAIN_ID, vault)


async def test_nothing_is_compared_when_no_block_was_read_yet(house: House, vault: ReplayedVault) -> None:
    assert await reconcile(house.db, house.node, CHAIN_ID, vault) is None


async def test_every_account_has_its_turn_when_there_are_more_than_a_sample(
    house: House, vault: ReplayedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changed is compared at once, everything else in turn."""
    people: list[Person] = [await house.rich("1") for _ in range(7)]
    await compared(house, vault)
    monkeypatch.setattr(store, "SAMPLE", 2)
    vault.asked.clear()
    for _ in range(4):
        await compared(house, vault)
    assert {account for account, _ in vault.asked} == {person.account for person in people}
    vault.asked.clear()
    changed = max(people, key=lambda person: person.user_id)
    await house.happen(deposited(changed.account, 1, token=CASH))
    await compared(house, vault)
    assert changed.account in {account for account, _ in vault.asked}


async def test_every_token_has_its_turn_when_an_account_holds_more_than_a_sample(
    house: House, vault: ReplayedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await house.rich("1") for _ in range(3)]
    await house.happen(*(deposited(person.account, 7, token=DEED) for person in people))
    await compared(house, vault)
    await compared(house, vault)
    monkeypatch.setattr(store, "SAMPLE", 1)
    vault.asked.clear()
    for _ in range(4):
        await compared(house, vault)
    assert set(vault.asked) == {(person.account, token) for person in people for token in (CASH, DEED)}


async def test_changed_accounts_are_all_compared_when_one_posting_touches_more_than_fit_one_run(
    house: House, vault: ReplayedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await house.person() for _ in range(6)]
    async with house.db.transaction() as tx:
        for person in people:
            account = AccountId(person.user_id)
            posting = into_the_vault(uuid4(), LineKind.DEPOSIT, account, house.cash.token_id, 1)
            await post(tx, (posting,))
    await house.watch()
    monkeypatch.setattr(store, "SAMPLE", 1)
    monkeypatch.setattr(store, "CHANGED_LINES", 2)
    vault.asked.clear()
    await compared(house, vault)
    assert {account for account, _ in vault.asked} == {person.account for person in people}


async def test_changed_accounts_are_all_compared_when_there_are_more_than_fit_one_run(
    house: House, vault: ReplayedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SAMPLE", 1)
    monkeypatch.setattr(store, "CHANGED_LINES", 4)
    people = [await house.rich("1") for _ in range(9)]
    for _ in range(8):
        await compared(house, vault)
    assert {account for account, _ in vault.asked} == {person.account for person in people}


async def test_job_compares_again_when_it_is_run_twice(house: House, vault: ReplayedVault) -> None:
    await house.rich("1000")

    class Here:
        db, desk = house.db, house.desk
        lookout = house.resources.lookout

        def vault_state(self, _: Address) -> ReplayedVault:
            return vault

    job: Any = Job("job", RECONCILE.name, {})
    for handler in (reconcile_on_schedule, reconcile_on_schedule, reconcile_now):
        await handler(Here(), job)
    assert [row["exact"] for row in await store.runs(house.db, None, 10)] == [True] * 3
