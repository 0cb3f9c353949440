"""Two accounts at the vault, who ask by signed requests; the operator carries them out."""

from __future__ import annotations

from dataclasses import dataclass

from . import requests
from .evm import Contract, Receipt, Refusal, Wallet
from .requests import Request
from .world import World, fresh_reference

DOLLAR = 10**6
IN_WALLET = 1_000 * DOLLAR
VAULTED = 500 * DOLLAR
MAX = 2**256 - 1


@dataclass(frozen=True)
class Desk:
    """`trader` has dollars in the wallet, all approved, and in the vault; `other` has nothing."""

    world: World
    trader: Wallet
    other: Wallet

    @property
    def token(self) -> Contract:
        return self.world.dollar

    def request(self, kind: str, amount: str = "100", nonce: str = "1") -> Request:
        trader, token, other = self.trader.address, self.token.address, self.other.address
        if kind == "Deposit":
            return requests.deposit(self.world, trader, token, amount, nonce)
        make = requests.withdrawal if kind == "Withdrawal" else requests.transfer
        return make(self.world, trader, token, amount, other, nonce)

    def carry_out(self, request: Request, signature: bytes | None = None) -> Receipt:
        return self.world.settlement.send(
            self.world.operator, request.carried_out_by, *self.arguments(request, signature)
        )

    def refusal(
        self, request: Request, signature: bytes | None = None, sender: Wallet | None = None
    ) -> Refusal:
        return self.world.settlement.refusal(
            sender or self.world.operator, request.carried_out_by, *self.arguments(request, signature)
        )

    def arguments(self, request: Request, signature: bytes | None = None) -> tuple[object, ...]:
        signed = request.signed_by(self.trader) if signature is None else signature
        reference = () if request.kind == "Deposit" else (fresh_reference(),)
        return (request.values, signed, *reference)

    def vaulted(self, wallet: Wallet) -> int:
        return self.world.vaulted(wallet, self.token)

    def held(self, wallet: Wallet) -> int:
        return int(self.token.read("balanceOf", wallet.address))

    def assert_exact(self) -> None:
        """Nothing is created, nothing is lost, and the vault has what it owes."""
        self.world.assert_vault_covers(self.token, self.trader, self.other)
        outside = self.held(self.trader) + self.held(self.other)
        assert outside + self.vaulted(self.trader) + self.vaulted(self.other) == IN_WALLET + VAULTED


def open_desk(world: World) -> Desk:
    desk = Desk(world, world.evm.wallet(), world.evm.wallet())
    desk.token.send(world.admin, "mint", desk.trader.address, IN_WALLET + VAULTED)
    desk.token.send(desk.trader, "approve", world.settlement.address, MAX)
    world.settlement.send(desk.trader, "deposit", desk.token.address, VAULTED)
    return desk
