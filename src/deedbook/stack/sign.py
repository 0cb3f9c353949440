"""What a demo wallet signs at the command line: the body that the API takes, for pasting into curl."""

import time
from collections.abc import Mapping
from typing import Any

import httpx2

from deedbook.identity import DEPOSIT, TRANSFER, WITHDRAWAL, Domain, parse_address
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import ORDER, SWAP
from deedbook.infra.settings import Settings, SettingsError
from deedbook.kernel.amounts import is_amount
from deedbook.kernel.ids import new_uuid
from deedbook.stack.dollars import sign_permit
from deedbook.stack.login import demo_wallet
from deedbook.stack.wallet import Wallet

EXPIRES_IN_S = 3600
STRUCTS = {"deposit": DEPOSIT, "withdrawal": WITHDRAWAL, "transfer": TRANSFER}


async def sign(
    settings: Settings, action: str, role_text: str, amount: str, symbol: str, to_text: str
) -> dict[str, Any]:
    """The signed body of an action of this role's demo wallet. A withdrawal without a destination goes to the wallet
    itself; a deposit is one that the platform brings, with the approval that this needs.

    Raises:
        SettingsError: an argument is wrong, in production, or no API answers.
    """
    wallet = demo_wallet(settings, role_text)
    account = Address(wallet.address.lower())
    if not is_amount(amount):
        raise SettingsError(f"{amount[:40]!r} is no plain amount such as 250.50")
    to = _receiver(action, account, to_text)
    domain, found = await _terms(settings, f"/tokens/{symbol}")
    if found is None or not found["contractAddress"]:
        raise SettingsError(f"there is no token {symbol} with a contract")
    given = {
        "trader": account,
        "from": account,
        "token": Address(found["contractAddress"].lower()),
        "amount": amount,
        "destination": to,
        "to": to,
        "nonce": new_uuid().hex,
        "expiry": int(time.time()) + EXPIRES_IN_S,
    }
    struct = STRUCTS[action]
    values = {name: given[name] for name, _ in struct.fields}
    signed = {**values, "signature": wallet.sign_typed(domain, struct, values)}
    if action != "deposit":
        return signed
    # Of the tokens here the dollar alone takes approvals by signature; others are approved by a transaction.
    permit = {"permit": await sign_permit(settings, wallet, amount)} if symbol == "USDC" else {}
    return {**signed, "relay": True, **permit}


def _receiver(action: str, account: Address, to_text: str) -> Address:
    if not to_text and action != "transfer":
        return account
    to = parse_address(to_text)
    if to is None:
        raise SettingsError("--to takes the Ethereum address of the receiver")
    return to


async def sign_order(
    settings: Settings, role_text: str, pair: str, side: str, quantity: str, price: str
) -> dict[str, Any]:
    """The signed body of a limit order of this role's demo wallet; with no price, of a market order.

    Raises:
        SettingsError: an argument is wrong, in production, or no API answers.
    """
    wallet = demo_wallet(settings, role_text)
    domain, found = await _terms_of_pair(settings, pair, quantity, price)
    return order_body(wallet, domain, found, side, quantity, price)


def order_body(
    wallet: Wallet, domain: Domain, pair: Mapping[str, Any], side: str, quantity: str, price: str
) -> dict[str, Any]:
    """What `POST /trading/orders` takes, signed. What has its default is signed with it and need not be sent."""
    values = {
        "trader": Address(wallet.address.lower()),
        "tradingPairId": pair["symbol"],
        "side": side,
        "orderType": "LIMIT" if price else "MARKET",
        "timeInForce": "GTC" if price else "IOC",
        "postOnly": False,
        "selfTrade": "EXPIRE_TAKER",
        "quantity": quantity,
        "price": price,
        "stopPrice": "",
        "maxFeeBps": pair["feeBps"],
        "clientOrderId": "",
        "nonce": new_uuid().hex,
        "expiry": int(time.time()) + EXPIRES_IN_S,
    }
    sent = {name: value for name, value in values.items() if value != "" and name != "trader"}
    return {"userAddress": values["trader"], **sent, "signature": wallet.sign_typed(domain, ORDER, values)}


async def sign_swap(
    settings: Settings, role_text: str, pair: str, side: str, amount_in: str, least: str
) -> dict[str, Any]:
    """The signed body of a swap of this role's demo wallet; with no least amount, for what a quote suggests.

    Raises:
        SettingsError: an argument is wrong, in production, or no API answers.
    """
    wallet = demo_wallet(settings, role_text)
    domain, found = await _terms_of_pair(settings, pair, amount_in, least)
    least = least or await _suggested(settings, pair, side, amount_in)
    return swap_body(wallet, domain, found, side, amount_in, least)


async def _suggested(settings: Settings, pair: str, side: str, amount_in: str) -> str:
    """The least amount that a quote suggests to ask for."""
    body = {"tradingPairId": pair, "side": side, "amountIn": amount_in}
    async with httpx2.AsyncClient(base_url=_base_url(settings), timeout=10, trust_env=False) as http:
        told = await http.post("/swaps/quote", json=body)
    if told.status_code != 200:
        raise SettingsError(f"no quote: {told.json().get('detail') or told.json()['title']}")
    return str(told.json()["suggestedMinAmountOut"])


def swap_body(
    wallet: Wallet, domain: Domain, pair: Mapping[str, Any], side: str, amount_in: str, least: str
) -> dict[str, Any]:
    """What `POST /swaps` takes, signed."""
    values = {
        "trader": Address(wallet.address.lower()),
        "tradingPairId": pair["symbol"],
        "side": side,
        "amountIn": amount_in,
        "minAmountOut": least,
        "maxFeeBps": pair["feeBps"],
        "nonce": new_uuid().hex,
        "expiry": int(time.time()) + EXPIRES_IN_S,
    }
    sent = {name: value for name, value in values.items() if name != "trader"}
    return {"userAddress": values["trader"], **sent, "signature": wallet.sign_typed(domain, SWAP, values)}


def _base_url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.PORT}/api/v1"


async def _terms_of_pair(settings: Settings, pair: str, *amounts: str) -> tuple[Domain, dict[str, Any]]:
    """The same for a pair, once these are known to be plain amounts; an empty one was left out."""
    for text in amounts:
        if text and not is_amount(text):
            raise SettingsError(f"{text[:40]!r} is no plain amount such as 250.50")
    domain, found = await _terms(settings, f"/trading/pairs/{pair}")
    if found is None:
        raise SettingsError(f"there is no pair {pair}")
    return domain, found


async def _terms(settings: Settings, path: str) -> tuple[Domain, dict[str, Any] | None]:
    """For which contract to sign, and what stands at this path."""
    base_url = _base_url(settings)
    try:
        async with httpx2.AsyncClient(base_url=base_url, timeout=10, trust_env=False) as http:
            told = (await http.get("/exchange-info")).raise_for_status().json()["eip712Domain"]
            found = await http.get(path)
    except httpx2.HTTPError as error:
        raise SettingsError(
            f"the API at {base_url} does not answer ({type(error).__name__}): run `make up`"
        ) from None
    domain = Domain(told["chainId"], Address(told["verifyingContract"].lower()))
    return domain, found.json() if found.status_code == 200 else None
