"""The stand-in for USDC on local chains."""

from __future__ import annotations

from eth_account import Account

from .evm import CHAIN_ID, Refusal
from .world import World


def test_it_looks_like_usdc(world: World) -> None:
    assert world.dollar.read("symbol") == "USDC"
    assert world.dollar.read("decimals") == 6


def test_only_its_owner_mints(world: World) -> None:
    payer = world.evm.wallet()
    assert world.dollar.refusal(payer, "mint", payer.address, 1) == Refusal(
        "OwnableUnauthorizedAccount", (payer.address,)
    )
    world.dollar.send(world.admin, "mint", payer.address, 5)
    assert world.dollar.read("balanceOf", payer.address) == 5


def test_a_signed_permit_approves_the_vault(world: World) -> None:
    payer, vault, deadline = world.evm.wallet(), world.settlement.address, 2**63
    world.dollar.send(world.admin, "mint", payer.address, 50)
    signed = Account.sign_typed_data(
        payer.key,
        {
            "name": "Test Dollar",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": world.dollar.address,
        },
        {
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ]
        },
        {"owner": payer.address, "spender": vault, "value": 50, "nonce": 0, "deadline": deadline},
    )
    r, s = int(signed.r).to_bytes(32, "big"), int(signed.s).to_bytes(32, "big")
    anyone = world.evm.wallet()
    world.dollar.send(anyone, "permit", payer.address, vault, 50, deadline, int(signed.v), r, s)
    world.settlement.send(payer, "deposit", world.dollar.address, 50)
    assert world.vaulted(payer, world.dollar) == 50
