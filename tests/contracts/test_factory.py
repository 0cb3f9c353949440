"""One market, one contract, in one transaction; afterwards the factory has no power over it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .evm import Refusal, role
from .world import ISSUED, NOBODY, UNIT, World, market_id

TOKEN_ROLES = ("ISSUER_ROLE", "MINTER_ROLE", "ENFORCER_ROLE", "PAUSER_ROLE")
ADMIN_ROLE = bytes(32)


def test_one_transaction_issues_a_token(world: World) -> None:
    market, terms = market_id("villa"), world.terms(500 * UNIT)
    predicted = world.factory.read("predict", market, terms.as_tuple())
    receipt = world.deploy(market, terms)
    assert receipt.named("TokenDeployed") == [(market, predicted, world.issuer.address, 500 * UNIT)]
    assert world.factory.read("tokenOf", market) == predicted
    token = world.evm.at(predicted, "RwaToken")
    described = [token.read(field) for field in ("name", "symbol", "decimals", "cap", "totalSupply")]
    assert described == [terms.name, terms.symbol, 18, terms.cap, 500 * UNIT]
    assert token.read("registry") == world.registry.address
    assert token.read("vault") == world.settlement.address


def test_the_initial_supply_is_in_the_vault_for_the_issuer(world: World) -> None:
    token = world.token(initial_supply=500 * UNIT)
    assert world.vaulted(world.issuer, token) == 500 * UNIT
    assert token.read("balanceOf", world.issuer.address) == 0
    assert world.settlement.read("listingOf", token.address) == ISSUED
    world.assert_vault_covers(token, world.issuer)


def test_the_market_is_the_reference_of_its_initial_mint(world: World) -> None:
    token = world.token(initial_supply=UNIT)
    market = market_id("a market")
    assert token.refusal(world.operator, "mint", world.issuer.address, 1, market) == Refusal(
        "ReferenceAlreadyUsed", (market,)
    )


def test_a_token_may_start_empty(world: World) -> None:
    token = world.token(initial_supply=0)
    assert token.read("totalSupply") == 0
    world.mint_to_vault(token, world.issuer, UNIT)


def test_a_market_never_gets_a_second_contract(world: World) -> None:
    market, terms = market_id("villa"), world.terms(UNIT)
    world.deploy(market, terms)
    refusal = Refusal("MarketAlreadyDeployed", (market, world.factory.read("tokenOf", market)))
    for again in (terms, replace(terms, name="Another name", cap=7 * UNIT)):
        assert world.factory.refusal(world.deployer, "deploy", market, again.as_tuple()) == refusal


def test_two_markets_with_the_same_terms_get_two_contracts(world: World) -> None:
    for name in ("first", "second"):
        world.deploy(market_id(name), world.terms(UNIT))
    first, second = (world.factory.read("tokenOf", market_id(name)) for name in ("first", "second"))
    assert first != second


def test_the_factory_keeps_no_role(world: World) -> None:
    token = world.token(initial_supply=UNIT)
    held = [token.read("hasRole", role(name), world.factory.address) for name in TOKEN_ROLES]
    assert held == [False] * len(TOKEN_ROLES)
    assert token.read("hasRole", ADMIN_ROLE, world.factory.address) is False
    call = token.calldata("grantRole", role("MINTER_ROLE"), world.factory.address)
    with pytest.raises(AssertionError, match="reverted"):
        world.evm.send_as(world.factory.address, call, token.address)


def test_each_role_goes_to_its_holder_and_to_nobody_else(world: World) -> None:
    token = world.token()
    holders = {
        ADMIN_ROLE: world.admin,
        role("ISSUER_ROLE"): world.operator,
        role("MINTER_ROLE"): world.operator,
        role("ENFORCER_ROLE"): world.enforcer,
        role("PAUSER_ROLE"): world.pauser,
    }
    keys = (world.admin, world.operator, world.enforcer, world.pauser, world.deployer, world.issuer)
    for name, holder in holders.items():
        having = [key for key in keys if token.read("hasRole", name, key.address)]
        assert having == [holder]


def test_the_admin_can_replace_a_key(world: World) -> None:
    token, successor = world.token(), world.evm.wallet()
    token.send(world.admin, "grantRole", role("PAUSER_ROLE"), successor.address)
    token.send(world.admin, "revokeRole", role("PAUSER_ROLE"), world.pauser.address)
    token.send(successor, "pause")
    assert token.read("paused") is True


def test_an_unverified_issuer_is_refused(world: World) -> None:
    refusal = Refusal("IssuerNotVerified", (world.issuer.address,))
    deploy = ("deploy", market_id("villa"), world.terms(UNIT).as_tuple())
    world.verify(world.issuer, expiry=world.evm.now())
    assert world.factory.refusal(world.deployer, *deploy) == refusal
    world.revoke(world.issuer)
    assert world.factory.refusal(world.deployer, *deploy) == refusal


def test_a_frozen_issuer_gets_no_initial_supply(world: World) -> None:
    world.freeze(world.issuer)
    deploy = ("deploy", market_id("villa"), world.terms(UNIT).as_tuple())
    assert world.factory.refusal(world.deployer, *deploy) == Refusal(
        "ERC7943CannotReceive", (world.issuer.address,)
    )


def test_terms_have_their_limits(world: World) -> None:
    terms = world.terms(UNIT)

    def refusal(changed: object) -> Refusal:
        return world.factory.refusal(world.deployer, "deploy", market_id("villa"), changed)

    assert refusal(replace(terms, cap=0).as_tuple()) == Refusal("ZeroCap")
    assert refusal(replace(terms, cap=UNIT - 1).as_tuple()) == Refusal("CapExceeded", (UNIT - 1, 0, UNIT))
    assert refusal(replace(terms, admin=NOBODY).as_tuple()) == Refusal("ZeroAddress")
    assert refusal(replace(terms, operator=NOBODY).as_tuple()) == Refusal("ZeroAddress")
    assert refusal(replace(terms, enforcer=NOBODY).as_tuple()) == Refusal("ZeroAddress")
    assert refusal(replace(terms, pauser=NOBODY).as_tuple()) == Refusal("ZeroAddress")


def test_a_refused_deployment_leaves_the_market_free(world: World) -> None:
    market, terms = market_id("villa"), world.terms(UNIT)
    world.revoke(world.issuer)
    with pytest.raises(AssertionError, match="reverted"):
        world.deploy(market, terms)
    assert world.factory.read("tokenOf", market) == NOBODY
    world.verify(world.issuer)
    world.deploy(market, terms)
    assert world.factory.read("tokenOf", market) != NOBODY


def test_only_the_deployer_deploys(world: World) -> None:
    deploy = ("deploy", market_id("villa"), world.terms(UNIT).as_tuple())
    assert world.factory.refusal(world.admin, *deploy) == Refusal(
        "AccessControlUnauthorizedAccount", (world.admin.address, role("DEPLOYER_ROLE"))
    )


def test_contracts_are_not_founded_on_nothing(world: World) -> None:
    some = world.admin.address
    for name, args in (
        ("IdentityRegistry", (some, NOBODY)),
        ("Settlement", (NOBODY, some, some, some, some, some)),
        ("Settlement", (some, NOBODY, some, some, some, some)),
        ("Settlement", (some, some, some, some, NOBODY, some)),
        ("Settlement", (some, some, some, some, some, NOBODY)),
        ("RwaTokenFactory", (some, NOBODY, some, some)),
        ("RwaTokenFactory", (some, some, some, NOBODY)),
        ("RwaToken", ("name", "symbol", 18, 1, some, NOBODY, some)),
    ):
        with pytest.raises(AssertionError, match="reverted"):
            world.evm.deploy(world.deployer, name, *args)
