"""Users, tokens and officers for compliance tests, made through the front doors where there is one."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from deedbook import compliance, ledger
from deedbook.compliance import Accreditation, KycStatus, Operation, Reason, Record, RecordChange, TokenRules
from deedbook.identity import Caller, Role, ensure_user
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import TokenId, UserId, new_uuid
from deedbook.ledger import AccountId, LineKind, into_the_vault

APPROVED = RecordChange(
    kyc_status=KycStatus.APPROVED,
    kyc_level=1,
    whitelisted=True,
    accreditation=Accreditation.ACCREDITED,
    jurisdiction="LU",
)


@dataclass(frozen=True)
class Desk:
    """A compliance officer at work, with one issued token."""

    db: Database
    officer: Caller
    issuer: UserId
    token: TokenId

    async def user(self) -> UserId:
        return await new_user(self.db)

    async def investor(self, **changes: Any) -> UserId:
        """Somebody who may hold the token, but for what is changed about it."""
        user_id = await self.user()
        await self.set_record(user_id, APPROVED)
        if changes:
            await self.set_record(user_id, RecordChange(**changes))
        return user_id

    async def set_record(self, user_id: UserId, change: RecordChange, **more: Any) -> Record:
        async with self.db.transaction() as tx:
            return await compliance.set_record(tx, self.officer, user_id, self.token, change, **more)

    async def freeze(self, user_id: UserId, *, frozen: bool = True) -> None:
        act = compliance.freeze if frozen else compliance.unfreeze
        async with self.db.transaction() as tx:
            await act(tx, self.officer.actor, user_id, "looked at it")

    async def sanction(self, user_id: UserId, *, sanctioned: bool = True) -> None:
        async with self.db.transaction() as tx:
            await compliance.set_sanctioned(tx, self.officer.actor, user_id, sanctioned, "looked at it")

    async def set_rules(self, **rules: Any) -> TokenRules:
        async with self.db.transaction() as tx:
            return await compliance.set_rules(tx, self.officer, self.token, TokenRules(**rules))

    async def pause(self, *, paused: bool = True) -> None:
        async with self.db.transaction() as tx:
            await compliance.pause_token(tx, self.officer.actor, self.token, "looked at it", paused=paused)

    async def give(self, user_id: UserId, amount: int) -> None:
        async with self.db.transaction() as tx:
            account = AccountId(user_id)
            posting = into_the_vault(uuid4(), LineKind.DEPOSIT, account, self.token, amount)
            await ledger.post(tx, [posting])

    async def judge(
        self,
        sender: UserId | None,
        receiver: UserId | None,
        amount: int = 100,
        *,
        operation: Operation = Operation.TRANSFER,
        executing: bool = False,
    ) -> Reason:
        async with self.db.transaction() as tx:
            return await compliance.judge(
                tx, operation, self.token, sender, receiver, amount, executing=executing
            )

    async def facts(self, *about: UUID) -> list[dict[str, Any]]:
        """What was told of these users and tokens, oldest first."""
        async with self.db.reading() as connection:
            rows = await connection.fetch(
                "SELECT event_type, actor_id, payload, before, after FROM events "
                "WHERE stream_id = ANY ($1) AND event_type LIKE 'compliance.%' ORDER BY position",
                about,
            )
        return [dict(row) for row in rows]


async def open_desk(db: Database, contract: Address | None = None, token_type: str = "RWA") -> Desk:
    """A desk for a new token, which stands at this address."""
    officer_id, issuer = await new_user(db), await new_user(db)
    account = Address("0x" + "0f" * 20)
    officer = Caller(officer_id, account, None, frozenset({Role.COMPLIANCE}), new_uuid())
    token = TokenId(new_uuid())
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id, contract_address, "
            "issuer_user_id) VALUES ($1, $2, 'A token', $3, 18, 31337, $4, $5)",
            token,
            f"T{token.hex[-12:].upper()}",
            token_type,
            contract,
            issuer,
        )
    return Desk(db, officer, issuer, token)


async def new_user(db: Database, account: Address | None = None) -> UserId:
    async with db.transaction() as tx:
        return await ensure_user(tx, account or Address(f"0x{uuid4().hex:0>40}"))
