"""Moving a vault balance to another account: its owner's signature, both parties' rules."""

from __future__ import annotations

import pytest

from . import requests
from .desk import DOLLAR, VAULTED, Desk, open_desk
from .evm import Contract, Refusal, Wallet
from .world import NOBODY, UNIT, World, fresh_reference

PAUSED, SENDER_FROZEN, RECEIVER_FROZEN, BALANCE, KYC_MISSING = 1, 2, 3, 4, 10


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


def test_a_signed_transfer_moves_the_balance_and_nothing_else(desk: Desk) -> None:
    request, reference = desk.request("Transfer", "120.5"), fresh_reference()
    held = desk.token.read("balanceOf", desk.world.settlement.address)
    receipt = desk.world.settlement.send(
        desk.world.operator, "transfer", request.values, request.signed_by(desk.trader), reference
    )
    amount = 120_500_000
    assert receipt.named("Transferred") == [
        (reference, desk.token.address, desk.trader.address, desk.other.address, amount)
    ]
    assert receipt.named("Transfer") == []
    assert (desk.vaulted(desk.trader), desk.vaulted(desk.other)) == (VAULTED - amount, amount)
    assert desk.token.read("balanceOf", desk.world.settlement.address) == held
    desk.assert_exact()


def test_what_was_received_can_be_passed_on_and_withdrawn(desk: Desk) -> None:
    desk.carry_out(desk.request("Transfer", "500"))
    back = requests.transfer(desk.world, desk.other.address, desk.token.address, "200", desk.trader.address)
    desk.carry_out(back, back.signed_by(desk.other))
    out = requests.withdrawal(desk.world, desk.other.address, desk.token.address, "300", desk.other.address)
    desk.carry_out(out, out.signed_by(desk.other))
    assert (desk.vaulted(desk.trader), desk.held(desk.other)) == (200 * DOLLAR, 300 * DOLLAR)
    desk.assert_exact()


def test_no_more_than_the_balance_is_moved(desk: Desk) -> None:
    assert desk.refusal(desk.request("Transfer", "500.000001")) == Refusal(
        "InsufficientVaultBalance", (desk.trader.address, desk.token.address, VAULTED, VAULTED + 1)
    )


def test_a_reference_moves_once(desk: Desk) -> None:
    reference = fresh_reference()
    for nonce, refused in (("1", False), ("2", True)):
        request = desk.request("Transfer", nonce=nonce)
        call = ("transfer", request.values, request.signed_by(desk.trader), reference)
        if refused:
            used = Refusal("ReferenceAlreadyUsed", (reference,))
            assert desk.world.settlement.refusal(desk.world.operator, *call) == used
        else:
            desk.world.settlement.send(desk.world.operator, *call)


def test_a_transfer_to_oneself_is_refused(desk: Desk) -> None:
    request = desk.request("Transfer").changed("to", desk.trader.address)
    assert desk.refusal(request) == Refusal("SameAccount", (desk.trader.address,))


def test_what_can_never_sign_receives_nothing(desk: Desk) -> None:
    for address in (NOBODY, desk.world.settlement.address, desk.token.address):
        request = desk.request("Transfer").changed("to", address)
        assert desk.refusal(request) == Refusal("ReceiverNotAllowed", (address,))


def test_a_frozen_party_stops_the_transfer_of_money(desk: Desk) -> None:
    request = desk.request("Transfer")
    for party, reason in ((desk.trader, SENDER_FROZEN), (desk.other, RECEIVER_FROZEN)):
        desk.world.freeze(party)
        assert desk.refusal(request) == Refusal("Restricted", (reason,))
        desk.world.freeze(party, False)
    desk.carry_out(request)


def test_each_rule_of_the_token_stops_the_transfer(world: World) -> None:
    token, holder, receiver = world.token(), world.holder(), world.holder()
    world.mint_to_vault(token, holder, 100 * UNIT)

    def refusal(amount: str = "10") -> Refusal:
        return world.settlement.refusal(
            world.operator, "transfer", *_signed(world, token, holder, receiver, amount)
        )

    token.send(world.pauser, "pause")
    assert refusal() == Refusal("Restricted", (PAUSED,))
    token.send(world.pauser, "unpause")
    for party, reason in ((holder, SENDER_FROZEN), (receiver, RECEIVER_FROZEN)):
        world.freeze(party)
        assert refusal() == Refusal("Restricted", (reason,))
        world.freeze(party, False)
        world.revoke(party)
        assert refusal() == Refusal("Restricted", (KYC_MISSING,))
        world.verify(party)
    token.send(world.enforcer, "setFrozenTokens", holder.address, 95 * UNIT)
    assert refusal() == Refusal("Restricted", (BALANCE,))
    token.send(world.enforcer, "setFrozenTokens", holder.address, 90 * UNIT)
    world.settlement.send(world.operator, "transfer", *_signed(world, token, holder, receiver, "10"))
    assert [world.vaulted(wallet, token) for wallet in (holder, receiver)] == [90 * UNIT, 10 * UNIT]
    world.assert_vault_covers(token, holder, receiver)


def _signed(
    world: World, token: Contract, holder: Wallet, receiver: Wallet, amount: str
) -> tuple[object, ...]:
    request = requests.transfer(world, holder.address, token.address, amount, receiver.address)
    return (request.values, request.signed_by(holder), fresh_reference())
