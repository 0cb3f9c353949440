"""A pair with investors on it, in a database of its own: as issuance and custody leave them behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deedbook import ledger
from deedbook.bench.venue import add_traders, admitted
from deedbook.bench.venue import open_venue as open_pair
from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId, TokenId, UserId
from deedbook.ledger import AccountId
from deedbook.trading import intake_store, store
from deedbook.trading.admission import Admitted
from deedbook.trading.engine import Book
from deedbook.trading.execution import Batch
from deedbook.trading.matcher import Observe, PairMatcher, take_over
from deedbook.trading.order_store import StoredTrade
from deedbook.trading.spec import PairSpec


class NoCopies:
    """Nobody reads copies here."""

    def changes(self, spec: PairSpec, book: Book, batch: Batch, moment: str) -> None:
        return

    def tell(self, change: None) -> None:
        return

    def behind(self, pair_id: UUID) -> bool:
        return False

    def catch_up(self, spec: PairSpec, book: Book, fact_seq: int) -> None:
        return

    def rebuilt(
        self, spec: PairSpec, book: Book, fact_seq: int, epoch: int, recent: Sequence[StoredTrade]
    ) -> None:
        return


@dataclass
class Venue:
    """One pair and its people. `base` has 18 decimals and is an RWA token, `quote` has 6 and is a dollar."""

    db: Database
    spec: PairSpec
    placed: int = 0

    @property
    def pair_id(self) -> PairId:
        return self.spec.pair_id

    @property
    def base(self) -> TokenId:
        return self.spec.base_token_id

    @property
    def quote(self) -> TokenId:
        return self.spec.quote_token_id

    async def investor(self, base: str = "0", quote: str = "0", *, approved: bool = True) -> UserId:
        """Somebody with so much of both, approved or not."""
        (user_id,) = await add_traders(self.db, self.spec, [(base, quote)], approved=approved)
        return user_id

    async def matcher(self, holder: str = "test", observe: Observe = lambda name, value: None) -> PairMatcher:
        """The pair's writer, its book rebuilt."""
        matcher = await take_over(self.db, self.pair_id, holder, NoCopies(), observe)
        assert matcher is not None, "another writes"
        return matcher

    def order(self, user_id: UserId, side: str, quantity: str, price: str = "", **more: Any) -> Admitted:
        """An order as admission lets it in."""
        self.placed += 1
        nonce = more.pop("nonce", f"n{self.placed}-{user_id.hex[:8]}")
        return admitted(self.spec, user_id, side, quantity, price, nonce=nonce, **more)

    async def place(self, *admitted: Admitted) -> list[int]:
        """Make orders durable in one commit; their verdicts."""
        return [row.verdict for row in await intake_store.take(self.db, admitted)]

    async def balances(self, user_id: UUID) -> tuple[int, int, int, int]:
        """Base available and locked, quote available and locked."""
        async with self.db.transaction() as tx:
            base = await ledger.balance(tx, AccountId(user_id), self.base)
            quote = await ledger.balance(tx, AccountId(user_id), self.quote)
        return (*base, *quote)

    async def row(self, order: Admitted) -> dict[str, Any]:
        (row,) = await self.rows("SELECT * FROM orders WHERE order_id = $1", order.order_id)
        return row

    async def rows(self, query: str, *args: Any) -> list[dict[str, Any]]:
        async with self.db.reading() as connection:
            return [dict(row) for row in await connection.fetch(query, *args)]


async def open_venue(db: Database, symbol: str = "LUXAPT", **settings: Any) -> Venue:
    """A pair that trades by the default terms, or by others."""
    spec = await open_pair(db, symbol)
    async with db.transaction() as tx:
        for name, value in settings.items():
            await tx.execute(f"UPDATE trading_pairs SET {name} = $2 WHERE pair_id = $1", spec.pair_id, value)
    changed = await store.spec(db, spec.pair_id)
    assert changed is not None
    return Venue(db, changed)
