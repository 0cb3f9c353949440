"""Reconciliation: the ledger against the vault at one block, per token and per account, to the last unit.

What the watcher has read and what waits for its depth explains a difference, and trades that the ledger has moved and
the vault has not; nothing else does. A break is told and stays until people have understood it: the books are never
written over.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import structlog

from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.ports import Chain
from deedbook.custody.events import ReconciliationBroken, ReconciliationRequested, ReconciliationRestored
from deedbook.custody.ports import VaultState
from deedbook.custody.store import reconciliation as store
from deedbook.custody.store.reconciliation import AccountBooks, LastRun, TokenBooks
from deedbook.custody.terms import RECONCILE_NOW
from deedbook.identity import Caller
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import new_uuid

TRIES = 3
MAX_BREAKS = 100
MAX_RUNS = 100_000

log = structlog.get_logger("reconciliation")


@dataclass(frozen=True)
class TokenFigures:
    """A token in the books and on the chain. `owed` by the books, in flight included; the rest by the chain."""

    books: TokenBooks
    vault_owes: int
    vault_holds: int


@dataclass(frozen=True)
class Break:
    """A difference that nothing explains. `account` is empty where it is the token's total."""

    token: str
    account: str
    ledger: int
    chain: int
    explanation: str

    @property
    def difference(self) -> int:
        return self.chain - self.ledger


@dataclass(frozen=True)
class Run:
    """One comparison, at a block of the chain. `rotated_to`: whose turn it was last; `None` at the end of the round."""

    run_id: UUID
    block_number: int
    tokens: tuple[TokenFigures, ...]
    accounts: int
    breaks: tuple[Break, ...]
    rotated_to: UUID | None

    @property
    def exact(self) -> bool:
        return not self.breaks


@dataclass(frozen=True)
class Turn:
    """From where on accounts have their turn; `None` is the beginning."""

    after: UUID | None


@dataclass(frozen=True)
class _Books:
    """The books at one moment, and which block they speak of."""

    block_number: int
    block_hash: str
    tokens: list[TokenBooks]
    accounts: list[AccountBooks]
    last: LastRun | None
    seen_tx_id: int
    rotated_to: UUID | None


async def reconcile_all(db: Database, node: Chain, chain_id: int, state: VaultState) -> AsyncIterator[Run]:
    """Compare every account, in as many runs as it takes.

    Raises:
        ChainUnavailable: as `reconcile`.
    """
    turn = Turn(None)
    for _ in range(MAX_RUNS):
        run = await reconcile(db, node, chain_id, state, turn)
        if run is None:
            return
        yield run
        if run.rotated_to is None:
            return
        turn = Turn(run.rotated_to)


async def reconcile(
    db: Database, node: Chain, chain_id: int, state: VaultState, turn: Turn | None = None
) -> Run | None:
    """Compare totals, what has changed, what was broken, and the accounts whose turn it is; write the run down, and
    tell when it broke or was restored. `None` before the first block was read.

    Without a `turn` it goes on where the last run ended.

    Raises:
        ChainUnavailable: no usable answer, or the node keeps no state of that block and of none newer.
    """
    for left in range(TRIES - 1, -1, -1):
        books = await _read_books(db, chain_id, turn)
        if books is None:
            return None
        try:
            run = await _compare(node, state, books)
        except ChainUnavailable:
            # A node that prunes has forgotten the block meanwhile, or the chain went back: look at a newer one.
            if not left:
                raise
            continue
        await _write(db, chain_id, run, books)
        return run
    raise AssertionError("unreachable")


def request_reconciliation(tx: Tx, caller: Caller) -> str:
    """Ask for a comparison now; the id of the job."""
    request_id = new_uuid()
    job_id = f"{RECONCILE_NOW.name}-{request_id}"
    tx.enqueue(RECONCILE_NOW, job_id, {})
    told = ReconciliationRequested(request_id=request_id, operator_id=caller.user_id)
    tx.emit(told, caller.actor, before={"jobId": None}, after={"jobId": job_id})
    return job_id


async def _read_books(db: Database, chain_id: int, turn: Turn | None) -> _Books | None:
    async with (
        db.reading() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        cursor = await store.cursor(connection, chain_id)
        if cursor is None:
            return None
        last = await store.last_run(connection, chain_id)
        changed, seen = await store.changed(connection, last.seen_tx_id if last else 0)
        broken = await store.broken(connection, chain_id)
        turn = turn or Turn(last.rotated_to if last else None)
        sampled, rotated = await store.sample(connection, turn.after)
        return _Books(
            *cursor,
            await store.tokens(connection, chain_id),
            await store.accounts(connection, chain_id, [*changed, *broken, *sampled]),
            last,
            seen,
            rotated,
        )


async def _compare(node: Chain, state: VaultState, books: _Books) -> Run:
    block = books.block_number
    await _require_block(node, books)
    figures, breaks = [], []
    for token in books.tokens:
        told = TokenFigures(token, await state.owed(token.token, block), await state.held(token.token, block))
        figures.append(told)
        breaks += _token_breaks(told)
    for account in books.accounts:
        chain = await state.balance(account.account, account.token, block)
        if chain != account.due:
            breaks.append(_account_break(account, chain))
    await _require_block(node, books)
    return Run(
        new_uuid(), block, tuple(figures), len(books.accounts), tuple(breaks[:MAX_BREAKS]), books.rotated_to
    )


async def _require_block(node: Chain, books: _Books) -> None:
    """The block that the watcher has read is still the chain's; otherwise we would compare two histories."""
    if await node.block_hash(books.block_number) != books.block_hash:
        raise ChainUnavailable(f"block {books.block_number} is another one than was read")


def _token_breaks(told: TokenFigures) -> list[Break]:
    books, found = told.books, []
    owed = books.owed + books.in_flight
    if told.vault_owes != owed:
        found.append(
            Break(books.token, "", owed, told.vault_owes, "the vault owes another amount than the ledger")
        )
    if books.held + books.suspense != books.owed:
        found.append(
            Break(
                books.token,
                "",
                books.held + books.suspense,
                books.owed,
                "the ledger does not balance in itself",
            )
        )
    if told.vault_holds < told.vault_owes:
        found.append(
            Break(books.token, "", told.vault_owes, told.vault_holds, "the vault holds less than it owes")
        )
    return found


def _account_break(books: AccountBooks, chain: int) -> Break:
    return Break(
        books.token,
        books.account,
        books.due,
        chain,
        f"the vault keeps another amount for this account; {books.in_flight} in flight and {books.unsettled} of "
        "unsettled trades are taken into account",
    )


async def _write(db: Database, chain_id: int, run: Run, books: _Books) -> None:
    async with db.transaction() as tx:
        await store.add_run(
            tx,
            run.run_id,
            chain_id,
            run.block_number,
            run.exact,
            ([_token_row(told) for told in run.tokens], [_break_row(found) for found in run.breaks]),
            run.accounts,
            books.seen_tx_id,
            run.rotated_to,
        )
        was_exact = books.last is None or books.last.exact
        if not run.exact and was_exact:
            tx.emit(
                ReconciliationBroken(
                    run_id=run.run_id, block_number=run.block_number, breaks=len(run.breaks)
                ),
                before={"exact": True},
                after={"exact": False},
            )
        if run.exact and not was_exact:
            tx.emit(
                ReconciliationRestored(run_id=run.run_id, block_number=run.block_number),
                before={"exact": False},
                after={"exact": True},
            )
    for found in run.breaks:
        log.error("reconciliation_break", block=run.block_number, **_break_row(found))


def _token_row(told: TokenFigures) -> dict[str, str]:
    books = told.books
    return {
        "symbol": books.symbol,
        "token": books.token,
        "held": str(books.held),
        "suspense": str(books.suspense),
        "owed": str(books.owed),
        "inFlight": str(books.in_flight),
        "vaultOwes": str(told.vault_owes),
        "vaultHolds": str(told.vault_holds),
    }


def _break_row(found: Break) -> dict[str, str]:
    return {
        "token": found.token,
        "account": found.account,
        "ledger": str(found.ledger),
        "chain": str(found.chain),
        "difference": str(found.difference),
        "explanation": found.explanation,
    }
