"""Accounts that are contracts: their consent (ERC-1271) counts, and their malice costs them only their own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import pytest

from . import requests
from .desk import DOLLAR
from .evm import Contract, Refusal, Wallet
from .requests import Request, compact, high_s
from .world import World, fresh_reference

GAS_WITHDRAW = 300_000


class Consent(IntEnum):
    """The test wallet's manners, in the order of its contract."""

    OWNER = 0
    ALWAYS = 1
    NEVER = 2
    REVERTS = 3
    SHORT = 4
    HUGE = 5
    ENDLESS = 6


@dataclass(frozen=True)
class Safe:
    """A contract wallet with dollars of its own in the vault."""

    world: World
    owner: Wallet
    wallet: Contract

    def request(self, nonce: str = "1") -> Request:
        address, dollar = self.wallet.address, self.world.dollar.address
        return requests.withdrawal(self.world, address, dollar, "100", self.owner.address, nonce)

    def withdraw(self, request: Request, signature: bytes) -> tuple[object, ...]:
        return (request.values, signature, fresh_reference())

    def refusal(self, request: Request, signature: bytes) -> Refusal:
        arguments = self.withdraw(request, signature)
        return self.world.settlement.refusal(self.world.operator, "withdraw", *arguments)

    def answer_with(self, consent: Consent) -> None:
        self.wallet.send(self.owner, "answerWith", consent)


@pytest.fixture
def safe(world: World) -> Safe:
    owner = world.evm.wallet()
    wallet = world.evm.deploy(owner, "ContractWallet", owner.address)
    world.dollar.send(world.admin, "mint", wallet.address, 500 * DOLLAR)
    approve = world.dollar.calldata("approve", world.settlement.address, 500 * DOLLAR)
    wallet.send(owner, "execute", world.dollar.address, approve)
    deposit = world.settlement.calldata("deposit", world.dollar.address, 400 * DOLLAR)
    wallet.send(owner, "execute", world.settlement.address, deposit)
    return Safe(world, owner, wallet)


def test_a_contract_wallet_consents_as_its_owner(safe: Safe) -> None:
    request = safe.request()
    arguments = safe.withdraw(request, request.signed_by(safe.owner))
    safe.world.settlement.send(safe.world.operator, "withdraw", *arguments)
    assert safe.world.dollar.read("balanceOf", safe.owner.address) == 100 * DOLLAR
    assert safe.refusal(request, request.signed_by(safe.owner)) == Refusal(
        "DigestAlreadyUsed", (request.digest,)
    )


def test_a_contract_wallet_deposits_and_transfers_by_signature(safe: Safe) -> None:
    world, address, dollar = safe.world, safe.wallet.address, safe.world.dollar.address
    deposited = requests.deposit(world, address, dollar, "100")
    world.settlement.send(world.operator, "depositFor", deposited.values, deposited.signed_by(safe.owner))
    moved = requests.transfer(world, address, dollar, "500", safe.owner.address)
    world.settlement.send(world.operator, "transfer", *safe.withdraw(moved, moved.signed_by(safe.owner)))
    assert world.vaulted(safe.owner, world.dollar) == 500 * DOLLAR


def test_the_wallet_decides_which_form_of_signature_it_takes(safe: Safe) -> None:
    """The digest is what works once, so a wallet that takes anything is no way to be paid twice."""
    safe.answer_with(Consent.ALWAYS)
    request = safe.request()
    safe.world.settlement.send(safe.world.operator, "withdraw", *safe.withdraw(request, b""))
    assert safe.refusal(request, b"\1") == Refusal("DigestAlreadyUsed", (request.digest,))


def test_who_does_not_own_the_wallet_does_not_sign_for_it(safe: Safe) -> None:
    request = safe.request()
    refused = Refusal("InvalidSignature", (safe.wallet.address, request.digest))
    own = request.signed_by(safe.owner)
    for signature in (request.signed_by(safe.world.operator), high_s(own), compact(own), b""):
        assert safe.refusal(request, signature) == refused


@pytest.mark.parametrize("consent", [Consent.NEVER, Consent.REVERTS, Consent.SHORT])
def test_anything_but_a_clear_yes_is_a_no(safe: Safe, consent: Consent) -> None:
    safe.answer_with(consent)
    request = safe.request()
    assert safe.refusal(request, request.signed_by(safe.owner)) == Refusal(
        "InvalidSignature", (safe.wallet.address, request.digest)
    )


def test_consent_can_be_withdrawn_until_it_is_used(safe: Safe) -> None:
    request = safe.request()
    signature = request.signed_by(safe.owner)
    safe.answer_with(Consent.NEVER)
    assert safe.refusal(request, signature).name == "InvalidSignature"
    safe.answer_with(Consent.OWNER)
    safe.world.settlement.send(safe.world.operator, "withdraw", *safe.withdraw(request, signature))


@pytest.mark.parametrize("consent", [Consent.HUGE, Consent.ENDLESS])
def test_a_wallet_that_wastes_gas_gets_nothing_and_moves_nothing(safe: Safe, consent: Consent) -> None:
    safe.answer_with(consent)
    world, request = safe.world, safe.request()
    data = world.settlement.calldata("withdraw", *safe.withdraw(request, b""))
    with pytest.raises(AssertionError, match="reverted"):
        world.evm.send(world.operator, data, world.settlement.address, GAS_WITHDRAW)
    assert world.dollar.read("balanceOf", safe.owner.address) == 0
    assert world.settlement.read("balanceOf", safe.wallet.address, world.dollar.address) == 400 * DOLLAR
    assert world.settlement.read("usedDigest", request.digest) is False
