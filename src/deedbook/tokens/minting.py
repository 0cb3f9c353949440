"""Use cases: ask for more of a token, and decide on it as a second person."""

from dataclasses import replace
from uuid import UUID

from deedbook import compliance, identity
from deedbook.compliance import Operation
from deedbook.compliance.errors import TokenNotFound
from deedbook.identity.errors import FourEyes
from deedbook.identity.terms import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.amounts import MalformedAmount, to_units
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import TokenId, UserId, new_uuid
from deedbook.tokens import mint_store, model, store
from deedbook.tokens.errors import MintNotFound, MintNotPending, NotMintable
from deedbook.tokens.events import MintApproved, MintRejected, MintRequested
from deedbook.tokens.terms import MINT, Mint, MintStatus, RequestMint, Token, TokenStatus, TokenType


async def request_mint(tx: Tx, caller: Caller, command: RequestMint, automatic_up_to: str) -> Mint:
    """Ask for more of a token of one's own. Up to `automatic_up_to` whole tokens a day the policy agrees by itself.

    Raises:
        TokenNotFound: no such token, or another issuer's.
        NotMintable: it is not live, or nobody issues it here.
        Invalid: the amount or the receiver.
        Ineligible: the receiver may not hold it.
        SupplyCapExceeded: the cap leaves less, with everything counted that was asked for already.
    """
    token = await _own(tx, caller, command.token_id)
    units = _units(command.amount, token)
    account = command.to or caller.account
    receiver = await identity.user_of_account(tx, account)
    if receiver is None:
        unknown = FieldError("/to", "receiver_unknown", "nobody here has this account")
        raise Invalid("the receiver is not known", errors=(unknown,))
    await compliance.require_eligible(tx, Operation.MINT, token.token_id, None, receiver, units)
    model.require_room(token, await mint_store.open_units(tx, token.token_id), units)
    now = await tx.now()
    lately = await mint_store.automatic_units_lately(tx, token.token_id)
    automatic = model.is_automatic(lately + units, automatic_up_to, token.decimals)
    mint = Mint(
        mint_id=new_uuid(),
        token_id=token.token_id,
        symbol=token.symbol,
        decimals=token.decimals,
        user_id=receiver,
        account=account,
        amount=units,
        status=MintStatus.APPROVED if automatic else MintStatus.PENDING_APPROVAL,
        requested_by=caller.user_id,
        decided_by=None,
        reason=command.reason,
        decision_reason=None,
        error=None,
        tx_hash=None,
        created_at=now,
        updated_at=now,
    )
    await mint_store.add(tx, mint)
    asked = MintRequested(
        token_id=mint.token_id,
        mint_id=mint.mint_id,
        user_id=receiver,
        amount=mint.amount_text,
        reason=command.reason,
    )
    waiting = {"status": MintStatus.PENDING_APPROVAL.value}
    tx.emit(asked, caller.actor, before={"status": None}, after=waiting)
    if automatic:
        _approved(tx, mint, None, "policy", before=waiting)
    return mint


async def decide_mint(tx: Tx, caller: Caller, mint_id: UUID, reason: str, *, approve: bool) -> Mint:
    """Agree to a mint, or refuse it, as a second person.

    Raises:
        MintNotFound · MintNotPending: what they say.
        FourEyes: by who asked for it, or who would receive it.
    """
    mint = await mint_store.lock(tx, mint_id)
    if mint is None:
        raise MintNotFound
    if caller.user_id in (mint.requested_by, mint.user_id):
        raise FourEyes("neither who asks for a mint nor who receives it decides on it")
    if mint.status is not MintStatus.PENDING_APPROVAL:
        raise MintNotPending(f"the mint is {mint.status.value}", extra={"mintStatus": mint.status.value})
    status = MintStatus.APPROVED if approve else MintStatus.REJECTED
    decided = await mint_store.save(
        tx, replace(mint, status=status, decided_by=caller.user_id, decision_reason=reason)
    )
    before = {"status": mint.status.value}
    if approve:
        _approved(tx, decided, caller, reason, before=before)
        return decided
    rejected = MintRejected(
        token_id=mint.token_id, mint_id=mint_id, rejected_by=caller.user_id, reason=reason
    )
    tx.emit(rejected, caller.actor, before=before, after={"status": status.value})
    return decided


def _approved(tx: Tx, mint: Mint, by: Caller | None, reason: str, *, before: dict[str, str]) -> None:
    told = MintApproved(
        token_id=mint.token_id, mint_id=mint.mint_id, approved_by=by.user_id if by else None, reason=reason
    )
    after = {"status": MintStatus.APPROVED.value}
    if by is None:
        tx.emit(told, before=before, after=after)
    else:
        tx.emit(told, by.actor, before=before, after=after)
    tx.enqueue(MINT, f"{MINT.name}-{mint.mint_id}", {"mintId": str(mint.mint_id)})


async def _own(tx: Tx, caller: Caller, token_id: TokenId) -> Token:
    """The caller's own token, held as it is, so that two mints never share the room below the cap."""
    token = await store.lock(tx, token_id)
    if token is None:
        raise TokenNotFound
    if token.token_type is not TokenType.RWA:
        raise NotMintable("only tokens of assets are minted here")
    require_issuer(token, caller.user_id)
    if token.status is not TokenStatus.ACTIVE:
        raise NotMintable(f"the token is {token.status.value}")
    return token


def require_issuer(token: Token, user_id: UserId) -> None:
    """Go on only for the token's issuer; for others what is the issuer's own does not exist.

    Raises:
        TokenNotFound: the token is another's.
    """
    if token.issuer_user_id != user_id:
        raise TokenNotFound


def _units(amount: str, token: Token) -> int:
    try:
        units = to_units(amount, token.decimals)
    except MalformedAmount as error:
        raise Invalid(
            "the amount is not valid", errors=(FieldError("/amount", "bad_amount", str(error)),)
        ) from None
    if units == 0:
        zero = FieldError("/amount", "not_positive", "the amount must be more than zero")
        raise Invalid("the amount is not valid", errors=(zero,))
    return units
