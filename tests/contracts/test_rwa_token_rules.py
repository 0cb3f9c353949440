"""Every reason number the chain enforces, for both parties, on wallets and on vault balances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from .evm import Contract, Refusal, Wallet
from .world import UNIT, World

HELD = 100 * UNIT
VAULTED = 60 * UNIT


@dataclass(frozen=True)
class Market:
    world: World
    token: Contract
    seller: Wallet
    buyer: Wallet

    def detect(self, amount: int = UNIT) -> int:
        return int(
            self.token.read("detectTransferRestriction", self.seller.address, self.buyer.address, amount)
        )

    def detect_vault(self, amount: int = UNIT) -> int:
        return int(self.token.read("detectVaultRestriction", self.seller.address, self.buyer.address, amount))

    def permitted(self, amount: int = UNIT) -> bool:
        return bool(self.token.read("canTransfer", self.seller.address, self.buyer.address, amount))

    def refusal(self, amount: int = UNIT) -> Refusal:
        return self.token.refusal(self.seller, "transfer", self.buyer.address, amount)

    def freeze_part(self, amount: int) -> None:
        self.token.send(self.world.enforcer, "setFrozenTokens", self.seller.address, amount)


@pytest.fixture
def market(world: World) -> Market:
    token, seller, buyer = world.token(), world.evm.wallet(), world.evm.wallet()
    world.verify(seller, buyer)
    world.mint(token, seller, HELD)
    world.mint_to_vault(token, seller, VAULTED)
    return Market(world, token, seller, buyer)


def test_verified_parties_transfer(market: Market) -> None:
    assert (market.detect(), market.detect_vault(), market.permitted()) == (0, 0, True)
    market.token.send(market.seller, "transfer", market.buyer.address, UNIT)
    assert market.token.read("balanceOf", market.buyer.address) == UNIT


def _pause(market: Market) -> None:
    market.token.send(market.world.pauser, "pause")


def _freeze_seller(market: Market) -> None:
    market.world.freeze(market.seller)


def _freeze_buyer(market: Market) -> None:
    market.world.freeze(market.buyer)


def _revoke_seller(market: Market) -> None:
    market.world.revoke(market.seller)


def _revoke_buyer(market: Market) -> None:
    market.world.revoke(market.buyer)


def _expire_seller(market: Market) -> None:
    market.world.verify(market.seller, expiry=market.world.evm.now())


def _expire_buyer(market: Market) -> None:
    market.world.verify(market.buyer, expiry=market.world.evm.now())


@pytest.mark.parametrize(
    ("happen", "reason", "refusal", "refuses"),
    [
        (_pause, 1, "EnforcedPause", None),
        (_freeze_seller, 2, "ERC7943CannotSend", "seller"),
        (_freeze_buyer, 3, "ERC7943CannotReceive", "buyer"),
        (_revoke_seller, 10, "ERC7943CannotSend", "seller"),
        (_revoke_buyer, 10, "ERC7943CannotReceive", "buyer"),
        (_expire_seller, 11, "ERC7943CannotSend", "seller"),
        (_expire_buyer, 11, "ERC7943CannotReceive", "buyer"),
    ],
)
def test_each_rule_stops_wallet_and_vault(
    market: Market, happen: Callable[[Market], None], reason: int, refusal: str, refuses: str | None
) -> None:
    happen(market)
    assert (market.detect(), market.detect_vault(), market.permitted()) == (reason, reason, False)
    args = () if refuses is None else (getattr(market, refuses).address,)
    assert market.refusal() == Refusal(refusal, args)


def test_more_than_the_balance_is_reason_4_but_not_a_matter_of_permission(market: Market) -> None:
    assert market.detect(HELD) == 0
    assert market.detect(HELD + 1) == 4
    assert market.permitted(HELD + 1)
    assert market.refusal(HELD + 1) == Refusal(
        "ERC20InsufficientBalance", (market.seller.address, HELD, HELD + 1)
    )
    assert market.detect_vault(VAULTED) == 0
    assert market.detect_vault(VAULTED + 1) == 4


def test_the_frozen_part_lies_on_the_wallet_first(market: Market) -> None:
    market.freeze_part(30 * UNIT)
    assert (market.detect(70 * UNIT), market.permitted(70 * UNIT)) == (0, True)
    assert (market.detect(70 * UNIT + 1), market.permitted(70 * UNIT + 1)) == (4, False)
    assert market.refusal(70 * UNIT + 1) == Refusal(
        "ERC7943InsufficientUnfrozenBalance", (market.seller.address, 70 * UNIT + 1, 70 * UNIT)
    )
    assert market.detect_vault(VAULTED) == 0


def test_the_frozen_part_the_wallet_does_not_cover_binds_the_vault(market: Market) -> None:
    market.freeze_part(HELD + 20 * UNIT)
    assert (market.detect(0), market.detect(1)) == (0, 4)
    assert (market.detect_vault(40 * UNIT), market.detect_vault(40 * UNIT + 1)) == (0, 4)


def test_depositing_does_not_free_frozen_tokens(market: Market) -> None:
    market.freeze_part(30 * UNIT)
    market.world.deposit(market.token, market.seller, 70 * UNIT)
    free = market.world.vaulted(market.seller, market.token)
    assert free == VAULTED + 70 * UNIT
    assert (market.detect_vault(free), market.detect(1)) == (0, 4)
    market.freeze_part(30 * UNIT + 1)
    assert (market.detect_vault(free - 1), market.detect_vault(free)) == (0, 4)


def test_frozen_tokens_cannot_be_deposited(market: Market) -> None:
    market.freeze_part(HELD)
    market.token.send(market.seller, "approve", market.world.settlement.address, HELD)
    assert market.world.settlement.refusal(market.seller, "deposit", market.token.address, 1) == Refusal(
        "ERC7943InsufficientUnfrozenBalance", (market.seller.address, 1, 0)
    )


def test_more_may_be_frozen_than_is_held(market: Market) -> None:
    market.freeze_part(2**256 - 1)
    assert market.token.read("getFrozenTokens", market.seller.address) == 2**256 - 1
    assert (market.detect(1), market.detect_vault(1)) == (4, 4)


def test_checks_come_in_one_order(market: Market) -> None:
    market.world.revoke(market.buyer)
    assert market.detect(HELD + 1) == 4
    market.world.freeze(market.buyer)
    assert market.detect(HELD + 1) == 3
    market.world.freeze(market.seller)
    assert market.detect(HELD + 1) == 2
    market.token.send(market.world.pauser, "pause")
    assert market.detect(HELD + 1) == 1


def test_the_senders_kyc_is_named_before_the_receivers(market: Market) -> None:
    _expire_seller(market)
    _revoke_buyer(market)
    assert market.detect() == 11


def test_kyc_runs_out_by_itself(market: Market) -> None:
    expiry = market.world.evm.now() + 500
    market.world.verify(market.buyer, expiry=expiry)
    assert market.detect() == 0
    market.world.evm.travel(expiry)
    assert (market.detect(), market.detect_vault()) == (11, 11)


def test_transfer_from_checks_both_parties(market: Market) -> None:
    spender = market.world.evm.wallet()
    market.token.send(market.seller, "approve", spender.address, UNIT)
    move = ("transferFrom", market.seller.address, market.buyer.address, UNIT)
    market.world.freeze(market.buyer)
    assert market.token.refusal(spender, *move) == Refusal("ERC7943CannotReceive", (market.buyer.address,))
    market.world.freeze(market.buyer, False)
    market.token.send(spender, *move)
    assert market.token.read("balanceOf", market.buyer.address) == UNIT


def test_a_pause_ends(market: Market) -> None:
    market.token.send(market.world.pauser, "pause")
    market.token.send(market.world.pauser, "unpause")
    assert market.detect() == 0


def test_into_the_vault_only_the_sender_is_checked(market: Market) -> None:
    vault = market.world.settlement.address
    assert market.token.read("detectTransferRestriction", market.seller.address, vault, UNIT) == 0
    market.world.revoke(market.seller)
    assert market.token.read("detectTransferRestriction", market.seller.address, vault, UNIT) == 10


def test_out_of_the_vault_only_the_receiver_is_checked(market: Market) -> None:
    vault = market.world.settlement.address
    payout = market.token.calldata("transfer", market.buyer.address, UNIT)
    market.world.evm.send_as(vault, payout, market.token.address)
    assert market.token.read("balanceOf", market.buyer.address) == UNIT
    market.world.revoke(market.buyer)
    assert market.token.read("detectTransferRestriction", vault, market.buyer.address, UNIT) == 10


def test_freezing_the_vaults_address_in_the_registry_stops_nothing(market: Market) -> None:
    vault = market.world.settlement.address
    market.world.registry.send(market.world.agent, "setFrozen", vault, True)
    assert market.token.read("canSend", vault) is True
    assert market.token.read("canReceive", vault) is True
    market.world.deposit(market.token, market.seller, UNIT)


def test_tokens_cannot_be_lost_by_sending_them_to_the_vault(market: Market) -> None:
    vault = market.world.settlement.address
    assert market.token.refusal(market.seller, "transfer", vault, 1) == Refusal("DepositRequired")
    spender = market.world.evm.wallet()
    market.token.send(market.seller, "approve", spender.address, 1)
    move = ("transferFrom", market.seller.address, vault, 1)
    assert market.token.refusal(spender, *move) == Refusal("DepositRequired")


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (0, "allowed"),
        (1, "token paused"),
        (2, "sender frozen"),
        (3, "receiver frozen"),
        (4, "insufficient unfrozen balance"),
        (10, "KYC missing"),
        (11, "KYC expired"),
        (12, "not enforced on chain"),
    ],
)
def test_each_reason_has_a_sentence(world: World, reason: int, message: str) -> None:
    assert world.token().read("messageForTransferRestriction", reason) == message


@pytest.mark.parametrize(
    ("interface", "supported"),
    [
        ("3edbb4c4", True),  # ERC-7943, fungible
        ("36372b07", True),  # ERC-20
        ("01ffc9a7", True),  # ERC-165
        ("7965db0b", True),  # AccessControl
        ("ffffffff", False),
    ],
)
def test_supports_interface(world: World, interface: str, supported: bool) -> None:
    assert world.token().read("supportsInterface", bytes.fromhex(interface)) is supported
