"""Random histories, alone and at the same time, on a real database beside the naive ledger; then the truths."""

import asyncio
import itertools
import os
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from deedbook.infra.database import Database, Tx
from deedbook.ledger import (
    CHAIN,
    Hold,
    HoldOwner,
    LineKind,
    Move,
    Posting,
    between,
    consume,
    hold,
    into_the_vault,
    out_of_the_vault,
    post,
    release,
    take_or_claim,
)
from deedbook.ledger.errors import InsufficientFunds, NoSuchHold, PostingExists
from tests.ledger.naive import (
    Deposit,
    GiveBack,
    NaiveLedger,
    Operation,
    Pay,
    Seize,
    SetAside,
    SpendHold,
    Undo,
)
from tests.ledger.support import Books, open_books
from tests.support.waiting import PATIENCE_S

HISTORIES = int(os.environ.get("LEDGER_HISTORIES", "200"))
ACCOUNTS, TOKENS, AT_ONCE = 3, 2, 4

accounts = st.integers(0, ACCOUNTS - 1)
tokens = st.integers(0, TOKENS - 1)
amounts = st.integers(1, 60)
ids = st.integers(0, 25)
"""Few, so that the same is often asked for twice."""
pays = st.builds(Pay, ids, accounts, accounts, tokens, amounts).filter(lambda pay: pay.giver != pay.receiver)
operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(Deposit, ids, accounts, tokens, st.integers(1, 200)),
    st.builds(SetAside, ids, accounts, tokens, amounts),
    st.builds(GiveBack, ids, st.none() | amounts),
    st.builds(SpendHold, ids, ids, st.none() | accounts),
    pays,
    st.builds(Undo, ids, pays),
    st.builds(Seize, ids, accounts, tokens, amounts),
)


class RealLedger:
    """The same operations through the ledger's own door, each in a transaction of its own."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def posting_id(self, number: int) -> UUID:
        return uuid5(self._books.accounts[0], f"posting {number}")

    def owner_id(self, number: int) -> UUID:
        return uuid5(self._books.accounts[0], f"owner {number}")

    async def do(self, operation: Operation) -> str:
        try:
            async with self._books.db.transaction() as tx:
                await self._do(tx, operation)
        except (InsufficientFunds, NoSuchHold, PostingExists) as refusal:
            return refusal.code
        return "done"

    async def _do(self, tx: Tx, operation: Operation) -> None:
        who, what = self._books.accounts, self._books.tokens
        match operation:
            case Deposit(posting, account, token, amount):
                entered = into_the_vault(
                    self.posting_id(posting), LineKind.DEPOSIT, who[account], what[token], amount
                )
                await post(tx, [entered])
            case SetAside(owner, account, token, amount):
                await hold(tx, Hold(HoldOwner.ORDER, self.owner_id(owner), who[account], what[token], amount))
            case GiveBack(owner, amount):
                await release(tx, HoldOwner.ORDER, self.owner_id(owner), amount)
            case SpendHold(posting, owner, receiver):
                await self._spend(tx, posting, owner, receiver)
            case Pay(posting, giver, receiver, token, amount):
                await self._pay(tx, LineKind.TRANSFER, posting, giver, receiver, token, amount)
            case Undo(posting, of):
                await self._pay(
                    tx, LineKind.COMPENSATION, posting, of.receiver, of.giver, of.token, of.amount
                )
            case Seize(posting, account, token, amount):
                taken = await take_or_claim(tx, who[account], what[token], amount)
                moves = (*taken, Move(CHAIN, what[token], amount))
                await post(tx, [Posting(self.posting_id(posting), LineKind.BURN, moves)])

    async def _pay(
        self, tx: Tx, kind: LineKind, posting: int, giver: int, receiver: int, token: int, amount: int
    ) -> None:
        who = self._books.accounts
        paid = between(
            self.posting_id(posting),
            kind,
            who[giver],
            who[receiver],
            self._books.tokens[token],
            amount,
            held=False,
        )
        await post(tx, [paid])

    async def _spend(self, tx: Tx, posting: int, owner: int, receiver: int | None) -> None:
        """As custody does: the hold says what it is for, and the posting that spends it is made from that."""
        row = await tx.fetchrow(
            "SELECT account_id, token_id, amount FROM holds WHERE owner_id = $1 FOR UPDATE",
            self.owner_id(owner),
        )
        if row is None:
            raise NoSuchHold
        account, token, amount = row["account_id"], row["token_id"], int(row["amount"])
        posting_id = self.posting_id(posting)
        spent = (
            out_of_the_vault(posting_id, LineKind.WITHDRAWAL, account, token, amount, held=True)
            if receiver is None
            else between(
                posting_id,
                LineKind.TRANSFER,
                account,
                self._books.accounts[receiver],
                token,
                amount,
                held=True,
            )
        )
        await consume(tx, HoldOwner.ORDER, self.owner_id(owner), spent)


class Histories(RuleBasedStateMachine):
    """One history: operations one by one, and some at the same time."""

    runner: asyncio.Runner
    db: Database

    def __init__(self) -> None:
        super().__init__()
        self.books = self.runner.run(open_books(self.db, ACCOUNTS, TOKENS))
        self.real, self.naive = RealLedger(self.books), NaiveLedger()

    @rule(operation=operations)
    def one_by_one(self, operation: Operation) -> None:
        assert self.runner.run(self.real.do(operation)) == self.naive.do(operation)

    @rule(asked=st.lists(operations, min_size=2, max_size=AT_ONCE))
    def at_once(self, asked: list[Operation]) -> None:
        """Whatever happened, it is what some order of the same operations does (linearizability, Herlihy 1990)."""

        async def together() -> list[str]:
            return await asyncio.wait_for(asyncio.gather(*(self.real.do(each) for each in asked)), 20)

        outcomes = self.runner.run(together())
        real = self.runner.run(self._state())
        for order in itertools.permutations(range(len(asked))):
            tried = self.naive.copy()
            if all(tried.do(asked[n]) == outcomes[n] for n in order) and self._expected(tried) == real:
                self.naive = tried
                return
        raise AssertionError(f"no order of {asked} gives {outcomes}")

    def teardown(self) -> None:
        assert self.runner.run(self._state()) == self._expected(self.naive)
        assert self.runner.run(self.books.untrue()) == {}

    async def _state(self) -> tuple[Any, ...]:
        owed = [await self.books.owed(token) for token in self.books.tokens]
        return await self.books.balances(), [(-chain, -suspense) for chain, suspense in owed]

    def _expected(self, naive: NaiveLedger) -> tuple[Any, ...]:
        balances = {
            (self.books.accounts[account], self.books.tokens[token]): tuple(both)
            for (account, token), both in naive.balances.items()
            if any(both)
        }
        totals = [(naive.owed.get(n, 0), naive.claimed.get(n, 0)) for n in range(TOKENS)]
        return balances, totals


@pytest.mark.timeout(600)  # a failing history is made smaller before it is shown
def test_every_history_is_one_of_the_naive_ledger(dsn: str) -> None:
    """A state machine's steps are not coroutines, so they bring a loop of their own."""
    with asyncio.Runner() as runner:
        db = runner.run(Database.connect(dsn, pool_size=AT_ONCE, acquire_timeout_s=PATIENCE_S))
        machine = type("TheseHistories", (Histories,), {"runner": runner, "db": db})
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=HISTORIES,
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(db.close())
