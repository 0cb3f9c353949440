"""Custody over HTTP without a vault's events: what users have is put on their accounts, and they sign."""

import itertools
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2

from deedbook import chain, ledger, tokens
from deedbook.chain.terms import Contract
from deedbook.identity import DEPOSIT, TRANSFER, WITHDRAWAL, Domain
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import Struct
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import UserId
from deedbook.ledger import AccountId, LineKind, into_the_vault
from deedbook.tokens import Token
from tests.compliance.support import APPROVED, open_desk
from tests.compliance.support import Desk as ComplianceDesk
from tests.support.fake_chain import CHAIN_ID
from tests.support.world import User, World

VAULT = Address("0x" + "aa" * 20)
CASH = Address("0x" + "c0" * 20)
DOMAIN = Domain(CHAIN_ID, VAULT)
LISTED = "0x" + "d8" * 20
_nonces = itertools.count()


@dataclass
class Till:
    """A world with a vault's address, a stablecoin, and an issued token under compliance."""

    world: World
    compliance: ComplianceDesk
    cash: Token
    deed: Token

    async def user(self, dollars: str = "0", deeds: str = "0", *roles: Any, verified: bool = True) -> User:
        """A signed-in user with so much."""
        user = await self.world.user(*roles)
        if verified:
            await self.compliance.set_record(UserId(user.user_id), APPROVED)
        for token, amount in ((self.cash, dollars), (self.deed, deeds)):
            units = to_units(amount, token.decimals)
            if units:
                account = AccountId(user.user_id)
                posting = into_the_vault(uuid4(), LineKind.DEPOSIT, account, token.token_id, units)
                async with self.world.db.transaction() as tx:
                    await ledger.post(tx, [posting])
        return user

    def signed(self, user: User, struct: Struct, domain: Domain = DOMAIN, **fields: Any) -> dict[str, Any]:
        """A signed body. Fields are given as they are sent."""
        values = {
            struct.fields[0][0]: account_of(user),
            "token": CASH,
            "amount": "1",
            "nonce": f"n-{next(_nonces)}",
            "expiry": str(int(time.time()) + 3600),
            **fields,
        }
        told = {name: values[name] for name, _ in struct.fields}
        plain = {**told, "expiry": int(told["expiry"])}
        for name, kind in struct.fields:
            if kind == "address":
                plain[name] = str(told[name]).lower()
        return {**told, "signature": user.wallet.sign_digest(struct.digest(domain, plain))}

    def deposit(self, user: User, **fields: Any) -> dict[str, Any]:
        return self.signed(user, DEPOSIT, **fields)

    def withdrawal(self, user: User, **fields: Any) -> dict[str, Any]:
        return self.signed(user, WITHDRAWAL, **{"destination": account_of(user), **fields})

    def transfer(self, user: User, to: User, **fields: Any) -> dict[str, Any]:
        return self.signed(user, TRANSFER, **{"to": account_of(to), **fields})

    async def send(self, path: str, user: User, body: dict[str, Any], **headers: str) -> httpx2.Response:
        """POST without an Idempotency-Key: what is signed needs none."""
        return await self.world.http.post(path, headers={**user.headers, **headers}, json=body)

    async def done(self, path: str, user: User, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.send(path, user, body)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def get(self, path: str, user: User, **query: Any) -> Any:
        answer = await self.world.http.get(path, headers=user.headers, params=query)
        assert answer.is_success, answer.text
        return answer.json()


def account_of(user: User) -> Address:
    return Address(user.wallet.address.lower())


async def open_till(world: World) -> Till:
    desk = await open_desk(world.db, contract=Address(f"0x{uuid4().hex:0>40}"))
    async with world.db.transaction() as tx:
        await chain.record_contract(tx, CHAIN_ID, Contract.SETTLEMENT, VAULT)
        await tokens.record_cash(tx, CASH, CHAIN_ID, 6)
        await tx.execute(
            "INSERT INTO chain_cursors (chain_id, name, block_number, block_hash) VALUES ($1, 'vault', 7, $2) "
            "ON CONFLICT DO NOTHING",
            CHAIN_ID,
            "0x" + "07" * 32,
        )
        cash, deed = await tokens.of_address(tx, CASH), await tokens.of_id(tx, desk.token)
    assert cash is not None and deed is not None
    return Till(world, desk, cash, deed)


async def prepared_custody(world: World, path: str) -> tuple[str, dict[str, Any]]:
    """The path with the things of a user, and a body that is theirs; for tests of who may reach them."""
    told, body, _ = await owned_custody(world, path)
    return told, body


async def owned_custody(world: World, path: str) -> tuple[str, dict[str, Any], User]:
    """The same with that user."""
    till = await open_till(world)
    owner, friend = await till.user("20000"), await till.user()
    transfers = f"/tokens/{till.cash.token_id}/transfer"
    made: dict[str, Any] = {
        "/deposits": lambda: till.done("/deposits", owner, till.deposit(owner)),
        "/withdrawals": lambda: till.done("/withdrawals", owner, till.withdrawal(owner, amount="15000")),
        "/transfers": lambda: till.done(transfers, owner, till.transfer(owner, friend)),
    }
    bodies: dict[str, dict[str, Any]] = {
        "deposits": till.deposit(owner),
        "withdrawals": till.withdrawal(owner),
        "transfer": till.transfer(owner, friend),
        "addresses": {"address": "0x" + "d7" * 20},
        "allow-list": {"allowListOnly": True},
        "reject": {"reason": "no"},
        "rescan": {"fromBlock": 1, "toBlock": 2},
        "{tokenId}": {"automaticUpTo": "10000", "fourEyesAbove": "50000", "dailyLimit": "1000000"},
    }
    body = bodies.get(path.rsplit("/", 1)[-1], {})
    if "{address}" in path:
        await world.post("/withdrawals/addresses", owner, {"address": LISTED})
    things = next((name for name in made if path.startswith(f"/api/v1{name}/{{id}}")), None)
    named = (await made[things]())["id"] if things else str(till.cash.token_id)
    told = path.replace("{id}", named).replace("{tokenId}", str(till.cash.token_id))
    return told.replace("{userId}", str(owner.user_id)).replace("{address}", LISTED), body, owner
