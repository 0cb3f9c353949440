"""A platform as `deedbook chain deploy` leaves it: every contract, every key, roles handed out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .evm import Contract, Evm, Receipt, Wallet, keccak, role

YEAR = 365 * 24 * 3600
UNIT = 10**18
NOBODY = "0x" + "00" * 20
PAYMENT = 1
ISSUED = 2


@dataclass(frozen=True)
class Terms:
    """The factory's TokenTerms, field by field in the order of its tuple."""

    name: str
    symbol: str
    decimals: int
    cap: int
    initial_supply: int
    issuer: str
    admin: str
    operator: str
    enforcer: str
    pauser: str

    def as_tuple(self) -> tuple[str | int, ...]:
        return (
            self.name,
            self.symbol,
            self.decimals,
            self.cap,
            self.initial_supply,
            self.issuer,
            self.admin,
            self.operator,
            self.enforcer,
            self.pauser,
        )


@dataclass(frozen=True)
class World:
    evm: Evm
    admin: Wallet
    agent: Wallet
    lister: Wallet
    deployer: Wallet
    operator: Wallet
    enforcer: Wallet
    pauser: Wallet
    issuer: Wallet
    house: Wallet
    registry: Contract
    settlement: Contract
    factory: Contract
    dollar: Contract

    def verify(self, *wallets: Wallet, expiry: int | None = None) -> None:
        until = self.evm.now() + YEAR if expiry is None else expiry
        updates = [(wallet.address, True, b"LU", 1, until) for wallet in wallets]
        self.registry.send(self.agent, "setIdentities", updates)

    def revoke(self, wallet: Wallet) -> None:
        self.registry.send(self.agent, "setIdentity", (wallet.address, False, b"LU", 1, 0))

    def freeze(self, wallet: Wallet, frozen: bool = True) -> None:
        self.registry.send(self.agent, "setFrozen", wallet.address, frozen)

    def holder(self) -> Wallet:
        wallet = self.evm.wallet()
        self.verify(wallet)
        return wallet

    def terms(self, initial_supply: int = 0) -> Terms:
        return Terms(
            name="Rue de Namur 12",
            symbol="NAMUR",
            decimals=18,
            cap=1_000_000 * UNIT,
            initial_supply=initial_supply,
            issuer=self.issuer.address,
            admin=self.admin.address,
            operator=self.operator.address,
            enforcer=self.enforcer.address,
            pauser=self.pauser.address,
        )

    def deploy(self, market: bytes, terms: Terms) -> Receipt:
        return self.factory.send(self.deployer, "deploy", market, terms.as_tuple())

    def token(self, initial_supply: int = 0, cap: int | None = None) -> Contract:
        terms = self.terms(initial_supply)
        self.deploy(market_id("a market"), terms if cap is None else replace(terms, cap=cap))
        return self.evm.at(self.factory.read("tokenOf", market_id("a market")), "RwaToken")

    def mint(self, token: Contract, wallet: Wallet, amount: int) -> Receipt:
        return token.send(self.operator, "mint", wallet.address, amount, fresh_reference())

    def mint_to_vault(self, token: Contract, wallet: Wallet, amount: int) -> Receipt:
        return token.send(self.operator, "mintToVault", wallet.address, amount, fresh_reference())

    def deposit(self, token: Contract, wallet: Wallet, amount: int) -> Receipt:
        token.send(wallet, "approve", self.settlement.address, amount)
        return self.settlement.send(wallet, "deposit", token.address, amount)

    def vaulted(self, wallet: Wallet, token: Contract) -> int:
        return int(self.settlement.read("balanceOf", wallet.address, token.address))

    def assert_vault_covers(self, token: Contract, *wallets: Wallet) -> None:
        """The wallets are all that have a balance."""
        owed = sum(self.vaulted(wallet, token) for wallet in wallets)
        assert owed == self.settlement.read("totalOf", token.address)
        assert owed <= token.read("balanceOf", self.settlement.address)


def found(evm: Evm) -> World:
    """Deploy in the order the platform does; the factory learns the others, then may list."""
    admin, agent, lister, deployer, operator, enforcer, pauser, issuer, house = (
        evm.wallet() for _ in range(9)
    )
    registry = evm.deploy(deployer, "IdentityRegistry", admin.address, agent.address)
    keys = (admin.address, lister.address, enforcer.address, operator.address, house.address)
    settlement = evm.deploy(deployer, "Settlement", registry.address, *keys)
    factory = evm.deploy(
        deployer, "RwaTokenFactory", registry.address, settlement.address, admin.address, deployer.address
    )
    settlement.send(admin, "grantRole", role("LISTER_ROLE"), factory.address)
    dollar = evm.deploy(deployer, "TestDollar", admin.address)
    settlement.send(lister, "listToken", dollar.address, PAYMENT)
    world = World(
        evm,
        admin,
        agent,
        lister,
        deployer,
        operator,
        enforcer,
        pauser,
        issuer,
        house,
        registry,
        settlement,
        factory,
        dollar,
    )
    world.verify(issuer, house)
    return world


def market_id(name: str) -> bytes:
    return keccak(name.encode())


_references = iter(range(1, 2**63))


def fresh_reference() -> bytes:
    return next(_references).to_bytes(32, "big")
