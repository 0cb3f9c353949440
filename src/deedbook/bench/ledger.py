"""`deedbook bench ledger`: posting, reading balances and paging statements on a large ledger, on a PostgreSQL of its
own with fsync and synchronous commits on. The ledger is filled through its own door, so filling is the measurement.
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from deedbook import ledger, truths
from deedbook.bench.cost import cpu_of, per_unit
from deedbook.bench.matching import free_port
from deedbook.bench.result import BenchResult, Round
from deedbook.bench.venue import account_of
from deedbook.identity import ensure_user
from deedbook.infra import audit
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedPostgres
from deedbook.infra.schema import migrate
from deedbook.kernel.ids import TokenId, new_uuid
from deedbook.kernel.jobs import Job
from deedbook.ledger import AccountId, LineKind, views
from deedbook.ledger.jobs import CHECKPOINT_LEDGER, checkpoint_ledger

RICH = 10**15
BUSY_SHARE = 0.2
"""So many of all postings touch one account: whoever makes markets has the longest statement."""
READS = 2000
PAGES = 300
PAGE = 50
SMALL_ROUND_S = 3.0


@dataclass(frozen=True)
class Plan:
    """How large a ledger, between how many."""

    lines: int
    accounts: int
    tokens: int
    seed: int


@dataclass(frozen=True)
class _Here:
    """What the checkpoint job receives."""

    db: Database


@dataclass
class _Books:
    db: Database
    accounts: list[AccountId]
    tokens: list[TokenId]
    chance: random.Random
    lines: int = 0

    @property
    def busy(self) -> AccountId:
        return self.accounts[0]

    def posting(self) -> ledger.Posting:
        giver, taker = self.chance.sample(self.accounts, 2)
        if self.chance.random() < BUSY_SHARE and taker != self.busy:
            giver = self.busy
        token, amount = self.chance.choice(self.tokens), self.chance.randint(1, 10**6)
        return ledger.between(new_uuid(), LineKind.TRANSFER, giver, taker, token, amount, held=False)

    async def post(self, number: int) -> float:
        """Seconds that so many postings in one transaction took."""
        postings = [self.posting() for _ in range(number)]
        began = time.perf_counter()
        async with self.db.transaction() as tx:
            await ledger.post(tx, postings)
        self.lines += 2 * number
        return time.perf_counter() - began


async def ledger_bench(plan: Plan) -> BenchResult:
    """Fill, then read. The rate is postings a second in batches of 500; the percentiles are a balance read's."""
    async with _empty_database() as (db, server):
        books = await _open_books(db, plan)
        before = _cpu(server)
        rounds = [
            await _posting_round(books, 1, SMALL_ROUND_S),
            await _posting_round(books, 50, SMALL_ROUND_S),
        ]
        rounds.append(await _fill(books, plan.lines))
        costs = per_unit(before, _cpu(server), books.lines // 2)
        await checkpoint_ledger(_Here(db), Job("bench", CHECKPOINT_LEDGER.name, {}))
        balance = await _measured("balance", READS, lambda: _read_balance(books))
        rounds += [balance, *await _statement_rounds(books)]
        notes, held = await _look_at_everything(db, books)
        return BenchResult("ledger", rounds[2].rate, "postings/s", balance.p50_ms, balance.p99_ms, costs,
                           tuple(rounds), held, notes=notes)  # fmt: skip


def _cpu(server: EmbeddedPostgres) -> dict[str, int]:
    assert server.pid is not None
    return {"postgres": cpu_of(server.pid), "bench": cpu_of(os.getpid()) - cpu_of(server.pid)}


async def _open_books(db: Database, plan: Plan) -> _Books:
    chance = random.Random(plan.seed)  # noqa: S311 - a bench that repeats itself
    tokens = [TokenId(new_uuid()) for _ in range(plan.tokens)]
    async with db.transaction() as tx:
        for number, token in enumerate(tokens):
            await tx.execute(
                "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id) "
                "VALUES ($1, $2, $2, 'CRYPTO', 6, 31337)",
                token,
                f"BENCH{number}",
            )
        accounts = [AccountId(await ensure_user(tx, account_of(new_uuid()))) for _ in range(plan.accounts)]
        for token in tokens:
            rich = [
                ledger.into_the_vault(new_uuid(), LineKind.DEPOSIT, account, token, RICH)
                for account in accounts
            ]
            await ledger.post(tx, rich)
    return _Books(db, accounts, tokens, chance)


async def _posting_round(books: _Books, batch: int, lasting_s: float) -> Round:
    latencies, began = list[float](), time.perf_counter()
    while time.perf_counter() - began < lasting_s:
        latencies.append(await books.post(batch))
    return _of_postings(f"post {batch}", latencies, batch, time.perf_counter() - began)


async def _fill(books: _Books, lines: int) -> Round:
    latencies, began = list[float](), time.perf_counter()
    while books.lines < lines:
        latencies.append(await books.post(500))
    return _of_postings("post 500", latencies, 500, time.perf_counter() - began)


def _of_postings(name: str, latencies: Sequence[float], batch: int, elapsed_s: float) -> Round:
    """Latencies are a transaction's; the rate counts postings."""
    told = Round.of(name, latencies, elapsed_s=elapsed_s)
    return Round(
        name, told.count, 0, None, round(told.rate * batch, 1), told.p50_ms, told.p99_ms, told.max_ms
    )


async def _statement_rounds(books: _Books) -> list[Round]:
    async with books.db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT min(line_id), percentile_disc(0.5) WITHIN GROUP (ORDER BY line_id) FROM ledger_lines "
            "WHERE account_id = $1",
            books.busy,
        )
    assert row is not None
    first, middle = row
    places: dict[str, int | None] = {"first": None, "middle": middle, "last": first + PAGE * 50}
    rounds = []
    for name, before in places.items():
        for token, of in ((books.tokens[0], "a token"), (None, "all tokens")):
            rounds.append(
                await _measured(f"statement, {of}, {name} page", PAGES, _page(books, token, before))
            )
    return rounds


def _page(books: _Books, token: UUID | None, before: int | None) -> Callable[[], Awaitable[None]]:
    async def read() -> None:
        page = await views.statement(books.db, books.busy, token, before, PAGE)
        assert page, "the page lies inside the statement"

    return read


async def _read_balance(books: _Books) -> None:
    found = await views.balance(
        books.db, books.chance.choice(books.accounts), books.chance.choice(books.tokens)
    )
    assert found is not None


async def _measured(name: str, times: int, read: Callable[[], Awaitable[None]]) -> Round:
    latencies, began = list[float](), time.perf_counter()
    for _ in range(times):
        asked = time.perf_counter()
        await read()
        latencies.append(time.perf_counter() - asked)
    return Round.of(name, latencies, elapsed_s=time.perf_counter() - began)


async def _look_at_everything(db: Database, books: _Books) -> tuple[tuple[str, ...], bool]:
    """Seal it, verify the seals, prove the truths; how long each took."""
    began = time.perf_counter()
    sealed = 0
    while made := await audit.seal(db):
        sealed += made
    sealing_s, began = time.perf_counter() - began, time.perf_counter()
    reports = await audit.verify(db)
    verifying_s, began = time.perf_counter() - began, time.perf_counter()
    found = await truths.check_money(db)
    truths_s = time.perf_counter() - began
    rows = sum(report.rows for report in reports)
    notes = (
        f"{books.lines:,} lines; sealed {sealed / sealing_s:,.0f} rows/s, verified {rows / verifying_s:,.0f} rows/s",
        f"the truths of money in {truths_s:.1f} s",
        *(f"{truth.name}: {finding}" for truth in found for finding in truth.findings),
    )
    return notes, all(truth.holds for truth in found) and not any(report.findings for report in reports)


@asynccontextmanager
async def _empty_database() -> AsyncIterator[tuple[Database, EmbeddedPostgres]]:
    with tempfile.TemporaryDirectory(prefix="deedbook-bench-") as name:
        directory = Path(name)
        os.chmod(directory, 0o711)  # noqa: S103 - PostgreSQL's account passes through where this runs as root
        server = EmbeddedPostgres(directory / "postgres" / "data", free_port(), new_uuid().hex)
        async with server:
            await asyncio.to_thread(migrate, server.dsn())
            db = await Database.connect(server.dsn(), pool_size=4, statement_timeout_s=300)
            try:
                yield db, server
            finally:
                await db.close()
