"""Paying out of the vault: only what its owner signed, only where it may go, and only once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from . import requests
from .desk import DOLLAR, VAULTED, Desk, open_desk
from .evm import Contract, Refusal, Wallet, role
from .requests import Request
from .world import NOBODY, PAYMENT, UNIT, World, fresh_reference

PAUSED, SENDER_FROZEN, RECEIVER_FROZEN, BALANCE, KYC_MISSING, KYC_EXPIRED = 1, 2, 3, 4, 10, 11


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


@dataclass(frozen=True)
class Shares:
    """A holder with shares in the vault, who asks for some of them."""

    world: World
    token: Contract
    holder: Wallet
    receiver: Wallet

    def request(self, amount: str = "10", nonce: str = "1") -> Request:
        return requests.withdrawal(
            self.world, self.holder.address, self.token.address, amount, self.receiver.address, nonce
        )

    def arguments(self, request: Request) -> tuple[object, ...]:
        return (request.values, request.signed_by(self.holder), fresh_reference())

    def refusal(self, amount: str = "10") -> Refusal:
        request = self.request(amount)
        return self.world.settlement.refusal(self.world.operator, "withdraw", *self.arguments(request))


@pytest.fixture
def shares(world: World) -> Shares:
    token, holder, receiver = world.token(), world.holder(), world.holder()
    world.mint_to_vault(token, holder, 100 * UNIT)
    return Shares(world, token, holder, receiver)


def _hostile(world: World, holder: Wallet) -> Contract:
    token = world.evm.deploy(
        world.deployer, "HostilePayment", world.settlement.address, holder.address, 1_000 * UNIT
    )
    world.settlement.send(world.lister, "listToken", token.address, PAYMENT)
    world.deposit(token, holder, 100 * UNIT)
    return token


def test_a_signed_withdrawal_is_paid_out(desk: Desk) -> None:
    request, reference = desk.request("Withdrawal", "120.5"), fresh_reference()
    receipt = desk.world.settlement.send(
        desk.world.operator, "withdraw", request.values, request.signed_by(desk.trader), reference
    )
    amount = 120_500_000
    assert receipt.named("Withdrawn") == [
        (reference, desk.token.address, desk.trader.address, desk.other.address, amount)
    ]
    assert (desk.vaulted(desk.trader), desk.held(desk.other)) == (VAULTED - amount, amount)
    assert desk.world.settlement.read("totalOf", desk.token.address) == VAULTED - amount
    desk.assert_exact()


def test_the_last_unit_can_be_withdrawn_and_not_one_more(desk: Desk) -> None:
    assert desk.refusal(desk.request("Withdrawal", "500.000001")) == Refusal(
        "InsufficientVaultBalance", (desk.trader.address, desk.token.address, VAULTED, VAULTED + 1)
    )
    desk.carry_out(desk.request("Withdrawal", "500"))
    assert desk.vaulted(desk.trader) == 0
    desk.assert_exact()


def test_a_reference_pays_once_whatever_is_signed(desk: Desk) -> None:
    reference = fresh_reference()
    first, second = desk.request("Withdrawal"), desk.request("Withdrawal", nonce="2")
    desk.world.settlement.send(
        desk.world.operator, "withdraw", first.values, first.signed_by(desk.trader), reference
    )
    used = Refusal("ReferenceAlreadyUsed", (reference,))
    for kind in ("Withdrawal", "Transfer"):
        again = desk.request(kind, nonce="3")
        arguments = (again.values, again.signed_by(desk.trader), reference)
        assert desk.world.settlement.refusal(desk.world.operator, again.carried_out_by, *arguments) == used
    desk.carry_out(second)
    desk.assert_exact()


def test_a_signed_withdrawal_is_paid_once_under_whatever_reference(desk: Desk) -> None:
    request = desk.request("Withdrawal")
    desk.carry_out(request)
    assert desk.refusal(request) == Refusal("DigestAlreadyUsed", (request.digest,))


@pytest.mark.parametrize("kind", ["Withdrawal", "Transfer"])
def test_only_the_operator_carries_out(desk: Desk, kind: str) -> None:
    request = desk.request(kind)
    for sender in (desk.trader, desk.world.admin, desk.world.enforcer, desk.world.lister):
        assert desk.refusal(request, sender=sender) == Refusal(
            "AccessControlUnauthorizedAccount", (sender.address, role("OPERATOR_ROLE"))
        )


@pytest.mark.parametrize("kind", ["Withdrawal", "Transfer"])
def test_the_operator_cannot_help_itself(desk: Desk, kind: str) -> None:
    operator = desk.world.operator
    field = "destination" if kind == "Withdrawal" else "to"
    signed = desk.request(kind)
    redirected = signed.changed(field, operator.address)
    for signature in (redirected.signed_by(operator), signed.signed_by(desk.trader), b"", bytes(65)):
        assert desk.refusal(redirected, signature) == Refusal(
            "InvalidSignature", (desk.trader.address, redirected.digest)
        )
    own = redirected.changed("trader" if kind == "Withdrawal" else "from", operator.address)
    own = own.changed(field, desk.other.address)
    assert desk.refusal(own, own.signed_by(operator)) == Refusal(
        "InsufficientVaultBalance", (operator.address, desk.token.address, 0, 100 * DOLLAR)
    )


def test_some_places_are_no_destination(desk: Desk) -> None:
    for address in (NOBODY, desk.world.settlement.address, desk.token.address):
        request = desk.request("Withdrawal").changed("destination", address)
        assert desk.refusal(request) == Refusal("ReceiverNotAllowed", (address,))


def test_a_withdrawal_may_go_to_its_owner(desk: Desk) -> None:
    desk.carry_out(desk.request("Withdrawal").changed("destination", desk.trader.address))
    assert desk.vaulted(desk.trader) == VAULTED - 100 * DOLLAR
    desk.assert_exact()


def test_a_frozen_party_stops_the_withdrawal_of_money(desk: Desk) -> None:
    request = desk.request("Withdrawal")
    desk.world.freeze(desk.trader)
    assert desk.refusal(request) == Refusal("Restricted", (SENDER_FROZEN,))
    desk.world.freeze(desk.trader, False)
    desk.world.freeze(desk.other)
    assert desk.refusal(request) == Refusal("Restricted", (RECEIVER_FROZEN,))
    desk.world.freeze(desk.other, False)
    desk.carry_out(request)


def test_shares_are_withdrawn_to_who_may_hold_them(shares: Shares) -> None:
    world, request = shares.world, shares.request("40")
    world.settlement.send(world.operator, "withdraw", *shares.arguments(request))
    assert world.vaulted(shares.holder, shares.token) == 60 * UNIT
    assert shares.token.read("balanceOf", shares.receiver.address) == 40 * UNIT
    world.assert_vault_covers(shares.token, shares.holder)


def test_each_rule_of_the_token_stops_the_withdrawal(shares: Shares) -> None:
    world = shares.world
    shares.token.send(world.pauser, "pause")
    assert shares.refusal() == Refusal("Restricted", (PAUSED,))
    shares.token.send(world.pauser, "unpause")
    for frozen, reason in ((shares.holder, SENDER_FROZEN), (shares.receiver, RECEIVER_FROZEN)):
        world.freeze(frozen)
        assert shares.refusal() == Refusal("Restricted", (reason,))
        world.freeze(frozen, False)
    for party in (shares.holder, shares.receiver):
        world.verify(party, expiry=world.evm.now())
        assert shares.refusal() == Refusal("Restricted", (KYC_EXPIRED,))
        world.revoke(party)
        assert shares.refusal() == Refusal("Restricted", (KYC_MISSING,))
        world.verify(party)
    world.settlement.send(world.operator, "withdraw", *shares.arguments(shares.request()))


def test_frozen_shares_stay_in_the_vault(shares: Shares) -> None:
    shares.token.send(shares.world.enforcer, "setFrozenTokens", shares.holder.address, 70 * UNIT)
    assert shares.refusal("30.000000000000000001") == Refusal("Restricted", (BALANCE,))
    shares.world.settlement.send(shares.world.operator, "withdraw", *shares.arguments(shares.request("30")))
    assert shares.world.vaulted(shares.holder, shares.token) == 70 * UNIT


def test_a_payout_on_which_the_token_takes_a_fee_is_booked_as_signed(world: World) -> None:
    holder = world.evm.wallet()
    token = world.evm.deploy(world.deployer, "FeeOnTransferToken", 250, holder.address, 1_000 * UNIT)
    world.settlement.send(world.lister, "listToken", token.address, PAYMENT)
    world.deposit(token, holder, 100 * UNIT)
    before = token.read("balanceOf", holder.address)
    request = requests.withdrawal(world, holder.address, token.address, "40", holder.address)
    world.settlement.send(
        world.operator, "withdraw", request.values, request.signed_by(holder), fresh_reference()
    )
    assert world.vaulted(holder, token) == 97 * UNIT + UNIT // 2 - 40 * UNIT
    assert token.read("balanceOf", holder.address) - before == 39 * UNIT
    world.assert_vault_covers(token, holder)


def test_a_token_that_takes_more_than_it_pays_out_is_stopped(world: World) -> None:
    holder = world.evm.wallet()
    token = _hostile(world, holder)
    token.send(holder, "takeMore", 1)
    request = requests.withdrawal(world, holder.address, token.address, "40", holder.address)
    arguments = (request.values, request.signed_by(holder), fresh_reference())
    assert world.settlement.refusal(world.operator, "withdraw", *arguments) == Refusal(
        "VaultNotCovered", (token.address, 60 * UNIT, 60 * UNIT - 1)
    )


def test_a_token_cannot_call_back_in_the_middle_of_a_payout(world: World) -> None:
    """Not even one that somebody made an operator, with a second request that is signed."""
    holder = world.evm.wallet()
    token = _hostile(world, holder)
    world.settlement.send(world.admin, "grantRole", role("OPERATOR_ROLE"), token.address)
    first, second = (
        requests.withdrawal(world, holder.address, token.address, "40", holder.address, nonce)
        for nonce in ("1", "2")
    )
    moved = requests.transfer(world, holder.address, token.address, "40", world.issuer.address)
    calls = [
        world.settlement.calldata(
            request.carried_out_by, request.values, request.signed_by(holder), fresh_reference()
        )
        for request in (second, moved)
    ]
    calls.append(world.settlement.calldata("deposit", token.address, UNIT))
    for callback in calls:
        token.send(holder, "callBackWith", callback)
        arguments = (first.values, first.signed_by(holder), fresh_reference())
        assert world.settlement.refusal(world.operator, "withdraw", *arguments) == Refusal(
            "ReentrancyGuardReentrantCall"
        )
    world.assert_vault_covers(token, holder)
