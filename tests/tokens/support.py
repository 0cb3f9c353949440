"""Issuers with a live token, officers, and the jobs of the room, as its tests need them."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from eth_abi import encode
from redis.asyncio import Redis

from deedbook import compliance, identity, tokens
from deedbook.chain.erc20 import Erc20Metadata
from deedbook.compliance import KycStatus, RecordChange
from deedbook.identity import Caller, Role, keccak
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import TokenId, UserId, new_uuid
from deedbook.kernel.jobs import Job
from deedbook.markets import Decision, service
from deedbook.stack.wallet import Wallet
from deedbook.tokens import Foundry, Mint, RegisterToken, RequestMint, Token, TokenType, listing
from deedbook.tokens.terms import MINT
from tests.markets.support import decided, deployment, issuer, registered
from tests.support.fake_chain import FakeChain

APPROVED = RecordChange(kyc_status=KycStatus.APPROVED, kyc_level=1, whitelisted=True, jurisdiction="LU")


@dataclass(frozen=True)
class Resources:
    """What the jobs of this room receive."""

    db: Database
    foundry: Foundry
    redis: Redis = field(default_factory=lambda: Redis(host="127.0.0.1", port=1))


@dataclass
class Issue:
    """A live token, its issuer, and an officer who may agree to mints of it."""

    db: Database
    issuer: Caller
    officer: Caller
    token_id: TokenId

    async def token(self) -> Token:
        async with self.db.transaction() as tx:
            found = await tokens.of_id(tx, self.token_id)
        assert found is not None
        return found

    async def verify(self, user_id: UserId) -> None:
        """Let somebody hold the token."""
        async with self.db.transaction() as tx:
            await compliance.set_record(tx, self.officer, user_id, self.token_id, APPROVED)

    async def ask(
        self,
        amount: str = "100",
        *,
        to: Address | None = None,
        automatic: str = "0",
        by: Caller | None = None,
    ) -> Mint:
        async with self.db.transaction() as tx:
            asked = RequestMint(self.token_id, amount, to, "a second building")
            return await tokens.request_mint(tx, by or self.issuer, asked, automatic)

    async def decide(self, mint: Mint, *, approve: bool = True, by: Caller | None = None) -> Mint:
        async with self.db.transaction() as tx:
            return await tokens.decide_mint(
                tx, by or self.officer, mint.mint_id, "looked at it", approve=approve
            )

    async def approved(self, amount: str = "100") -> Mint:
        return await self.decide(await self.ask(amount))

    async def complete(self, mint: Mint, **planted: Any) -> bool:
        """What the vault tells of a mint, but for what a test plants."""
        told = {"token_id": mint.token_id, "account": mint.account, "units": mint.amount, **planted}
        async with self.db.transaction() as tx:
            return await tokens.complete_mint(tx, mint.mint_id, "0x" + "ab" * 32, **told)


async def user(db: Database, *roles: Role) -> Caller:
    """Somebody with these roles."""
    account = Address(Wallet.new().address.lower())
    async with db.transaction() as tx:
        user_id = await identity.ensure_user(tx, account)
        for role in roles:
            await identity.grant(tx, account, role, "test")
    return Caller(user_id, account, None, frozenset(roles), new_uuid())


async def issue(
    db: Database, foundry: Foundry | None = None, caller: Caller | None = None, **changes: Any
) -> Issue:
    """A token with 1,000 of at most 3,000 issued, whose issuer may hold it: on the chain where there is a foundry,
    in the books alone otherwise."""
    caller = caller or await issuer(db)
    market = await registered(db, caller, **{"supply_cap": "3000", **changes})
    market = await decided(db, market.market_id, Decision.APPROVED)
    stands = await tokens.deploy(db, foundry, market.token_terms, 20) if foundry else deployment()
    async with db.transaction() as tx:
        await service.finish_activation(tx, market.market_id, stands, 31337)
        token = await tokens.of_market(tx, market.market_id)
    assert token is not None
    made = Issue(db, caller, await user(db, Role.COMPLIANCE), token.token_id)
    await made.verify(caller.user_id)
    return made


def mint_job(mint: Mint) -> Job:
    return Job(f"{MINT.name}-{mint.mint_id}", MINT.name, {"mintId": str(mint.mint_id)})


async def facts(db: Database, stream_id: UUID) -> list[dict[str, Any]]:
    """What was told of a token, oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT event_type, actor_id, payload, before, after FROM events WHERE stream_id = $1 ORDER BY position",
            stream_id,
        )
    return [dict(row) for row in rows]


def a_symbol() -> str:
    return "C" + uuid4().hex[:8].upper()


async def failed_listing(db: Database) -> Token:
    """Somebody else's token that the vault did not take."""
    command = RegisterToken(
        a_symbol(), "Other Dollar", TokenType.STABLE, Address("0x" + uuid4().hex + "00000000")
    )
    operator = await user(db, Role.OPERATOR)
    async with db.transaction() as tx:
        token = await tokens.register(tx, operator, command, Erc20Metadata("Other Dollar", "OUSD", 6), 31337)
        await listing.fail(tx, token.token_id, 1, "no gas")
    return token


class Told(FakeChain):
    """A chain on which every contract answers these things."""

    def __init__(self, **told: bytes) -> None:
        super().__init__()
        self._told = {keccak(f"{name}()".encode())[:4]: answer for name, answer in told.items()}

    async def call(self, to: Address, data: bytes, block: int | None = None) -> bytes:
        await self._answer()
        return self._told.get(data[:4], b"")

    async def code(self, address: Address) -> bytes:
        await self._answer()
        return b"\x60" if self._told else b""


def text(value: str) -> bytes:
    return bytes(encode(["string"], [value]))


def number(value: int) -> bytes:
    return bytes(encode(["uint256"], [value]))
