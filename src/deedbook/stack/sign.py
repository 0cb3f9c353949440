"""What a demo wallet signs at the command line: the body that the API takes, for pasting into curl."""

import time
from typing import Any

import httpx2

from deedbook.identity import DEPOSIT, TRANSFER, WITHDRAWAL, Domain, parse_address
from deedbook.identity.terms import Address
from deedbook.infra.settings import Settings, SettingsError
from deedbook.kernel.amounts import is_amount
from deedbook.kernel.ids import new_uuid
from deedbook.stack.dollars import sign_permit
from deedbook.stack.login import demo_wallet

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
    domain, token = await _terms(settings, symbol)
    given = {
        "trader": account,
        "from": account,
        "token": token,
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


async def _terms(settings: Settings, symbol: str) -> tuple[Domain, Address]:
    """For which contract to sign, and the token's."""
    base_url = f"http://127.0.0.1:{settings.PORT}/api/v1"
    try:
        async with httpx2.AsyncClient(base_url=base_url, timeout=10, trust_env=False) as http:
            told = (await http.get("/exchange-info")).raise_for_status().json()["eip712Domain"]
            found = await http.get(f"/tokens/{symbol}")
    except httpx2.HTTPError as error:
        raise SettingsError(
            f"the API at {base_url} does not answer ({type(error).__name__}): run `make up`"
        ) from None
    if found.status_code != 200 or not found.json()["contractAddress"]:
        raise SettingsError(f"there is no token {symbol} with a contract")
    domain = Domain(told["chainId"], Address(told["verifyingContract"].lower()))
    return domain, Address(found.json()["contractAddress"].lower())
