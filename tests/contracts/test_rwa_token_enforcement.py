"""What the enforcer can do to a holder's tokens, in the wallet and in the vault."""

from __future__ import annotations

from .evm import Refusal, role
from .world import NOBODY, World, fresh_reference


def test_freezing_sets_and_never_adds(world: World) -> None:
    token, holder = world.token(), world.holder()
    token.send(world.enforcer, "setFrozenTokens", holder.address, 70)
    receipt = token.send(world.enforcer, "setFrozenTokens", holder.address, 20)
    assert receipt.named("Frozen") == [(holder.address, 20)]
    assert token.read("getFrozenTokens", holder.address) == 20


def test_force_moves_frozen_tokens_of_frozen_accounts_while_paused(world: World) -> None:
    token, debtor, creditor = world.token(), world.holder(), world.holder()
    world.mint(token, debtor, 100)
    token.send(world.enforcer, "setFrozenTokens", debtor.address, 80)
    world.freeze(debtor)
    world.revoke(debtor)
    token.send(world.pauser, "pause")
    receipt = token.send(world.enforcer, "forcedTransfer", debtor.address, creditor.address, 50)
    assert [event.name for event in receipt.events] == ["Frozen", "Transfer", "ForcedTransfer"]
    assert receipt.named("Frozen") == [(debtor.address, 50)]
    assert receipt.named("ForcedTransfer") == [(debtor.address, creditor.address, 50)]
    assert token.read("balanceOf", debtor.address) == 50
    assert token.read("balanceOf", creditor.address) == 50


def test_force_takes_unfrozen_tokens_first(world: World) -> None:
    token, debtor, creditor = world.token(), world.holder(), world.holder()
    world.mint(token, debtor, 100)
    token.send(world.enforcer, "setFrozenTokens", debtor.address, 80)
    receipt = token.send(world.enforcer, "forcedTransfer", debtor.address, creditor.address, 20)
    assert receipt.named("Frozen") == []
    assert token.read("getFrozenTokens", debtor.address) == 80


def test_what_was_frozen_beyond_the_balance_stays_frozen(world: World) -> None:
    token, debtor, creditor = world.token(), world.holder(), world.holder()
    world.mint(token, debtor, 100)
    token.send(world.enforcer, "setFrozenTokens", debtor.address, 250)
    token.send(world.enforcer, "forcedTransfer", debtor.address, creditor.address, 100)
    assert token.read("getFrozenTokens", debtor.address) == 150
    world.mint(token, debtor, 100)
    assert token.read("detectTransferRestriction", debtor.address, creditor.address, 1) == 4


def test_force_cannot_thaw_by_moving_to_the_same_account(world: World) -> None:
    token, holder = world.token(), world.holder()
    world.mint(token, holder, 100)
    token.send(world.enforcer, "setFrozenTokens", holder.address, 250)
    refusal = token.refusal(world.enforcer, "forcedTransfer", holder.address, holder.address, 50)
    assert refusal == Refusal("SameAccount", (holder.address,))
    assert token.read("getFrozenTokens", holder.address) == 250


def test_force_has_its_limits(world: World) -> None:
    token, holder, other, stranger = world.token(), world.holder(), world.holder(), world.evm.wallet()
    vault = world.settlement.address
    world.mint(token, holder, 100)
    world.mint_to_vault(token, holder, 100)

    def refusal(source: str, target: str, amount: int = 1) -> Refusal:
        return token.refusal(world.enforcer, "forcedTransfer", source, target, amount)

    assert refusal(holder.address, stranger.address) == Refusal("ERC7943CannotReceive", (stranger.address,))
    assert refusal(holder.address, NOBODY) == Refusal("ERC7943CannotReceive", (NOBODY,))
    assert refusal(NOBODY, holder.address) == Refusal("ERC20InvalidSender", (NOBODY,))
    assert refusal(vault, holder.address) == Refusal("VaultIsNoHolder")
    assert refusal(holder.address, vault) == Refusal("VaultIsNoHolder")
    assert refusal(holder.address, other.address, 101) == Refusal(
        "ERC20InsufficientBalance", (holder.address, 100, 101)
    )


def test_only_the_enforcer_enforces(world: World) -> None:
    token, refused = world.token(), (world.operator.address, role("ENFORCER_ROLE"))
    refusal = Refusal("AccessControlUnauthorizedAccount", refused)
    one, two = world.issuer.address, world.admin.address
    assert token.refusal(world.operator, "setFrozenTokens", one, 1) == refusal
    assert token.refusal(world.operator, "forcedTransfer", one, two, 1) == refusal
    assert token.refusal(world.operator, "recover", one, two) == refusal


def test_only_the_pauser_pauses(world: World) -> None:
    refusal = Refusal("AccessControlUnauthorizedAccount", (world.enforcer.address, role("PAUSER_ROLE")))
    token = world.token()
    assert token.refusal(world.enforcer, "pause") == refusal
    assert token.refusal(world.enforcer, "unpause") == refusal


def test_the_vaults_own_balance_is_never_frozen(world: World) -> None:
    refusal = world.token().refusal(world.enforcer, "setFrozenTokens", world.settlement.address, 1)
    assert refusal == Refusal("VaultIsNoHolder")


def test_recovery_moves_wallet_vault_and_frozen_part(world: World) -> None:
    token, lost, found = world.token(), world.holder(), world.holder()
    world.mint(token, lost, 100)
    world.mint_to_vault(token, lost, 60)
    token.send(world.enforcer, "setFrozenTokens", lost.address, 130)
    token.send(world.enforcer, "setFrozenTokens", found.address, 5)
    world.freeze(lost)
    token.send(world.pauser, "pause")
    receipt = token.send(world.enforcer, "recover", lost.address, found.address)
    assert receipt.named("Recovered") == [(lost.address, found.address, 100, 60)]
    assert receipt.named("BalanceRecovered") == [(token.address, lost.address, found.address, 60)]
    assert receipt.named("Frozen") == [(lost.address, 0), (found.address, 135)]
    assert token.read("balanceOf", found.address) == 100
    assert (world.vaulted(lost, token), world.vaulted(found, token)) == (0, 60)
    world.assert_vault_covers(token, lost, found)


def test_recovery_survives_freezes_of_everything(world: World) -> None:
    token, lost, found = world.token(), world.holder(), world.holder()
    for wallet in (lost, found):
        token.send(world.enforcer, "setFrozenTokens", wallet.address, 2**256 - 1)
    token.send(world.enforcer, "recover", lost.address, found.address)
    assert token.read("getFrozenTokens", found.address) == 2**256 - 1


def test_recovering_twice_moves_nothing_more(world: World) -> None:
    token, lost, found = world.token(), world.holder(), world.holder()
    world.mint(token, lost, 100)
    token.send(world.enforcer, "recover", lost.address, found.address)
    receipt = token.send(world.enforcer, "recover", lost.address, found.address)
    assert receipt.named("Recovered") == [(lost.address, found.address, 0, 0)]
    assert token.read("balanceOf", found.address) == 100


def test_recovery_has_its_limits(world: World) -> None:
    token, lost, stranger = world.token(), world.holder(), world.evm.wallet()
    vault = world.settlement.address

    def refusal(source: str, target: str) -> Refusal:
        return token.refusal(world.enforcer, "recover", source, target)

    assert refusal(lost.address, stranger.address) == Refusal("ERC7943CannotReceive", (stranger.address,))
    assert refusal(lost.address, lost.address) == Refusal("SameAccount", (lost.address,))
    assert refusal(lost.address, vault) == Refusal("VaultIsNoHolder")
    assert refusal(vault, lost.address) == Refusal("VaultIsNoHolder")
    assert refusal(NOBODY, lost.address) == Refusal("ERC20InvalidSender", (NOBODY,))


def test_a_forced_vault_move_asks_neither_pause_nor_freeze(world: World) -> None:
    token, debtor, creditor = world.token(), world.holder(), world.holder()
    world.mint_to_vault(token, debtor, 60)
    world.freeze(debtor)
    token.send(world.pauser, "pause")
    reference = fresh_reference()
    move = ("forcedMove", token.address, debtor.address, creditor.address, 40, reference)
    receipt = world.settlement.send(world.enforcer, *move)
    assert receipt.named("ForcedMove") == [(reference, token.address, debtor.address, creditor.address, 40)]
    assert (world.vaulted(debtor, token), world.vaulted(creditor, token)) == (20, 40)
    world.assert_vault_covers(token, debtor, creditor)
    assert world.settlement.refusal(world.enforcer, *move) == Refusal("ReferenceAlreadyUsed", (reference,))


def test_a_forced_vault_move_unfreezes_what_it_takes(world: World) -> None:
    token, debtor, creditor = world.token(), world.holder(), world.holder()
    world.mint(token, debtor, 10)
    world.mint_to_vault(token, debtor, 90)
    token.send(world.enforcer, "setFrozenTokens", debtor.address, 50)

    def force(amount: int) -> list[tuple[object, ...]]:
        move = ("forcedMove", token.address, debtor.address, creditor.address, amount, fresh_reference())
        return world.settlement.send(world.enforcer, *move).named("Frozen")

    assert force(50) == []
    assert force(15) == [(debtor.address, 35)]
    assert token.read("detectTransferRestriction", debtor.address, creditor.address, 1) == 4
    assert token.read("detectVaultRestriction", debtor.address, creditor.address, 1) == 4
    assert force(25) == [(debtor.address, 10)]
    world.assert_vault_covers(token, debtor, creditor)


def test_a_forced_vault_move_leaves_what_is_frozen_beyond_the_position(world: World) -> None:
    token, debtor, creditor = world.token(), world.holder(), world.holder()
    world.mint(token, debtor, 10)
    world.mint_to_vault(token, debtor, 90)
    token.send(world.enforcer, "setFrozenTokens", debtor.address, 500)
    move = ("forcedMove", token.address, debtor.address, creditor.address, 90, fresh_reference())
    assert world.settlement.send(world.enforcer, *move).named("Frozen") == [(debtor.address, 410)]


def test_a_forced_vault_move_has_its_limits(world: World) -> None:
    token, debtor, stranger = world.token(), world.holder(), world.evm.wallet()
    world.mint_to_vault(token, debtor, 60)
    vault, reference = world.settlement, fresh_reference()

    def refusal(target: str, amount: int, token_address: str = token.address) -> Refusal:
        return vault.refusal(
            world.enforcer, "forcedMove", token_address, debtor.address, target, amount, reference
        )

    assert refusal(stranger.address, 1) == Refusal("ERC7943CannotReceive", (stranger.address,))
    assert refusal(debtor.address, 1) == Refusal("SameAccount", (debtor.address,))
    assert refusal(vault.address, 1) == Refusal("VaultIsNoHolder")
    assert refusal(world.issuer.address, 61) == Refusal(
        "InsufficientVaultBalance", (debtor.address, token.address, 60, 61)
    )
    assert refusal(world.issuer.address, 1, world.dollar.address) == Refusal(
        "TokenNotIssued", (world.dollar.address,)
    )
    forced = ("forcedMove", token.address, debtor.address, world.issuer.address, 1, reference)
    assert vault.refusal(world.admin, *forced) == Refusal(
        "AccessControlUnauthorizedAccount", (world.admin.address, role("ENFORCER_ROLE"))
    )


def test_only_the_vault_announces_forced_moves(world: World) -> None:
    token = world.token()
    move = ("beforeForcedVaultMove", world.issuer.address, world.admin.address, 1)
    assert token.refusal(world.enforcer, *move) == Refusal("OnlyVault", (world.enforcer.address,))
