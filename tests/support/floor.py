"""Orders over HTTP: a till whose deed trades against dollars, and people who sign what they send."""

import itertools
import time
from dataclasses import dataclass
from typing import Any

import httpx2

from deedbook import ledger
from deedbook.identity import Domain
from deedbook.identity.typed_data import ORDER, SWAP
from deedbook.kernel.events import SYSTEM
from deedbook.kernel.ids import PairId, TokenId, UserId, new_uuid
from deedbook.ledger import AccountId
from deedbook.marketdata import FeedKind, prices
from deedbook.settlement.jobs import open_trades
from deedbook.trading import orders, store
from deedbook.trading.matcher import take_over
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import Pair, PairStatus, PairTerms
from tests.support.fake_chain import CHAIN_ID
from tests.support.till import DOMAIN, Till, account_of, open_till
from tests.support.world import User, World
from tests.tokens.support import a_symbol
from tests.trading.venue import NoCopies

_nonces = itertools.count()
DEFAULTS: dict[str, Any] = {
    "timeInForce": "GTC",
    "postOnly": False,
    "selfTrade": "EXPIRE_TAKER",
    "price": "",
    "stopPrice": "",
    "maxFeeBps": 25,
    "clientOrderId": "",
}
"""What is signed where the body says nothing."""


@dataclass
class Floor:
    """One pair by the default terms: tick 0.01, lot 0.0001, 25 basis points a side."""

    till: Till
    spec: PairSpec

    @property
    def world(self) -> World:
        return self.till.world

    async def investor(self, dollars: str = "0", deeds: str = "0", *roles: Any, **more: Any) -> User:
        return await self.till.user(dollars, deeds, *roles, **more)

    def order(
        self,
        user: User,
        side: str = "BUY",
        domain: Domain = DOMAIN,
        signer: User | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """A signed body: one token at 100, unless said otherwise. What is left out is signed by its default."""
        body = {
            "userAddress": account_of(user),
            "tradingPairId": self.spec.symbol,
            "side": side,
            "orderType": "LIMIT",
            "quantity": "1",
            "price": "100",
            "nonce": f"o-{next(_nonces)}",
            "expiry": int(time.time()) + 3600,
            **fields,
        }
        body = {name: value for name, value in body.items() if value is not None}
        return {**body, "signature": (signer or user).wallet.sign_digest(self.digest(body, domain))}

    def digest(self, body: dict[str, Any], domain: Domain = DOMAIN) -> bytes:
        """What a wallet signs for this body."""
        told = {**DEFAULTS, **body, "trader": str(body["userAddress"]).lower()}
        told |= {"tradingPairId": self.spec.symbol, "expiry": int(told["expiry"])}
        return ORDER.digest(domain, {name: told[name] for name, _ in ORDER.fields})

    def swap(
        self,
        user: User,
        side: str = "BUY",
        domain: Domain = DOMAIN,
        signer: User | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """A signed swap: 50 dollars for at least 0.4 of the token, unless said otherwise."""
        body = {
            "userAddress": account_of(user),
            "tradingPairId": self.spec.symbol,
            "side": side,
            "amountIn": "50" if side == "BUY" else "0.5",
            "minAmountOut": "0.4" if side == "BUY" else "40",
            "maxFeeBps": 25,
            "nonce": f"s-{next(_nonces)}",
            "expiry": int(time.time()) + 3600,
            **fields,
        }
        signed = {**body, "trader": str(body["userAddress"]).lower(), "tradingPairId": self.spec.symbol}
        digest = SWAP.digest(domain, {name: signed[name] for name, _ in SWAP.fields})
        return {**body, "signature": (signer or user).wallet.sign_digest(digest)}

    async def send(
        self, user: User, body: Any, path: str = "/trading/orders", **headers: str
    ) -> httpx2.Response:
        """POST without an Idempotency-Key: what is signed needs none."""
        return await self.world.http.post(path, headers={**user.headers, **headers}, json=body)

    async def place(self, user: User, side: str = "BUY", **fields: Any) -> dict[str, Any]:
        """An order that was accepted."""
        answer = await self.send(user, self.order(user, side, **fields))
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def get(self, path: str, user: User | None = None, **query: Any) -> Any:
        headers = user.headers if user else {}
        answer = await self.world.http.get(path, headers=headers, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def match(self) -> None:
        """Match everything that waits, as a matcher would, and give the pair up again."""
        matcher = await take_over(self.world.db, self.spec.pair_id, "floor", NoCopies())
        assert matcher is not None, "another matches"
        while await matcher.step():
            continue
        await matcher.give_up()

    async def clear(self) -> None:
        """Have every order end."""
        owners = await self.rows("SELECT DISTINCT user_id FROM orders WHERE pair_id = $1", self.spec.pair_id)
        async with self.world.db.transaction() as tx:
            for owner in owners:
                await orders.cancel_all(tx, UserId(owner["user_id"]), self.spec.pair_id)
        await self.match()

    async def balance(self, user: User, *, deeds: bool = False) -> tuple[int, int]:
        """Available and locked, in base units."""
        token = self.till.deed if deeds else self.till.cash
        async with self.world.db.transaction() as tx:
            return await ledger.balance(tx, AccountId(user.user_id), token.token_id)

    async def rows(self, query: str, *args: Any) -> list[dict[str, Any]]:
        async with self.world.db.reading() as connection:
            return [dict(row) for row in await connection.fetch(query, *args)]


async def open_floor(world: World, **settings: Any) -> Floor:
    """A pair of the till's deed against its dollars. `settings` are columns of the pair."""
    till = await open_till(world)
    terms = PairTerms(f"{till.deed.symbol}-USDC", "0.01", "0.0001", 25)
    pair = Pair(PairId(new_uuid()), None, till.deed.token_id, till.cash.token_id, terms, PairStatus.ACTIVE)
    async with world.db.transaction() as tx:
        assert await store.add_pair(tx, pair)
        fees = AccountId(new_uuid())
        await ledger.open_fee_account(tx, fees, pair.pair_id)
        await store.set_fee_account(tx, pair.pair_id, fees)
        for name, value in settings.items():
            await tx.execute(f"UPDATE trading_pairs SET {name} = $2 WHERE pair_id = $1", pair.pair_id, value)
    spec = await store.spec(world.db, pair.pair_id)
    assert spec is not None
    return Floor(till, spec)


async def add_crypto(world: World, decimals: int = 8) -> TokenId:
    """A token that no market of ours issued."""
    token_id = TokenId(new_uuid())
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id) "
            "VALUES ($1, $2, $2, 'CRYPTO', $3, $4)",
            token_id,
            a_symbol(),
            decimals,
            CHAIN_ID,
        )
    return token_id


async def prepared_trading(world: World, path: str) -> tuple[str, dict[str, Any]]:
    """The path with the things of a trader, and a body that is theirs; for tests of who may reach them."""
    floor = await open_floor(world)
    owner = await floor.investor("1000")
    mine = await floor.place(owner, clientOrderId="mine")
    crypto, plain = await add_crypto(world), floor.order(owner)
    bodies: dict[str, dict[str, Any]] = {
        "orders": plain,
        "replace": plain,
        "batch": {"orders": [plain]},
        "reduce": {"remainingQuantity": "0.5"},
        "preview": {
            name: plain[name] for name in ("tradingPairId", "side", "orderType", "quantity", "price")
        },
        "cancel-all-after": {"seconds": 0},
        "pairs": {"baseTokenId": str(crypto), "quoteTokenId": str(floor.till.cash.token_id)},
    }
    pair = path.replace("/pairs/{id}", f"/pairs/{floor.spec.symbol}")
    named = pair.replace("{clientOrderId}", "mine").replace("{id}", mine["id"])
    return named.replace("{userId}", str(owner.user_id)), bodies.get(path.rsplit("/", 1)[-1], {})


async def prepared_swap(world: World, path: str) -> tuple[str, dict[str, Any]]:
    """The path with a trader's swap, and a body that is theirs."""
    told, body, _ = await owned_swap(world, path)
    return told, body


async def owned_swap(world: World, path: str) -> tuple[str, dict[str, Any], User]:
    """The same with that trader."""
    floor = await open_floor(world)
    owner, seller = await floor.investor("1000"), await floor.investor(deeds="10")
    await floor.place(seller, "SELL")
    await floor.match()
    made = await floor.send(owner, floor.swap(owner), "/swaps")
    assert made.status_code == 201, made.text
    bodies = {
        "quote": {"tradingPairId": floor.spec.symbol, "side": "BUY", "amountIn": "50"},
        "swaps": floor.swap(owner),
    }
    return path.replace("{id}", made.json()["id"]), bodies.get(path.rsplit("/", 1)[-1], {}), owner


def a_price_source(pair: str, **fields: Any) -> dict[str, Any]:
    """The body that has a pair's price asked outside."""
    return {
        "tradingPairId": pair,
        "kind": "coingecko",
        "locator": "bitcoin",
        "maxAgeSeconds": 3600,
        "least": "1",
        "most": "1000000",
        **fields,
    }


async def prepared_price_source(world: World, path: str) -> tuple[str, dict[str, Any]]:
    """The path with a source that is asked, and a body for another; for tests of who may reach them."""
    floor = await open_floor(world)
    wanted = prices.new_source(floor.spec, FeedKind.COINGECKO, "ethereum", 60, (1, 10**30))
    async with world.db.transaction() as tx:
        await prices.add_source(tx, SYSTEM, floor.spec, wanted)
    body = a_price_source(floor.spec.symbol) if path.endswith("/price-sources") else {}
    return path.replace("{id}", str(wanted.source_id)), body


async def prepared_settlement(world: World, path: str) -> tuple[str, dict[str, Any]]:
    """The path with a trade that waits for the chain, and its buyer."""
    told, body, _ = await owned_settlement(world, path)
    return told, body


async def owned_settlement(world: World, path: str) -> tuple[str, dict[str, Any], User]:
    """The same with that buyer."""
    floor = await open_floor(world)
    buyer, seller = await floor.investor("1000"), await floor.investor(deeds="10")
    await floor.place(seller, "SELL")
    await floor.place(buyer)
    await floor.match()
    await open_trades(world.db)
    [trade] = await floor.rows("SELECT trade_id FROM trades WHERE pair_id = $1", floor.spec.pair_id)
    named = path.replace("{tradeId}", str(trade["trade_id"]))
    return named.replace("{userId}", str(buyer.user_id)), {}, buyer
