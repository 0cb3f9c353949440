"""Deposits, withdrawals, transfers and approvals as they are signed. Pure."""

from collections.abc import Mapping
from typing import Any

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import Exchange, Token
from deedbook.client.signers import Signer
from deedbook.client.typed_data import WORD, digest, keccak

_PERMIT = keccak(b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")


def sign_deposit(
    signer: Signer, exchange: Exchange, token: Token, amount: Amount, *, nonce: str, expiry: int
) -> dict[str, Any]:
    """The body of `POST /deposits`.

    Raises:
        TypeError · ValueError: the amount is none, or the platform signs other fields than these.
    """
    return _signed(signer, exchange, "Deposit", {"trader": signer.address}, token, amount, nonce, expiry)


def sign_withdrawal(
    signer: Signer, exchange: Exchange, token: Token, amount: Amount, to: str, *, nonce: str, expiry: int
) -> dict[str, Any]:
    """The body of `POST /withdrawals`.

    Raises:
        TypeError · ValueError: see `sign_deposit`.
    """
    parties = {"trader": signer.address, "destination": to}
    return _signed(signer, exchange, "Withdrawal", parties, token, amount, nonce, expiry)


def sign_transfer(
    signer: Signer, exchange: Exchange, token: Token, amount: Amount, to: str, *, nonce: str, expiry: int
) -> dict[str, Any]:
    """The body of `POST /tokens/{id}/transfer`.

    Raises:
        TypeError · ValueError: see `sign_deposit`.
    """
    parties = {"from": signer.address, "to": to}
    return _signed(signer, exchange, "Transfer", parties, token, amount, nonce, expiry)


def sign_permit(
    signer: Signer, spender: str, units: int, *, separator: bytes, nonce: int, deadline: int
) -> dict[str, Any]:
    """An approval of the vault by signature (ERC-2612), as `POST /deposits` takes it. `separator` and `nonce` are the
    token contract's; `units` are base units."""
    words = [bytes.fromhex(address[2:]).rjust(WORD, b"\0") for address in (signer.address, spender)]
    words += [number.to_bytes(WORD, "big") for number in (units, nonce, deadline)]
    signature = signer.sign_digest(keccak(b"\x19\x01" + separator + keccak(_PERMIT + b"".join(words))))
    r, s = signature[:WORD].hex(), signature[WORD : 2 * WORD].hex()
    return {"value": str(units), "deadline": deadline, "v": signature[64], "r": f"0x{r}", "s": f"0x{s}"}


def _signed(
    signer: Signer,
    exchange: Exchange,
    name: str,
    parties: Mapping[str, str],
    token: Token,
    amount: Amount,
    nonce: str,
    expiry: int,
) -> dict[str, Any]:
    if token.contract_address is None:
        raise ValueError(f"{token.symbol} has no contract yet: ask again when its market is active")
    values = {
        **{party: address.lower() for party, address in parties.items()},
        "token": token.contract_address.lower(),
        "amount": amount_text(amount),
        "nonce": nonce,
        "expiry": expiry,
    }
    hashed = digest(exchange.eip712_domain, name, exchange.eip712_types[name], values)
    return {**values, "signature": "0x" + signer.sign_digest(hashed).hex()}
