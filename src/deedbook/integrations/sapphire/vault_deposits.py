"""What users send from their own wallets to deposit: the words of two calls, for others to sign."""

from eth_abi import encode

from deedbook.chain.terms import Call
from deedbook.identity import keccak
from deedbook.identity.terms import Address

GAS_APPROVE = 70_000
GAS_DEPOSIT = 180_000


def own_deposit(settlement: Address, token: Address, units: int) -> tuple[Call, Call]:
    """The approval, then the deposit. Implements `OwnDeposit`."""
    approve = _data("approve(address,uint256)", settlement, units)
    deposit = _data("deposit(address,uint256)", token, units)
    return Call(token, approve, GAS_APPROVE), Call(settlement, deposit, GAS_DEPOSIT)


def _data(function: str, address: Address, units: int) -> bytes:
    arguments: bytes = encode(["address", "uint256"], [address, units])
    return keccak(function.encode())[:4] + arguments
