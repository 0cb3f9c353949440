"""Whatever happens in whatever order, the vault's events tell it: read from the first, they give every balance.

The ledger is written from these events and nothing else, so this is what it stands on.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from deedbook.chain.vault import VaultEvent, VaultEventKind
from deedbook.integrations.sapphire.vault_events import TOPICS, decode

from . import requests
from .desk import MAX
from .evm import Contract, Receipt, Wallet
from .exchange import RECEIVED, SYMBOL, Exchange
from .requests import Request
from .world import PAYMENT, World, fresh_reference

STEPS = 90
GAINS = {VaultEventKind.DEPOSITED, VaultEventKind.MINT_CREDITED}
LOSSES = {VaultEventKind.WITHDRAWN, VaultEventKind.BURN_DEBITED}
MOVES = {VaultEventKind.TRANSFERRED, VaultEventKind.FORCED_MOVE, VaultEventKind.BALANCE_RECOVERED}


@dataclass
class History:
    """Three holders, three tokens, and the balances as the events alone give them."""

    world: World
    chance: random.Random
    holders: list[Wallet]
    shares: Contract
    dollar: Contract
    taxed: Contract
    told: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    kinds: set[VaultEventKind] = field(default_factory=set)
    nonces: count[int] = field(default_factory=count)

    def step(self) -> None:
        """One deed, which the contracts may refuse: then it must tell nothing."""
        deeds: list[Callable[[Wallet, Wallet, int], Receipt]] = [
            self.deposit,
            self.relay,
            self.withdraw,
            self.transfer,
            self.mint,
            self.burn,
            self.force,
            self.recover,
            self.freeze,
            self.trade,
        ]
        deed = self.chance.choice(deeds)
        one, other = self.chance.sample(self.holders, 2)
        try:
            receipt = deed(one, other, self.chance.randrange(1, 40))
        except AssertionError as refused:
            if "reverted" not in str(refused):
                raise
            return
        for log in receipt.logs:
            if log.contract == self.world.settlement.address and log.topics[0] in TOPICS:
                self.book(decode(log.topics, log.data))

    def book(self, event: VaultEvent) -> None:
        self.kinds.add(event.kind)
        for account, token, change in event.delivered.moves() if event.delivered else []:
            self.told[token, account] += change
        if event.kind in GAINS:
            self.told[event.token, event.account] += event.amount
        if event.kind in LOSSES | MOVES:
            self.told[event.token, event.account] -= event.amount
        if event.kind in MOVES:
            assert event.counterparty is not None
            self.told[event.token, event.counterparty] += event.amount
        assert all(balance >= 0 for balance in self.told.values())

    def assert_told(self) -> None:
        for token in (self.shares, self.dollar, self.taxed):
            accounts = (*self.holders, self.world.house)
            for holder in accounts:
                assert self.world.vaulted(holder, token) == self.told[token.address, holder.address]
            self.world.assert_vault_covers(token, *accounts)

    def deposit(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        return self.world.settlement.send(one, "deposit", self._token().address, amount)

    def relay(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        token, text = self._token(), f"0.{amount:06}"
        return self._bring(requests.deposit(self.world, one.address, token.address, text, self._nonce()), one)

    def withdraw(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        parties = (one.address, self._token().address, f"0.{amount:06}", other.address)
        return self._bring(requests.withdrawal(self.world, *parties, self._nonce()), one)

    def transfer(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        parties = (one.address, self._token().address, f"0.{amount:06}", other.address)
        return self._bring(requests.transfer(self.world, *parties, self._nonce()), one)

    def mint(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        return self.world.mint_to_vault(self.shares, one, amount * 10**12)

    def burn(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        arguments = (one.address, amount * 10**12, fresh_reference())
        return self.shares.send(self.world.enforcer, "burnFromVault", *arguments)

    def force(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        arguments = (self.shares.address, one.address, other.address, amount * 10**12, fresh_reference())
        return self.world.settlement.send(self.world.enforcer, "forcedMove", *arguments)

    def recover(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        return self.shares.send(self.world.enforcer, "recover", one.address, other.address)

    def trade(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        """One buys of the other what they may not have, for dollars that one may not have."""
        exchange = Exchange(self.world, self.shares, one, other, self.nonces)
        orders = [exchange.order("BUY", f"0.{amount:06}", "1"), exchange.order("SELL", f"0.{amount:06}", "1")]
        return exchange.settle(orders, [exchange.match(amount * 10**12, amount)])

    def freeze(self, one: Wallet, other: Wallet, amount: int) -> Receipt:
        """A third of the time; else everybody is thawed, so that the history goes on."""
        frozen = self.chance.random() < 1 / 3
        whom = [one.address] if frozen else [holder.address for holder in self.holders]
        return self.world.registry.send(self.world.agent, "setFrozenBatch", whom, frozen)

    def _token(self) -> Contract:
        return self.chance.choice([self.shares, self.dollar, self.taxed])

    def _nonce(self) -> str:
        return str(next(self.nonces))

    def _bring(self, request: Request, signer: Wallet) -> Receipt:
        reference = () if request.kind == "Deposit" else (fresh_reference(),)
        arguments = (request.values, request.signed_by(signer), *reference)
        return self.world.settlement.send(self.world.operator, request.carried_out_by, *arguments)


def _begin(world: World, seed: int) -> History:
    holders = [world.holder() for _ in range(3)]
    shares = world.token()
    taxed = world.evm.deploy(world.deployer, "FeeOnTransferToken", 250, holders[0].address, 10**30)
    world.settlement.send(world.lister, "listToken", taxed.address, PAYMENT)
    world.settlement.send(world.lister, "listPair", SYMBOL, shares.address, world.dollar.address, RECEIVED)
    for holder in holders:
        world.mint(shares, holder, 10**20)
        world.dollar.send(world.admin, "mint", holder.address, 10**9)
        for token in (shares, world.dollar, taxed):
            token.send(holder, "approve", world.settlement.address, MAX)
    return History(world, random.Random(seed), holders, shares, world.dollar, taxed)


@pytest.mark.parametrize("seed", range(4))
def test_the_events_give_every_balance(world: World, seed: int) -> None:
    history = _begin(world, seed)
    for _ in range(STEPS):
        history.step()
        history.assert_told()
    moving = set(VaultEventKind) - {VaultEventKind.ORDER_CANCELLED}
    assert len(history.kinds) >= len(moving) - 1, "a history in which hardly anything succeeds proves little"
