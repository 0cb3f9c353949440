"""Mint, burn, cap, and the papers behind a token."""

from __future__ import annotations

import pytest

from .evm import Refusal, Wallet, keccak, role
from .world import NOBODY, UNIT, World, fresh_reference


@pytest.mark.parametrize("mint", ["mint", "mintToVault"])
def test_a_reference_mints_once(world: World, mint: str) -> None:
    token, holder, reference = world.token(), world.holder(), fresh_reference()
    token.send(world.operator, mint, holder.address, UNIT, reference)
    refusal = Refusal("ReferenceAlreadyUsed", (reference,))
    assert token.refusal(world.operator, mint, holder.address, UNIT, reference) == refusal
    assert token.refusal(world.operator, "mint", holder.address, 2 * UNIT, reference) == refusal
    assert token.read("usedReference", reference) is True
    assert token.read("totalSupply") == UNIT


def test_a_mint_is_announced_with_its_reference(world: World) -> None:
    token, holder, reference = world.token(), world.holder(), fresh_reference()
    receipt = token.send(world.operator, "mint", holder.address, UNIT, reference)
    assert receipt.named("Minted") == [(reference, holder.address, UNIT, False)]
    assert receipt.named("Transfer") == [(NOBODY, holder.address, UNIT)]


def test_the_cap_holds_to_the_last_unit(world: World) -> None:
    token, holder = world.token(cap=100), world.holder()
    world.mint(token, holder, 60)
    refusal = Refusal("CapExceeded", (100, 60, 41))
    assert token.refusal(world.operator, "mint", holder.address, 41, fresh_reference()) == refusal
    assert token.refusal(world.operator, "mintToVault", holder.address, 41, fresh_reference()) == refusal
    assert token.refusal(world.operator, "mint", holder.address, 2**256 - 1, fresh_reference()) == Refusal(
        "CapExceeded", (100, 60, 2**256 - 1)
    )
    world.mint(token, holder, 40)
    assert token.read("totalSupply") == 100


@pytest.mark.parametrize("mint", ["mint", "mintToVault"])
def test_only_those_who_may_hold_are_minted_to(world: World, mint: str) -> None:
    token, stranger, frozen = world.token(), world.evm.wallet(), world.holder()
    world.freeze(frozen)
    for wallet in (stranger, frozen):
        refusal = token.refusal(world.operator, mint, wallet.address, 1, fresh_reference())
        assert refusal == Refusal("ERC7943CannotReceive", (wallet.address,))


@pytest.mark.parametrize("mint", ["mint", "mintToVault"])
def test_the_vault_itself_is_never_minted_to(world: World, mint: str) -> None:
    refusal = world.token().refusal(world.operator, mint, world.settlement.address, 1, fresh_reference())
    assert refusal == Refusal("VaultIsNoHolder")


@pytest.mark.parametrize("mint", ["mint", "mintToVault"])
def test_nothing_is_minted_while_paused_or_of_nothing(world: World, mint: str) -> None:
    token, holder = world.token(), world.holder()
    assert token.refusal(world.operator, mint, holder.address, 0, fresh_reference()) == Refusal("ZeroAmount")
    token.send(world.pauser, "pause")
    assert token.refusal(world.operator, mint, holder.address, 1, fresh_reference()) == Refusal(
        "EnforcedPause"
    )


@pytest.mark.parametrize("mint", ["mint", "mintToVault"])
def test_only_the_minter_mints(world: World, mint: str) -> None:
    refusal = world.token().refusal(world.admin, mint, world.issuer.address, 1, fresh_reference())
    assert refusal == Refusal("AccessControlUnauthorizedAccount", (world.admin.address, role("MINTER_ROLE")))


def test_burning_makes_room_under_the_cap(world: World) -> None:
    token, holder, reference = world.token(cap=100), world.holder(), fresh_reference()
    world.mint(token, holder, 100)
    receipt = token.send(world.enforcer, "burn", holder.address, 30, reference)
    assert receipt.named("Burned") == [(reference, holder.address, 30, False)]
    world.mint(token, holder, 30)
    assert token.read("totalSupply") == 100


def test_a_reference_burns_once(world: World) -> None:
    token, holder, reference = world.token(), world.holder(), fresh_reference()
    world.mint(token, holder, 100)
    token.send(world.enforcer, "burn", holder.address, 30, reference)
    assert token.refusal(world.enforcer, "burn", holder.address, 30, reference) == Refusal(
        "ReferenceAlreadyUsed", (reference,)
    )


def test_burning_reaches_frozen_tokens_last(world: World) -> None:
    token, holder = world.token(), world.holder()
    world.mint(token, holder, 100)
    token.send(world.enforcer, "setFrozenTokens", holder.address, 60)
    token.send(world.enforcer, "burn", holder.address, 40, fresh_reference())
    assert token.read("getFrozenTokens", holder.address) == 60
    receipt = token.send(world.enforcer, "burn", holder.address, 50, fresh_reference())
    assert receipt.named("Frozen") == [(holder.address, 10)]
    assert token.read("balanceOf", holder.address) == 10


def test_burning_has_its_limits(world: World) -> None:
    token, holder = world.token(), world.holder()
    world.mint(token, holder, 100)
    reference = fresh_reference()
    assert token.refusal(world.enforcer, "burn", holder.address, 101, reference) == Refusal(
        "ERC20InsufficientBalance", (holder.address, 100, 101)
    )
    assert token.refusal(world.enforcer, "burn", holder.address, 0, reference) == Refusal("ZeroAmount")
    assert token.refusal(world.enforcer, "burn", world.settlement.address, 1, reference) == Refusal(
        "VaultIsNoHolder"
    )
    assert token.refusal(world.operator, "burn", holder.address, 1, reference) == Refusal(
        "AccessControlUnauthorizedAccount", (world.operator.address, role("ENFORCER_ROLE"))
    )


def test_burning_from_the_vault_takes_the_balance_and_the_supply(world: World) -> None:
    token, holder, other, reference = world.token(cap=100), world.holder(), world.holder(), fresh_reference()
    world.mint_to_vault(token, holder, 60)
    world.mint_to_vault(token, other, 40)
    receipt = token.send(world.enforcer, "burnFromVault", holder.address, 25, reference)
    assert receipt.named("BurnDebited") == [(reference, token.address, holder.address, 25)]
    assert receipt.named("Burned") == [(reference, holder.address, 25, True)]
    assert receipt.named("Transfer") == [(world.settlement.address, NOBODY, 25)]
    assert [world.vaulted(wallet, token) for wallet in (holder, other)] == [35, 40]
    assert token.read("totalSupply") == 75
    world.assert_vault_covers(token, holder, other)


@pytest.mark.parametrize("again", ["burn", "burnFromVault"])
def test_a_reference_burns_once_wherever_the_tokens_are(world: World, again: str) -> None:
    token, holder, reference = world.token(), world.holder(), fresh_reference()
    world.mint(token, holder, 100)
    world.mint_to_vault(token, holder, 100)
    token.send(world.enforcer, "burnFromVault", holder.address, 30, reference)
    assert token.refusal(world.enforcer, again, holder.address, 30, reference) == Refusal(
        "ReferenceAlreadyUsed", (reference,)
    )


def test_burning_from_the_vault_reaches_frozen_tokens_last_and_through_a_pause(world: World) -> None:
    token, holder = world.token(), world.holder()
    world.mint_to_vault(token, holder, 100)
    token.send(world.enforcer, "setFrozenTokens", holder.address, 60)
    world.freeze(holder)
    token.send(world.pauser, "pause")
    token.send(world.enforcer, "burnFromVault", holder.address, 40, fresh_reference())
    assert token.read("getFrozenTokens", holder.address) == 60
    receipt = token.send(world.enforcer, "burnFromVault", holder.address, 50, fresh_reference())
    assert receipt.named("Frozen") == [(holder.address, 10)]
    assert world.vaulted(holder, token) == 10
    world.assert_vault_covers(token, holder)


def test_burning_from_the_vault_has_its_limits(world: World) -> None:
    token, holder, other = world.token(), world.holder(), world.holder()
    world.mint(token, holder, 500)
    world.mint_to_vault(token, holder, 100)
    world.mint_to_vault(token, other, 500)

    def refusal(sender: Wallet, account: str, amount: int) -> Refusal:
        return token.refusal(sender, "burnFromVault", account, amount, fresh_reference())

    assert refusal(world.enforcer, holder.address, 101) == Refusal(
        "ERC20InsufficientBalance", (holder.address, 100, 101)
    )
    assert refusal(world.enforcer, holder.address, 0) == Refusal("ZeroAmount")
    assert refusal(world.enforcer, world.settlement.address, 1) == Refusal("VaultIsNoHolder")
    assert refusal(world.operator, holder.address, 1) == Refusal(
        "AccessControlUnauthorizedAccount", (world.operator.address, role("ENFORCER_ROLE"))
    )


def test_a_document_is_recorded_with_the_blocks_time(world: World) -> None:
    token, name = world.token(), b"prospectus".ljust(32, b"\0")
    uri, content = keccak(b"where"), keccak(b"what")
    receipt = token.send(world.operator, "setDocument", name, uri, content)
    assert receipt.named("DocumentSet") == [(name, uri, content, world.evm.now())]
    assert token.read("documentOf", name) == (uri, content, world.evm.now())


def test_a_document_is_replaced_by_its_next_version(world: World) -> None:
    token, name = world.token(), b"prospectus".ljust(32, b"\0")
    token.send(world.operator, "setDocument", name, keccak(b"uri"), keccak(b"first"))
    token.send(world.operator, "setDocument", name, keccak(b"uri"), keccak(b"second"))
    assert token.read("documentOf", name)[1] == keccak(b"second")


def test_only_the_issuer_role_records_documents(world: World) -> None:
    empty = bytes(32)
    assert world.token().refusal(world.enforcer, "setDocument", empty, empty, empty) == Refusal(
        "AccessControlUnauthorizedAccount", (world.enforcer.address, role("ISSUER_ROLE"))
    )
