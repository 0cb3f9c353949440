"""ERC-2612: an approval as a signature, made by eth-account alone."""

from __future__ import annotations

from dataclasses import dataclass

from eth_account import Account
from eth_account.messages import encode_typed_data

from .evm import CHAIN_ID, Contract, Wallet

FIELDS = {
    "owner": "address",
    "spender": "address",
    "value": "uint256",
    "nonce": "uint256",
    "deadline": "uint256",
}


@dataclass(frozen=True)
class Permit:
    value: int
    deadline: int
    v: int
    r: bytes
    s: bytes

    def as_arguments(self) -> tuple[object, ...]:
        return (self.value, self.deadline, self.v, self.r, self.s)


def sign_permit(token: Contract, owner: Wallet, spender: str, value: int, deadline: int) -> Permit:
    domain = {
        "name": token.read("name"),
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": token.address,
    }
    types = {"Permit": [{"name": name, "type": kind} for name, kind in FIELDS.items()]}
    nonce = token.read("nonces", owner.address)
    values = (owner.address, spender, value, nonce, deadline)
    message = encode_typed_data(domain, types, dict(zip(FIELDS, values, strict=True)))
    signature = bytes(Account.sign_message(message, owner.key).signature)
    return Permit(value, deadline, signature[64], signature[:32], signature[32:64])
