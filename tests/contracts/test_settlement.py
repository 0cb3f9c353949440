"""The vault: what it accepts, what it books, and for whom."""

from __future__ import annotations

import pytest

from .evm import CHAIN_ID, Contract, Refusal, Wallet, role
from .world import ISSUED, NOBODY, PAYMENT, World, fresh_reference


def _fund(world: World, wallet: Wallet, amount: int) -> None:
    world.dollar.send(world.admin, "mint", wallet.address, amount)


def _fee_token(world: World, holder: Wallet, fee_bps: int) -> Contract:
    token = world.evm.deploy(world.deployer, "FeeOnTransferToken", fee_bps, holder.address, 1_000)
    world.settlement.send(world.lister, "listToken", token.address, PAYMENT)
    return token


def _reentrant_token(world: World, holder: Wallet) -> Contract:
    return world.evm.deploy(world.deployer, "ReentrantToken", world.settlement.address, holder.address, 1_000)


def test_a_deposit_is_booked_for_its_sender(world: World) -> None:
    payer = world.evm.wallet()
    _fund(world, payer, 1_000)
    receipt = world.deposit(world.dollar, payer, 400)
    assert receipt.named("Deposited") == [(world.dollar.address, payer.address, 400)]
    assert world.vaulted(payer, world.dollar) == 400
    world.assert_vault_covers(world.dollar, payer)


def test_deposits_add_up_over_accounts(world: World) -> None:
    payers = [world.evm.wallet() for _ in range(2)]
    for payer in payers:
        _fund(world, payer, 100)
        world.deposit(world.dollar, payer, 30)
        world.deposit(world.dollar, payer, 20)
    assert world.settlement.read("totalOf", world.dollar.address) == 100
    world.assert_vault_covers(world.dollar, *payers)


def test_a_deposit_books_what_arrives(world: World) -> None:
    payer = world.evm.wallet()
    token = _fee_token(world, payer, fee_bps=250)
    receipt = world.deposit(token, payer, 1_000)
    assert receipt.named("Deposited") == [(token.address, payer.address, 975)]
    assert world.vaulted(payer, token) == 975
    world.assert_vault_covers(token, payer)


def test_a_deposit_that_brings_nothing_is_refused(world: World) -> None:
    payer = world.evm.wallet()
    token = _fee_token(world, payer, fee_bps=10_000)
    token.send(payer, "approve", world.settlement.address, 1_000)
    refusal = Refusal("NothingReceived", (token.address,))
    assert world.settlement.refusal(payer, "deposit", token.address, 1_000) == refusal
    assert world.settlement.refusal(payer, "deposit", token.address, 0) == refusal


def test_an_issued_token_is_deposited_under_its_rules(world: World) -> None:
    token, holder = world.token(), world.holder()
    world.mint(token, holder, 100)
    world.deposit(token, holder, 60)
    assert world.vaulted(holder, token) == 60
    world.freeze(holder)
    token.send(holder, "approve", world.settlement.address, 40)
    assert world.settlement.refusal(holder, "deposit", token.address, 40) == Refusal(
        "ERC7943CannotSend", (holder.address,)
    )
    world.assert_vault_covers(token, holder)


def test_unlisted_tokens_are_refused(world: World) -> None:
    payer = world.evm.wallet()
    other = world.evm.deploy(world.deployer, "TestDollar", world.admin.address)
    assert world.settlement.refusal(payer, "deposit", other.address, 1) == Refusal(
        "TokenNotListed", (other.address,)
    )


def test_a_mint_into_the_vault_is_booked_for_its_account(world: World) -> None:
    token, holder = world.token(), world.holder()
    reference = fresh_reference()
    receipt = token.send(world.operator, "mintToVault", holder.address, 70, reference)
    assert receipt.named("MintCredited") == [(reference, token.address, holder.address, 70)]
    assert receipt.named("Transfer") == [(NOBODY, world.settlement.address, 70)]
    assert (world.vaulted(holder, token), token.read("balanceOf", holder.address)) == (70, 0)
    world.assert_vault_covers(token, holder)


def test_only_issued_tokens_credit_and_recover(world: World) -> None:
    stranger = world.evm.wallet()
    refusal = Refusal("TokenNotIssued", (stranger.address,))
    assert world.settlement.refusal(stranger, "creditMint", stranger.address, 1, bytes(32)) == refusal
    assert (
        world.settlement.refusal(stranger, "recoverBalance", world.issuer.address, stranger.address)
        == refusal
    )
    assert world.settlement.refusal(stranger, "debitBurn", stranger.address, 1, bytes(32)) == refusal
    assert world.settlement.refusal(world.lister, "creditMint", stranger.address, 1, bytes(32)) == Refusal(
        "TokenNotIssued", (world.lister.address,)
    )


def test_an_unlisted_or_payment_token_cannot_credit(world: World) -> None:
    holder = world.evm.wallet()
    token = _reentrant_token(world, holder)
    refusal = Refusal("TokenNotIssued", (token.address,))
    assert token.refusal(holder, "creditFromNothing", holder.address, 1) == refusal
    world.settlement.send(world.lister, "listToken", token.address, PAYMENT)
    assert token.refusal(holder, "creditFromNothing", holder.address, 1) == refusal


def test_a_credit_without_a_mint_is_refused(world: World) -> None:
    holder = world.evm.wallet()
    token = _reentrant_token(world, holder)
    world.settlement.send(world.lister, "listToken", token.address, ISSUED)
    assert token.refusal(holder, "creditFromNothing", holder.address, 1) == Refusal(
        "VaultNotCovered", (token.address, 1, 0)
    )


def test_a_burn_of_more_than_was_said_is_refused(world: World) -> None:
    holder = world.evm.wallet()
    token = _reentrant_token(world, holder)
    world.settlement.send(world.lister, "listToken", token.address, ISSUED)
    token.send(holder, "transfer", world.settlement.address, 10)
    assert world.vaulted(holder, token) == 10
    assert token.refusal(holder, "burnMoreThanSaid", holder.address, 4) == Refusal(
        "VaultNotCovered", (token.address, 6, 5)
    )
    assert token.refusal(holder, "burnMoreThanSaid", world.issuer.address, 4) == Refusal(
        "InsufficientVaultBalance", (world.issuer.address, token.address, 0, 4)
    )


def test_a_token_cannot_credit_itself_in_the_middle_of_a_deposit(world: World) -> None:
    holder = world.evm.wallet()
    token = _reentrant_token(world, holder)
    world.settlement.send(world.lister, "listToken", token.address, ISSUED)
    token.send(holder, "approve", world.settlement.address, 1)
    assert world.settlement.refusal(holder, "deposit", token.address, 1) == Refusal(
        "ReentrancyGuardReentrantCall"
    )


def test_listing_has_its_limits(world: World) -> None:
    token, empty = world.token(), world.evm.wallet().address

    def refusal(address: str, listing: int) -> Refusal:
        return world.settlement.refusal(world.lister, "listToken", address, listing)

    assert refusal(world.dollar.address, PAYMENT) == Refusal("TokenAlreadyListed", (world.dollar.address,))
    assert refusal(token.address, PAYMENT) == Refusal("TokenAlreadyListed", (token.address,))
    assert refusal(empty, PAYMENT) == Refusal("TokenHasNoCode", (empty,))
    assert refusal(world.registry.address, 0) == Refusal("ListingRequired")


def test_a_token_of_another_vault_is_not_listed_as_issued(world: World) -> None:
    other = world.evm.deploy(world.deployer, "ReentrantToken", world.admin.address, world.issuer.address, 1)
    assert world.settlement.refusal(world.lister, "listToken", other.address, ISSUED) == Refusal(
        "TokenOfAnotherVault", (other.address,)
    )


def test_only_a_lister_lists(world: World) -> None:
    other = world.evm.deploy(world.deployer, "TestDollar", world.admin.address)
    assert world.settlement.refusal(world.admin, "listToken", other.address, PAYMENT) == Refusal(
        "AccessControlUnauthorizedAccount", (world.admin.address, role("LISTER_ROLE"))
    )


def test_listings_are_readable(world: World) -> None:
    token = world.token()
    listings = [
        world.settlement.read("listingOf", address)
        for address in (world.registry.address, world.dollar.address, token.address)
    ]
    assert listings == [0, PAYMENT, ISSUED]


def test_the_decimals_of_a_token_are_read_once_at_its_listing(world: World) -> None:
    token = world.token()
    read = [world.settlement.read("decimalsOf", address) for address in (world.dollar.address, token.address)]
    assert read == [6, 18]
    assert world.settlement.read("decimalsOf", world.registry.address) == 0
    with pytest.raises(AssertionError, match="reverted"):
        world.settlement.send(world.lister, "listToken", world.registry.address, PAYMENT)


def test_wallets_learn_the_signing_domain(world: World) -> None:
    assert world.settlement.read("eip712Domain") == (
        b"\x0f",
        "Deedbook",
        "1",
        CHAIN_ID,
        world.settlement.address,
        bytes(32),
        (),
    )
