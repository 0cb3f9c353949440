"""Traders with wallets, and orders that they have signed: what benches send over HTTP."""

import time
from dataclasses import dataclass
from typing import Any

import httpx2

from deedbook.bench.venue import add_traders
from deedbook.identity import Domain
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import ORDER
from deedbook.infra.database import Database
from deedbook.stack.wallet import Wallet, sign_in
from deedbook.trading.spec import PairSpec

RICH = ("100000000", "100000000000")


@dataclass(frozen=True)
class Trader:
    """Somebody with a wallet and an access token."""

    wallet: Wallet
    token: str


async def sign_in_traders(db: Database, http: httpx2.AsyncClient, spec: PairSpec, count: int) -> list[Trader]:
    """So many who are rich and may trade on this pair, signed in."""
    wallets = [Wallet.new() for _ in range(count)]
    accounts = [Address(wallet.address.lower()) for wallet in wallets]
    await add_traders(db, spec, [RICH] * count, accounts=accounts)
    return [Trader(wallet, str((await sign_in(http, wallet))["accessToken"])) for wallet in wallets]


def signed_order(
    trader: Trader, spec: PairSpec, domain: Domain, *, buy: bool, quantity: str, price: str, nonce: str
) -> dict[str, Any]:
    """The body of a limit order."""
    values = {
        "trader": trader.wallet.address.lower(),
        "tradingPairId": spec.symbol,
        "side": "BUY" if buy else "SELL",
        "orderType": "LIMIT",
        "timeInForce": "GTC",
        "postOnly": False,
        "selfTrade": "EXPIRE_TAKER",
        "quantity": quantity,
        "price": price,
        "stopPrice": "",
        "maxFeeBps": spec.fee_bps,
        "clientOrderId": "",
        "nonce": nonce,
        "expiry": int(time.time()) + 86_400,
    }
    signature = trader.wallet.sign_typed(domain, ORDER, values)
    body = {name: value for name, value in values.items() if name != "trader" and value != ""}
    return {**body, "userAddress": trader.wallet.address, "signature": signature}
