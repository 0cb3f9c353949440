"""Who may hold, as the compliance agent writes it."""

from __future__ import annotations

from .evm import Refusal, role
from .world import NOBODY, YEAR, World


def test_an_unknown_account_is_neither_verified_nor_frozen(world: World) -> None:
    stranger = world.evm.wallet()
    assert world.registry.read("isVerified", stranger.address) is False
    assert world.registry.read("isFrozen", stranger.address) is False


def test_the_agent_writes_an_identity_and_anyone_reads_it(world: World) -> None:
    holder, expiry = world.evm.wallet(), world.evm.now() + YEAR
    receipt = world.registry.send(world.agent, "setIdentity", (holder.address, True, b"DE", 3, expiry))
    assert receipt.named("IdentitySet") == [(holder.address, True, b"DE", 3, expiry)]
    assert world.registry.read("identityOf", holder.address) == (True, b"DE", 3, expiry, False)
    assert world.registry.read("isVerified", holder.address) is True


def test_a_batch_writes_every_identity(world: World) -> None:
    wallets = [world.evm.wallet() for _ in range(3)]
    world.verify(*wallets)
    assert all(world.registry.read("isVerified", wallet.address) for wallet in wallets)


def test_writing_the_same_identity_twice_is_harmless(world: World) -> None:
    holder = world.evm.wallet()
    for _ in range(2):
        world.registry.send(world.agent, "setIdentity", (holder.address, True, b"LU", 1, 2**64 - 1))
    assert world.registry.read("isVerified", holder.address) is True


def test_an_identity_ends_at_its_expiry(world: World) -> None:
    holder, expiry = world.evm.wallet(), world.evm.now() + 1_000
    world.verify(holder, expiry=expiry)
    world.evm.travel(expiry - 1)
    assert world.registry.read("isVerified", holder.address) is True
    world.evm.travel(expiry)
    assert world.registry.read("isVerified", holder.address) is False


def test_a_renewed_kyc_does_not_thaw_the_account(world: World) -> None:
    holder = world.holder()
    world.freeze(holder)
    world.verify(holder)
    assert world.registry.read("isFrozen", holder.address) is True


def test_accounts_are_frozen_and_thawed_in_a_batch(world: World) -> None:
    wallets = [world.evm.wallet() for _ in range(2)]
    addresses = [wallet.address for wallet in wallets]
    receipt = world.registry.send(world.agent, "setFrozenBatch", addresses, True)
    assert receipt.named("AccountFrozen") == [(address, True) for address in addresses]
    world.registry.send(world.agent, "setFrozenBatch", addresses[:1], False)
    assert [world.registry.read("isFrozen", address) for address in addresses] == [False, True]


def test_only_the_agent_writes(world: World) -> None:
    refusal = Refusal("AccessControlUnauthorizedAccount", (world.admin.address, role("AGENT_ROLE")))
    update = (world.admin.address, True, b"LU", 1, 2**64 - 1)
    assert world.registry.refusal(world.admin, "setIdentity", update) == refusal
    assert world.registry.refusal(world.admin, "setIdentities", [update]) == refusal
    assert world.registry.refusal(world.admin, "setFrozen", world.agent.address, True) == refusal
    assert world.registry.refusal(world.admin, "setFrozenBatch", [], True) == refusal


def test_the_zero_address_is_never_verified(world: World) -> None:
    update = (NOBODY, True, b"LU", 1, 2**64 - 1)
    assert world.registry.refusal(world.agent, "setIdentity", update) == Refusal("ZeroAddress")
