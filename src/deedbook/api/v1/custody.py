"""Custody: signed deposits, withdrawals and transfers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook import custody
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, IfMatchDep, ResourcesDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_moment_and_id, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.custody import (
    DepositAnswer,
    OnChainAnswer,
    SignedDeposit,
    SignedTransfer,
    SignedWithdrawal,
    TransferAnswer,
    WithdrawalAnswer,
)
from deedbook.custody import Checked, Deposit, Transfer, Withdrawal, WithdrawalId, progress, views
from deedbook.custody.errors import DepositNotFound, TransferNotFound, WithdrawalNotFound
from deedbook.custody.views import InToken
from deedbook.identity import DEPOSIT, TRANSFER, WITHDRAWAL, Caller, Role
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import Struct
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.tokens import Token
from deedbook.wiring import Resources

router = APIRouter(tags=["custody"], route_class=StrictRoute)

_SIGNED = access(SIGNED_IN, bucket="writes")
_KEYED = access(SIGNED_IN, bucket="writes", keyed=True)
_READ = access(SIGNED_IN, bucket="reads")
_STAFF = frozenset({Role.COMPLIANCE, Role.ADMIN, Role.OPERATOR})
IdPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


class _Signed:
    """A signed body on its way: checked before the transaction, used inside it."""

    def __init__(
        self,
        resources: Resources,
        caller: Caller,
        struct: Struct,
        body: SignedDeposit | SignedWithdrawal | SignedTransfer,
    ) -> None:
        self._resources, self._caller, self._struct, self._body = resources, caller, struct, body
        self._checked: Checked | None = None

    async def check(self) -> None:
        values = self._body.values()
        account = Address(values[self._struct.fields[0][0]])
        db, gate = self._resources.db, self._resources.gate
        self._checked = await custody.check(
            db, gate, self._struct, account, values, self._body.signature, self._caller
        )

    @property
    def checked(self) -> Checked:
        assert self._checked is not None, "it is checked before the transaction opens"
        return self._checked

    @property
    def token(self) -> InToken:
        return in_token(self.checked.token)


def in_token(token: Token) -> InToken:
    return InToken(token.symbol, token.decimals)


@router.post("/deposits", status_code=201, openapi_extra=_SIGNED, response_model=DepositAnswer)
async def announce_deposit(
    body: SignedDeposit, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Announce a signed deposit. The platform brings it to the vault (`relay`), or `send` says what to send; either
    way the vault's own event credits it."""
    if body.permit is not None and not body.relay:
        raise Invalid(
            "say relay", errors=(FieldError("/permit", "not_relayed", "only a relayed deposit uses one"),)
        )
    signed = _Signed(resources, caller, DEPOSIT, body)
    permit = body.permit.permit() if body.permit is not None else None

    def answer(deposit: Deposit) -> DepositAnswer:
        checked = signed.checked
        own = () if body.relay else resources.own_deposit(checked.vault, Address(body.token), checked.amount)
        return DepositAnswer.of(deposit, signed.token, own)

    return await unit.run(
        lambda tx: custody.deposits.request(tx, caller, signed.checked, relay=body.relay, permit=permit),
        answer,
        status=201,
        before=signed.check,
    )


@router.get("/deposits", openapi_extra=_READ)
async def deposits(
    caller: CallerDep, resources: ResourcesDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[DepositAnswer]:
    """My deposits, newest first."""
    after = decode_moment_and_id("deposits", cursor)
    found = await views.deposits(resources.db, caller.user_id, after, limit + 1)
    page, more = found[:limit], len(found) > limit
    last = page[-1][0] if page else None
    following = encode_cursor("deposits", last.created_at, last.deposit_id) if more and last else None
    return Page(data=await _shown_deposits(resources, page), next_cursor=following)


@router.get("/deposits/{id}", openapi_extra=_READ)
async def deposit(deposit_id: IdPath, caller: CallerDep, resources: ResourcesDep) -> DepositAnswer:
    """One deposit of mine."""
    found = await views.deposit(resources.db, deposit_id)
    if found is None or found[0].user_id != caller.user_id:
        raise DepositNotFound
    [shown] = await _shown_deposits(resources, [found])
    return shown


async def _shown_deposits(resources: Resources, found: list[tuple[Deposit, InToken]]) -> list[DepositAnswer]:
    """With how deep each lies in the chain. They are all one user's."""
    chain_id, needed = resources.settings.SAPPHIRE_CHAIN_ID, resources.settings.confirmations
    depths = await progress.of_deposits(resources.db, chain_id, [deposit for deposit, _ in found])
    return [
        DepositAnswer.of(deposit, token, on_chain=OnChainAnswer.of(depths.get(deposit.deposit_id), needed))
        for deposit, token in found
    ]


@router.post("/withdrawals", status_code=201, openapi_extra=_SIGNED, response_model=WithdrawalAnswer)
async def withdraw(
    body: SignedWithdrawal, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Ask for money. It is held at once, and leaves when all who must have approved."""
    signed = _Signed(resources, caller, WITHDRAWAL, body)
    return await unit.run(
        lambda tx: custody.withdrawals.request(tx, caller, signed.checked, resources.withdrawal_policy),
        lambda asked: WithdrawalAnswer.of(asked, signed.token),
        status=201,
        before=signed.check,
    )


@router.get("/withdrawals", openapi_extra=_READ)
async def withdrawals(
    caller: CallerDep, resources: ResourcesDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[WithdrawalAnswer]:
    """My withdrawals, newest first."""
    after = decode_moment_and_id("withdrawals", cursor)
    found = await views.withdrawals(resources.db, caller.user_id, None, after, limit + 1)
    return await withdrawal_page(resources, "withdrawals", found, limit)


async def withdrawal_page(
    resources: Resources, name: str, found: list[tuple[Withdrawal, InToken]], limit: int
) -> Page[WithdrawalAnswer]:
    page, more = found[:limit], len(found) > limit
    last = page[-1][0] if page else None
    following = encode_cursor(name, last.created_at, last.withdrawal_id) if more and last else None
    return Page(data=await _shown_withdrawals(resources, page), next_cursor=following)


@router.get("/withdrawals/{id}", openapi_extra=_READ)
async def withdrawal(
    withdrawal_id: IdPath, caller: CallerDep, resources: ResourcesDep, response: Response
) -> WithdrawalAnswer:
    """One withdrawal: for its owner, and for those who decide. The ETag is its version, for If-Match."""
    found = await views.withdrawal(resources.db, withdrawal_id)
    if found is None or (found[0].user_id != caller.user_id and not caller.roles & _STAFF):
        raise WithdrawalNotFound
    response.headers["ETag"] = f'"{found[0].version}"'
    [shown] = await _shown_withdrawals(resources, [found])
    return shown


async def _shown_withdrawals(
    resources: Resources, found: list[tuple[Withdrawal, InToken]]
) -> list[WithdrawalAnswer]:
    """With how deep each lies in the chain."""
    chain_id, needed = resources.settings.SAPPHIRE_CHAIN_ID, resources.settings.confirmations
    depths = await progress.of_withdrawals(resources.db, chain_id, [asked for asked, _ in found])
    return [
        WithdrawalAnswer.of(asked, token, OnChainAnswer.of(depths.get(asked.withdrawal_id), needed))
        for asked, token in found
    ]


@router.post("/withdrawals/{id}/cancel", openapi_extra=_KEYED, response_model=WithdrawalAnswer)
async def cancel(
    withdrawal_id: IdPath, caller: CallerDep, resources: ResourcesDep, unit: UnitDep, seen: IfMatchDep
) -> Response:
    """Take a withdrawal back that waits for approval."""
    found = await views.withdrawal(resources.db, withdrawal_id)
    if found is None or found[0].user_id != caller.user_id:
        raise WithdrawalNotFound
    return await unit.run(
        lambda tx: custody.withdrawals.cancel(tx, caller, WithdrawalId(withdrawal_id), seen),
        lambda withdrawal: WithdrawalAnswer.of(withdrawal, found[1]),
    )


@router.post("/tokens/{id}/transfer", status_code=201, openapi_extra=_SIGNED, response_model=TransferAnswer)
async def transfer_token(
    token_id: IdPath, body: SignedTransfer, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Give some of a token to another user. It is held at once, and moves in the vault by itself."""
    signed = _Signed(resources, caller, TRANSFER, body)

    async def check() -> None:
        await signed.check()
        if signed.checked.token.token_id != token_id:
            other = FieldError(
                "/token", "other_token", "this is not the contract of the token in the address"
            )
            raise Invalid("another token was signed for", errors=(other,))

    return await unit.run(
        lambda tx: custody.transfers.request(tx, caller, signed.checked),
        lambda asked: TransferAnswer.of(asked, signed.token),
        status=201,
        before=check,
    )


@router.get("/transfers", openapi_extra=_READ)
async def transfers(
    caller: CallerDep, db: DatabaseDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[TransferAnswer]:
    """What I gave and was given, newest first."""
    after = decode_moment_and_id("transfers", cursor)
    found = await views.transfers(db, caller.user_id, after, limit + 1)
    page, more = found[:limit], len(found) > limit
    last: Transfer | None = page[-1][0] if page else None
    following = encode_cursor("transfers", last.created_at, last.transfer_id) if more and last else None
    return Page(data=[TransferAnswer.of(*shown) for shown in page], next_cursor=following)


@router.get("/transfers/{id}", openapi_extra=_READ)
async def transfer(transfer_id: IdPath, caller: CallerDep, db: DatabaseDep) -> TransferAnswer:
    """One transfer that I gave or was given."""
    found = await views.transfer(db, transfer_id)
    if found is None or caller.user_id not in (found[0].from_user_id, found[0].to_user_id):
        raise TransferNotFound
    return TransferAnswer.of(*found)
