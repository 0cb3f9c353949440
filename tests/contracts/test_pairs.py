"""Pairs: what a symbol in a signed text stands for is written once, by whoever may list."""

from __future__ import annotations

import pytest

from .evm import Contract, Refusal, keccak, role
from .exchange import QUOTE, RECEIVED
from .world import NOBODY, PAYMENT, World


@pytest.fixture
def shares(world: World) -> Contract:
    return world.token()


def test_a_pair_is_listed_with_the_decimals_of_its_tokens(world: World, shares: Contract) -> None:
    tokens = (shares.address, world.dollar.address)
    receipt = world.settlement.send(world.lister, "listPair", "NAMUR-USDC", *tokens, QUOTE)
    key = keccak(b"NAMUR-USDC")
    assert receipt.named("PairListed") == [(key, "NAMUR-USDC", *tokens, QUOTE)]
    assert world.settlement.read("pairOf", "NAMUR-USDC") == (tokens[0], 18, QUOTE, tokens[1], 6)
    assert world.settlement.read("pairOf", "NAMUR-USD") == (NOBODY, 0, 0, NOBODY, 0)


def test_a_pair_is_written_once(world: World, shares: Contract) -> None:
    pair = ("NAMUR-USDC", shares.address, world.dollar.address)
    world.settlement.send(world.lister, "listPair", *pair, RECEIVED)
    for again in ((*pair, RECEIVED), (*pair, QUOTE), (pair[0], pair[2], pair[1], RECEIVED)):
        assert world.settlement.refusal(world.lister, "listPair", *again) == Refusal(
            "PairAlreadyListed", ("NAMUR-USDC",)
        )


def test_only_a_lister_lists_pairs(world: World, shares: Contract) -> None:
    pair = ("NAMUR-USDC", shares.address, world.dollar.address, RECEIVED)
    for stranger in (world.operator, world.admin):
        assert world.settlement.refusal(stranger, "listPair", *pair) == Refusal(
            "AccessControlUnauthorizedAccount", (stranger.address, role("LISTER_ROLE"))
        )


def test_a_pair_needs_a_name_two_listed_tokens_and_its_fees(world: World, shares: Contract) -> None:
    share, dollar, unlisted = shares.address, world.dollar.address, world.registry.address

    def refusal(*pair: object) -> Refusal:
        return world.settlement.refusal(world.lister, "listPair", *pair)

    assert refusal("", share, dollar, RECEIVED) == Refusal("SymbolRequired")
    assert refusal("A-B", share, dollar, 0) == Refusal("FeeModeRequired")
    assert refusal("A-B", share, share, RECEIVED) == Refusal("TokensNotDistinct", (share,))
    assert refusal("A-B", unlisted, dollar, RECEIVED) == Refusal("TokenNotListed", (unlisted,))
    assert refusal("A-B", share, unlisted, RECEIVED) == Refusal("TokenNotListed", (unlisted,))


def test_a_token_finer_than_prices_is_in_no_pair(world: World, shares: Contract) -> None:
    fine = world.evm.deploy(world.deployer, "FineToken", 19)
    world.settlement.send(world.lister, "listToken", fine.address, PAYMENT)
    for pair in ((fine.address, shares.address), (shares.address, fine.address)):
        assert world.settlement.refusal(world.lister, "listPair", "A-B", *pair, RECEIVED) == Refusal(
            "TooManyDecimals", (fine.address,)
        )
