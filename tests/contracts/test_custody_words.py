"""The platform's words for the vault on a real EVM: every call does what it says within its gas, and every event
comes back as the value that rooms read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from deedbook.chain.identities import MAX_UPDATES, IdentityUpdate
from deedbook.chain.terms import MAX_GAS, Call
from deedbook.chain.vault import Permit, VaultEvent, VaultEventKind
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import DEPOSIT, TRANSFER, WITHDRAWAL, Domain, Struct
from deedbook.integrations.sapphire import custody
from deedbook.integrations.sapphire.vault_events import TOPICS, decode

from . import requests
from .desk import MAX, open_desk
from .evm import CHAIN_ID, Contract, Receipt, Wallet
from .permits import sign_permit
from .requests import HOUR, Request
from .world import UNIT, World, fresh_reference, market_id

LONGEST_NONCE = "n" * 64
OWNERS = 10
HEADROOM = 1.33


@dataclass(frozen=True)
class Holding:
    """A holder with shares in wallet and vault, and somebody to pass them on to."""

    world: World
    token: Contract
    holder: Wallet
    receiver: Wallet

    @property
    def settlement(self) -> Address:
        return Address(self.world.settlement.address)

    @property
    def addresses(self) -> tuple[Address, Address, Address]:
        return Address(self.token.address), Address(self.holder.address), Address(self.receiver.address)

    def carry_out(self, sender: Wallet, call: Call) -> Receipt:
        """Within the call's own gas, of which a third stays; Sapphire takes 1 a byte and 1,000 a signature more."""
        assert call.to is not None and call.gas <= MAX_GAS
        receipt = self.world.evm.send(sender, call.data, call.to, call.gas)
        assert call.gas >= HEADROOM * (receipt.gas_used + len(call.data) + 1_000)
        return receipt

    def told(self, receipt: Receipt) -> list[VaultEvent]:
        return [
            decode(log.topics, log.data)
            for log in receipt.logs
            if log.contract == self.settlement and log.topics[0] in TOPICS
        ]


@pytest.fixture
def holding(world: World) -> Holding:
    token, holder, receiver = world.token(), world.holder(), world.holder()
    world.mint(token, holder, 100 * UNIT)
    world.mint_to_vault(token, holder, 100 * UNIT)
    token.send(holder, "approve", world.settlement.address, MAX)
    return Holding(world, token, holder, receiver)


def values_of(request: Request) -> dict[str, Any]:
    return dict(zip(request.fields, request.values, strict=True))


def _make(holding: Holding, kind: str, amount: str) -> Request:
    make: Callable[..., Request] = getattr(requests, kind.lower())
    parties = [holding.holder.address, holding.token.address, amount]
    if kind != "Deposit":
        parties.append(holding.receiver.address)
    return make(holding.world, *parties, LONGEST_NONCE)


@pytest.mark.parametrize("struct", [DEPOSIT, WITHDRAWAL, TRANSFER], ids=lambda struct: struct.name)
def test_digests_off_the_chain_are_those_on_it(holding: Holding, struct: Struct) -> None:
    request = _make(holding, struct.name, "12.50")
    assert request.fields == tuple(field for field, _ in struct.fields)
    assert struct.digest(Domain(CHAIN_ID, holding.settlement), values_of(request)) == request.digest
    assert holding.world.settlement.read(f"hash{struct.name}", request.values) == request.digest


def test_a_relayed_deposit_in_words(holding: Holding) -> None:
    token, holder, _ = holding.addresses
    request = _make(holding, "Deposit", "1.123456789012345678")
    call = custody.deposit_for(holding.settlement, values_of(request), request.signed_by(holding.holder))
    amount = 1_123_456_789_012_345_678
    assert holding.told(holding.carry_out(holding.world.evm.wallet(), call)) == [
        VaultEvent(VaultEventKind.DEPOSITED, token, holder, None, amount, None),
        VaultEvent(VaultEventKind.DEPOSIT_RELAYED, token, holder, None, amount, request.digest),
    ]


def test_the_first_mint_and_the_first_deposit_of_a_token_cost_the_most(holding: Holding) -> None:
    """Nothing that they write was there before, and the allowance is counted down."""
    world, first = holding.world, holding.world.holder()
    for market in ("minted", "deposited"):
        world.deploy(market_id(market), world.terms())
    minted, deposited = (
        world.evm.at(world.factory.read("tokenOf", market_id(market)), "RwaToken")
        for market in ("minted", "deposited")
    )
    mint = custody.mint_to_vault(Address(minted.address), Address(first.address), UNIT, fresh_reference())
    holding.carry_out(world.operator, mint)
    world.mint(deposited, first, 10 * UNIT)
    deposited.send(first, "approve", world.settlement.address, 5 * UNIT)
    amount = "1.123456789012345678"
    request = requests.deposit(world, first.address, deposited.address, amount, LONGEST_NONCE)
    call = custody.deposit_for(holding.settlement, values_of(request), request.signed_by(first))
    holding.carry_out(world.operator, call)


def test_a_deposit_with_a_permit_in_words(holding: Holding) -> None:
    world, payer = holding.world, holding.world.evm.wallet()
    world.dollar.send(world.admin, "mint", payer.address, 10**26)
    signed = sign_permit(world.dollar, payer, world.settlement.address, MAX, world.evm.now() + HOUR)
    request = requests.deposit(
        world, payer.address, world.dollar.address, "99999999999999999999.000000000000000000", LONGEST_NONCE
    )
    call = custody.deposit_with_permit(
        holding.settlement,
        values_of(request),
        request.signed_by(payer),
        Permit(signed.value, signed.deadline, signed.v, signed.r, signed.s),
    )
    [deposited, relayed] = holding.told(holding.carry_out(world.operator, call))
    assert (deposited.amount, relayed.reference) == (10**26 - 10**6, request.digest)


def test_a_withdrawal_in_words(holding: Holding) -> None:
    token, holder, receiver = holding.addresses
    request, reference = _make(holding, "Withdrawal", "1.123456789012345678"), fresh_reference()
    call = custody.withdraw(
        holding.settlement, values_of(request), request.signed_by(holding.holder), reference
    )
    assert holding.told(holding.carry_out(holding.world.operator, call)) == [
        VaultEvent(VaultEventKind.WITHDRAWN, token, holder, receiver, 1_123_456_789_012_345_678, reference)
    ]


def test_a_transfer_in_words(holding: Holding) -> None:
    token, holder, receiver = holding.addresses
    request, reference = _make(holding, "Transfer", "1.123456789012345678"), fresh_reference()
    call = custody.transfer(
        holding.settlement, values_of(request), request.signed_by(holding.holder), reference
    )
    assert holding.told(holding.carry_out(holding.world.operator, call)) == [
        VaultEvent(VaultEventKind.TRANSFERRED, token, holder, receiver, 1_123_456_789_012_345_678, reference)
    ]


def test_a_mint_and_a_burn_in_words(holding: Holding) -> None:
    token, _, receiver = holding.addresses
    reference, world = fresh_reference(), holding.world
    minted = holding.carry_out(world.operator, custody.mint_to_vault(token, receiver, 5 * UNIT, reference))
    assert holding.told(minted) == [
        VaultEvent(VaultEventKind.MINT_CREDITED, token, receiver, None, 5 * UNIT, reference)
    ]
    reference = fresh_reference()
    world.freeze(holding.receiver)
    holding.carry_out(world.enforcer, custody.set_frozen_tokens(token, receiver, 4 * UNIT))
    burned = holding.carry_out(world.enforcer, custody.burn_from_vault(token, receiver, 3 * UNIT, reference))
    assert holding.told(burned) == [
        VaultEvent(VaultEventKind.BURN_DEBITED, token, receiver, None, 3 * UNIT, reference)
    ]
    assert holding.token.read("getFrozenTokens", receiver) == 2 * UNIT


def test_force_and_recovery_come_back_as_values(holding: Holding) -> None:
    token, holder, receiver = holding.addresses
    world, reference = holding.world, fresh_reference()
    moved = world.settlement.send(world.enforcer, "forcedMove", token, holder, receiver, 40 * UNIT, reference)
    assert holding.told(moved) == [
        VaultEvent(VaultEventKind.FORCED_MOVE, token, holder, receiver, 40 * UNIT, reference)
    ]
    recovered = holding.token.send(world.enforcer, "recover", holder, receiver)
    assert holding.told(recovered) == [
        VaultEvent(VaultEventKind.BALANCE_RECOVERED, token, holder, receiver, 60 * UNIT, None)
    ]


def test_a_wallet_of_many_owners_has_gas_enough(holding: Holding) -> None:
    """Its signature is that of each owner, one after another; the test wallet reads only the first."""
    world, owner = holding.world, holding.world.evm.wallet()
    safe = world.evm.deploy(owner, "ContractWallet", owner.address)
    safe.send(owner, "answerWith", 1)
    world.verify(Wallet(safe.address, b""))
    holding.token.send(world.operator, "mintToVault", safe.address, UNIT, fresh_reference())
    request = requests.withdrawal(
        world, safe.address, holding.token.address, "1", holding.receiver.address, LONGEST_NONCE
    )
    signature = request.signed_by(owner) * OWNERS
    call = custody.withdraw(holding.settlement, values_of(request), signature, fresh_reference())
    holding.carry_out(world.operator, call)


@pytest.mark.parametrize("number", [1, MAX_UPDATES])
def test_identities_in_words(holding: Holding, number: int) -> None:
    registry = Address(holding.world.registry.address)
    accounts = [Address(f"0x{place:040x}") for place in range(1, number + 1)]
    updates = [IdentityUpdate(account, True, "LU", 2, None) for account in accounts]
    updates[0] = IdentityUpdate(accounts[0], True, "DE", 1, 1_900_000_000)
    receipt = holding.carry_out(holding.world.agent, custody.set_identities(registry, updates))
    assert len(receipt.named("IdentitySet")) == number
    holding.carry_out(holding.world.agent, custody.set_frozen(registry, accounts, True))
    shown = holding.world.registry.read("identityOf", accounts[0])
    assert shown == (True, b"DE", 1, 1_900_000_000, True)
    holding.carry_out(holding.world.agent, custody.set_frozen(registry, accounts, False))
    last = holding.world.registry.read("identityOf", accounts[-1])
    assert last[4] is False and (number == 1 or last[3] == 2**64 - 1)


def test_pausing_in_words(holding: Holding) -> None:
    token = Address(holding.token.address)
    holding.carry_out(holding.world.pauser, custody.pause_token(token))
    assert holding.token.read("paused") is True
    holding.carry_out(holding.world.pauser, custody.unpause_token(token))
    assert holding.token.read("paused") is False


def test_listing_in_words(holding: Holding) -> None:
    world = holding.world
    other = world.evm.deploy(world.deployer, "TestDollar", world.admin.address)
    holding.carry_out(world.lister, custody.list_token(holding.settlement, Address(other.address)))
    assert world.settlement.read("decimalsOf", other.address) == 6


def test_a_desk_of_dollars_has_the_same_words(world: World) -> None:
    """Money is judged by the registry's freezes, which costs other gas than a token's rules."""
    desk = open_desk(world)
    holding = Holding(world, desk.token, desk.trader, desk.other)
    for kind, word in (("Withdrawal", custody.withdraw), ("Transfer", custody.transfer)):
        request = _make(holding, kind, "1.500000000000000000")
        call = word(holding.settlement, values_of(request), request.signed_by(desk.trader), fresh_reference())
        [event] = holding.told(holding.carry_out(world.operator, call))
        assert event.amount == 1_500_000
    desk.assert_exact()
