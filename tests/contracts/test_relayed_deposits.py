"""Deposits that others bring for an account, from its signed request and its approval."""

from __future__ import annotations

import pytest

from . import requests
from .desk import DOLLAR, IN_WALLET, VAULTED, Desk, open_desk
from .evm import Receipt, Refusal, Wallet
from .permits import Permit, sign_permit
from .requests import HOUR, Request
from .world import ISSUED, PAYMENT, World

NO_PERMIT = Permit(0, 0, 27, bytes(32), bytes(32))


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


@pytest.fixture
def newcomer(world: World) -> Wallet:
    """Has dollars and has approved nothing."""
    wallet = world.evm.wallet()
    world.dollar.send(world.admin, "mint", wallet.address, 1_000)
    return wallet


def _permitted(world: World, wallet: Wallet, amount: int) -> Permit:
    return sign_permit(world.dollar, wallet, world.settlement.address, amount, world.evm.now() + HOUR)


def _bring(world: World, request: Request, signature: bytes, permit: Permit) -> Receipt:
    arguments = (request.values, signature, *permit.as_arguments())
    return world.settlement.send(world.evm.wallet(), "depositWithPermit", *arguments)


def _refusal(world: World, request: Request, signature: bytes, permit: Permit) -> Refusal:
    arguments = (request.values, signature, *permit.as_arguments())
    return world.settlement.refusal(world.operator, "depositWithPermit", *arguments)


def test_anybody_may_bring_a_signed_deposit(desk: Desk) -> None:
    request, stranger = desk.request("Deposit", "250.25"), desk.world.evm.wallet()
    receipt = desk.world.settlement.send(stranger, "depositFor", *desk.arguments(request))
    amount = 250_250_000
    assert receipt.named("Deposited") == [(desk.token.address, desk.trader.address, amount)]
    assert receipt.named("DepositRelayed") == [
        (request.digest, desk.token.address, desk.trader.address, amount)
    ]
    assert (desk.held(desk.trader), desk.vaulted(desk.trader)) == (IN_WALLET - amount, VAULTED + amount)
    assert desk.vaulted(desk.other) == 0
    desk.assert_exact()


def test_a_relayed_deposit_names_itself_directly_after_the_deposit(desk: Desk) -> None:
    receipt = desk.carry_out(desk.request("Deposit"))
    told = [event.name for event in receipt.events if event.contract == desk.world.settlement.address]
    assert told == ["Deposited", "DepositRelayed"]


def test_without_an_approval_nothing_is_pulled(world: World, desk: Desk, newcomer: Wallet) -> None:
    request = requests.deposit(world, newcomer.address, world.dollar.address, "0.001")
    assert desk.refusal(request, request.signed_by(newcomer)) == Refusal(
        "ERC20InsufficientAllowance", (world.settlement.address, 0, 1_000)
    )


def test_a_relayed_deposit_books_what_arrives(world: World, newcomer: Wallet) -> None:
    token = world.evm.deploy(world.deployer, "FeeOnTransferToken", 250, newcomer.address, 10**18)
    world.settlement.send(world.lister, "listToken", token.address, PAYMENT)
    token.send(newcomer, "approve", world.settlement.address, 10**18)
    request = requests.deposit(world, newcomer.address, token.address, "1")
    receipt = world.settlement.send(world.operator, "depositFor", request.values, request.signed_by(newcomer))
    arrived = 10**18 * 975 // 1000
    assert receipt.named("DepositRelayed") == [(request.digest, token.address, newcomer.address, arrived)]
    assert world.vaulted(newcomer, token) == arrived
    world.assert_vault_covers(token, newcomer)


def test_an_issued_token_is_deposited_under_its_rules_when_relayed(world: World) -> None:
    token, holder = world.token(), world.holder()
    world.mint(token, holder, 10**18)
    token.send(holder, "approve", world.settlement.address, 10**18)
    request = requests.deposit(world, holder.address, token.address, "0.5")
    arguments = (request.values, request.signed_by(holder))
    world.freeze(holder)
    assert world.settlement.refusal(world.operator, "depositFor", *arguments) == Refusal(
        "ERC7943CannotSend", (holder.address,)
    )
    world.freeze(holder, False)
    token.send(world.pauser, "pause")
    assert world.settlement.refusal(world.operator, "depositFor", *arguments) == Refusal("EnforcedPause")
    token.send(world.pauser, "unpause")
    world.settlement.send(world.operator, "depositFor", *arguments)
    assert world.vaulted(holder, token) == 10**18 // 2


def test_a_token_cannot_call_back_in_the_middle_of_a_relayed_deposit(world: World) -> None:
    holder = world.evm.wallet()
    token = world.evm.deploy(
        world.deployer, "ReentrantToken", world.settlement.address, holder.address, 10**18
    )
    world.settlement.send(world.lister, "listToken", token.address, ISSUED)
    token.send(holder, "approve", world.settlement.address, 10**18)
    request = requests.deposit(world, holder.address, token.address, "1")
    signature, guarded = request.signed_by(holder), Refusal("ReentrancyGuardReentrantCall")
    assert world.settlement.refusal(world.operator, "depositFor", request.values, signature) == guarded
    assert _refusal(world, request, signature, NO_PERMIT) == guarded


def test_a_permit_saves_the_approval(world: World, newcomer: Wallet) -> None:
    request = requests.deposit(world, newcomer.address, world.dollar.address, "0.001")
    permit = _permitted(world, newcomer, 1_000)
    _bring(world, request, request.signed_by(newcomer), permit)
    assert world.vaulted(newcomer, world.dollar) == 1_000
    assert world.dollar.read("allowance", newcomer.address, world.settlement.address) == 0


def test_a_permit_that_others_used_up_does_not_stop_the_deposit(world: World, newcomer: Wallet) -> None:
    request = requests.deposit(world, newcomer.address, world.dollar.address, "0.001")
    permit = _permitted(world, newcomer, 1_000)
    world.dollar.send(
        world.evm.wallet(),
        "permit",
        newcomer.address,
        world.settlement.address,
        *permit.as_arguments(),
    )
    _bring(world, request, request.signed_by(newcomer), permit)
    assert world.vaulted(newcomer, world.dollar) == 1_000


def test_a_bad_permit_gives_no_allowance(world: World, newcomer: Wallet) -> None:
    request = requests.deposit(world, newcomer.address, world.dollar.address, "0.001")
    refused = Refusal("ERC20InsufficientAllowance", (world.settlement.address, 0, 1_000))
    signature = request.signed_by(newcomer)
    for permit in (NO_PERMIT, _permitted(world, world.evm.wallet(), 1_000)):
        assert _refusal(world, request, signature, permit) == refused


def test_a_token_without_permits_is_deposited_by_its_approval(world: World) -> None:
    token, holder = world.token(), world.holder()
    world.mint(token, holder, 10**18)
    token.send(holder, "approve", world.settlement.address, 10**18)
    request = requests.deposit(world, holder.address, token.address, "1")
    _bring(world, request, request.signed_by(holder), NO_PERMIT)
    assert world.vaulted(holder, token) == 10**18


def test_a_permit_alone_moves_nothing(world: World, desk: Desk, newcomer: Wallet) -> None:
    request = requests.deposit(world, newcomer.address, world.dollar.address, "0.001")
    signature, permit = request.signed_by(desk.other), _permitted(world, newcomer, 1_000)
    refusal = _refusal(world, request, signature, permit)
    assert refusal == Refusal("InvalidSignature", (newcomer.address, request.digest))


def test_what_is_not_listed_is_not_called_for_a_permit(world: World, newcomer: Wallet) -> None:
    """An address without code would fail the call itself, before any other check could name the reason."""
    other = world.evm.deploy(world.deployer, "TestDollar", world.admin.address)
    for address in (other.address, world.evm.wallet().address):
        request = requests.deposit(world, newcomer.address, address, "0.001")
        refusal = _refusal(world, request, request.signed_by(newcomer), NO_PERMIT)
        assert refusal == Refusal("TokenNotListed", (address,))


def test_a_deposit_is_no_promise_of_more_than_the_wallet_has(desk: Desk) -> None:
    refusal = desk.refusal(desk.request("Deposit", "1000.000001"))
    assert refusal == Refusal(
        "ERC20InsufficientBalance", (desk.trader.address, IN_WALLET, 1_000 * DOLLAR + 1)
    )
