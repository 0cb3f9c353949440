"""A pair with investors on it, in a database of its own: as issuance and custody leave them behind."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from deedbook import ledger
from deedbook.identity import Domain
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import PairId, TokenId, UserId, new_uuid
from deedbook.ledger import AccountId, LineKind
from deedbook.trading import order_store, orders, store
from deedbook.trading.admission import Admitted, OrderText, Quotes
from deedbook.trading.engine import Book, SelfTrade
from deedbook.trading.execution import Batch
from deedbook.trading.matcher import PairMatcher, take_over
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import OrderType, Pair, PairStatus, PairTerms, Side, TimeInForce

HOME = Domain(31337, Address("0x" + "ab" * 20))


class NoCopies:
    """Nobody reads copies here."""

    def changes(self, spec: PairSpec, book: Book, batch: Batch, moment: str) -> None:
        return

    def tell(self, change: None) -> None:
        return

    def catch_up(self, spec: PairSpec, book: Book, fact_seq: int) -> None:
        return

    def rebuilt(self, spec: PairSpec, book: Book, fact_seq: int) -> None:
        return


@dataclass
class Venue:
    """One pair and its people. `base` has 18 decimals and is an RWA token, `quote` has 6 and is a dollar."""

    db: Database
    base: TokenId
    quote: TokenId
    pair_id: PairId
    spec: PairSpec
    users: list[UserId] = field(default_factory=list)
    placed: int = 0

    async def investor(self, base: str = "0", quote: str = "0", *, approved: bool = True) -> UserId:
        """Somebody with so much of both, approved or not."""
        (user_id,) = await add_investors(self.db, self, [(base, quote)], approved=approved)
        return user_id

    async def matcher(self, holder: str = "test") -> PairMatcher:
        """The pair's writer, its book rebuilt."""
        matcher = await take_over(self.db, self.pair_id, holder, NoCopies())
        assert matcher is not None, "another writes"
        return matcher

    def order(self, user_id: UserId, side: str, quantity: str, price: str = "", **more: Any) -> Admitted:
        """An order as admission lets it in. Its signature is not looked at any more behind that door."""
        self.placed += 1
        now = datetime.now(UTC)
        quotes = more.pop("quotes", Quotes(0, 0, 0))
        expires_at: datetime = more.pop("expires_at", now + timedelta(days=1))
        text = OrderText(
            trader=account_of(user_id),
            pair=self.spec.symbol,
            side=Side(side),
            order_type=OrderType(more.pop("kind", "LIMIT")),
            time_in_force=TimeInForce(more.pop("tif", "GTC")),
            post_only=more.pop("post_only", False),
            self_trade=SelfTrade[more.pop("self_trade", "EXPIRE_TAKER")],
            quantity=quantity,
            price=price,
            stop_price=more.pop("stop_price", ""),
            max_fee_bps=more.pop("max_fee_bps", self.spec.fee_bps),
            client_order_id=more.pop("client_id", ""),
            nonce=more.pop("nonce", f"n{self.placed}-{user_id.hex[:8]}"),
            expiry=int(expires_at.timestamp()),
        )
        digest = text_digest(text)
        return orders.admit(
            text, self.spec, quotes, user_id=user_id, digest=digest, signature=b"\1" * 65, now=now, **more
        )

    async def place(self, *admitted: Admitted) -> list[int]:
        """Make orders durable in one commit; their verdicts."""
        return [row["verdict"] for row in await order_store.take(self.db, admitted)]

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


def account_of(user_id: UUID) -> Address:
    return Address("0x" + user_id.hex + "00000000")


def text_digest(text: OrderText) -> bytes:
    return orders.ORDER.digest(HOME, text.values())


async def add_token(db: Database, symbol: str, kind: str, decimals: int) -> TokenId:
    token_id = TokenId(new_uuid())
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id) "
            "VALUES ($1, $2, $2, $3, $4, 31337)",
            token_id,
            symbol,
            kind,
            decimals,
        )
    return token_id


async def open_venue(db: Database, symbol: str = "LUXAPT", **settings: Any) -> Venue:
    """A pair that trades by the default terms: tick 0.01, lot 0.0001, 25 basis points a side."""
    base = await add_token(db, symbol, "RWA", 18)
    async with db.reading() as connection:
        found = await connection.fetchval("SELECT token_id FROM tokens WHERE symbol = 'USDC'")
    quote = TokenId(found) if found else await add_token(db, "USDC", "STABLE", 6)
    terms = PairTerms(f"{symbol}-USDC", "0.01", "0.0001", 25)
    pair = Pair(PairId(new_uuid()), None, base, quote, terms, PairStatus.ACTIVE)
    async with db.transaction() as tx:
        assert await store.add_pair(tx, pair)
        fees = AccountId(new_uuid())
        await ledger.open_fee_account(tx, fees, pair.pair_id)
        await store.set_fee_account(tx, pair.pair_id, fees)
        for name, value in settings.items():
            await tx.execute(f"UPDATE trading_pairs SET {name} = $2 WHERE pair_id = $1", pair.pair_id, value)
    spec = await order_store.spec(db, pair.pair_id)
    assert spec is not None
    return Venue(db, base, quote, pair.pair_id, spec)


async def add_investors(
    db: Database, venue: Venue, holdings: Iterable[tuple[str, str]], *, approved: bool = True
) -> list[UserId]:
    """People with so much base and quote each, through the ledger's own front door."""
    wanted = list(holdings)
    users = [UserId(new_uuid()) for _ in wanted]
    postings = []
    for user_id, (base, quote) in zip(users, wanted, strict=True):
        for token, units in ((venue.base, to_units(base, 18)), (venue.quote, to_units(quote, 6))):
            if units:
                postings.append(
                    ledger.into_the_vault(new_uuid(), LineKind.DEPOSIT, AccountId(user_id), token, units)
                )
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO users (user_id, account) SELECT * FROM unnest($1::uuid[], $2::text[])",
            users,
            [account_of(user_id) for user_id in users],
        )
        await tx.execute(
            "INSERT INTO compliance_profiles (user_id, account) SELECT * FROM unnest($1::uuid[], $2::text[])",
            users,
            [account_of(user_id) for user_id in users],
        )
        await tx.execute(
            "INSERT INTO compliance_records (user_id, token_id, kyc_status, kyc_level, whitelisted, jurisdiction) "
            "SELECT u, $2, $3, 1, $4, 'PT' FROM unnest($1::uuid[]) AS u",
            users,
            venue.base,
            "APPROVED" if approved else "PENDING",
            approved,
        )
        await ledger.post(tx, postings)
    venue.users += users
    return users
