"""Tokens: the register, mints, and who holds what."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from deedbook import tokens
from deedbook.api.deps import (
    PUBLIC,
    SIGNED_IN,
    CallerDep,
    DatabaseDep,
    ResourcesDep,
    UnitDep,
    access,
)
from deedbook.api.paging import Cursor, Limit, decode_id, decode_moment_and_id, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.tokens import (
    ApproveMint,
    HolderAnswer,
    HoldersAnswer,
    ListedToken,
    MintAnswer,
    RegisterToken,
    RejectMint,
    RequestMint,
    TokenAnswer,
    TokenDetailsAnswer,
)
from deedbook.chain.erc20 import Erc20Metadata
from deedbook.compliance.errors import TokenNotFound
from deedbook.identity import Role
from deedbook.infra.database import Database
from deedbook.kernel.ids import TokenId
from deedbook.kernel.tabular import csv_line
from deedbook.tokens import Mint, MintStatus, Token, TokenStatus, TokenType, holders, views
from deedbook.tokens.errors import MintNotFound

router = APIRouter(prefix="/tokens", tags=["tokens"], route_class=StrictRoute)

_REGISTRARS = access(Role.ADMIN, Role.OPERATOR, bucket="writes", keyed=True)
_DECIDERS = access(Role.COMPLIANCE, Role.ADMIN, bucket="writes", keyed=True)
_SIGNED_IN = access(SIGNED_IN, bucket="reads")
_OFFICERS = frozenset({Role.COMPLIANCE, Role.ADMIN})
_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The cap table", "content": {"text/csv": {}, "application/json": {}}}
}
_COLUMNS = ("id", "account", "kind", "balance", "available", "locked", "sharePercent")
TokenPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]
MintPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.post("", status_code=201, openapi_extra=_REGISTRARS, response_model=TokenAnswer)
async def register(
    body: RegisterToken, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Register somebody else's token. Answers at once; the vault takes it by itself a little later."""
    command, chain_id = body.command(), resources.settings.SAPPHIRE_CHAIN_ID
    told: list[Erc20Metadata] = []

    async def ask_the_contract() -> None:
        node, words = resources.node, resources.vault_tokens
        told.append(await tokens.examine(resources.db, node, words, chain_id, command))

    return await unit.run(
        lambda tx: tokens.register(tx, caller, command, told[0], chain_id),
        TokenAnswer.of,
        status=201,
        before=ask_the_contract,
    )


@router.post("/{id}/list", openapi_extra=_REGISTRARS, response_model=TokenAnswer)
async def list_again(token_id: TokenPath, caller: CallerDep, unit: UnitDep) -> Response:
    """Ask the vault once more to take a token, after that failed for good."""
    return await unit.run(lambda tx: tokens.list_again(tx, caller.actor, TokenId(token_id)), TokenAnswer.of)


@router.get("", openapi_extra=access(PUBLIC, bucket="reads"))
async def listing(
    db: DatabaseDep,
    token_type: Annotated[TokenType | None, Query(alias="type")] = None,
    status: TokenStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ListedToken]:
    """Tokens, newest first."""
    after = decode_moment_and_id("tokens", cursor)
    found = await views.listing(db, token_type, status, after, limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("tokens", page[-1].created_at, page[-1].token.token_id) if more else None
    return Page(data=[ListedToken.shown(shown) for shown in page], next_cursor=following)


@router.get("/mints", openapi_extra=access(Role.COMPLIANCE, Role.ADMIN, bucket="reads"))
async def all_mints(
    db: DatabaseDep, status: MintStatus | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[MintAnswer]:
    """Mints of every token, newest first: the desk of those who decide."""
    after = decode_moment_and_id("all-mints", cursor)
    return _mint_page("all-mints", await views.mints(db, None, status, after, limit + 1), limit)


@router.get("/mints/{id}", openapi_extra=_SIGNED_IN)
async def mint(mint_id: MintPath, caller: CallerDep, db: DatabaseDep) -> MintAnswer:
    """One mint: for who asked for it, compliance and admins."""
    found = await views.mint(db, mint_id)
    if found is None or (found.requested_by != caller.user_id and not caller.roles & _OFFICERS):
        raise MintNotFound
    return MintAnswer.of(found)


@router.post("/mints/{id}/approve", openapi_extra=_DECIDERS, response_model=MintAnswer)
async def approve_mint(mint_id: MintPath, body: ApproveMint, caller: CallerDep, unit: UnitDep) -> Response:
    """Agree to a mint as a second person. It is then minted by itself."""
    return await unit.run(
        lambda tx: tokens.decide_mint(tx, caller, mint_id, body.reason, approve=True), MintAnswer.of
    )


@router.post("/mints/{id}/reject", openapi_extra=_DECIDERS, response_model=MintAnswer)
async def reject_mint(mint_id: MintPath, body: RejectMint, caller: CallerDep, unit: UnitDep) -> Response:
    """Refuse a mint as a second person."""
    return await unit.run(
        lambda tx: tokens.decide_mint(tx, caller, mint_id, body.reason, approve=False), MintAnswer.of
    )


@router.get("/{id}", openapi_extra=access(PUBLIC, bucket="reads"))
async def one(name: Annotated[str, Path(alias="id", max_length=80)], db: DatabaseDep) -> TokenDetailsAnswer:
    """One token, by its id, its symbol or its contract's address."""
    found = await views.one(db, name)
    if found is None:
        raise TokenNotFound
    return TokenDetailsAnswer.shown(found)


@router.post(
    "/{id}/mint",
    status_code=201,
    openapi_extra=access(Role.ISSUER, bucket="writes", keyed=True),
    response_model=MintAnswer,
)
async def request_mint(
    token_id: TokenPath, body: RequestMint, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Ask for more of a token of yours, below its cap. A second person agrees, unless the policy does by itself."""
    limit = resources.settings.MINT_AUTOMATIC_UP_TO
    return await unit.run(
        lambda tx: tokens.request_mint(tx, caller, body.command(token_id), limit),
        MintAnswer.of,
        status=201,
    )


@router.post(
    "/{id}/refresh",
    status_code=202,
    openapi_extra=access(Role.ISSUER, Role.OPERATOR, Role.ADMIN, bucket="writes", keyed=True),
    response_model=TokenAnswer,
)
async def refresh(token_id: TokenPath, caller: CallerDep, unit: UnitDep) -> Response:
    """Have a token's metadata read anew from its asset, its rules and the chain."""
    return await unit.run(
        lambda tx: tokens.request_refresh(tx, caller, TokenId(token_id)), TokenAnswer.of, status=202
    )


@router.get("/{id}/mints", openapi_extra=_SIGNED_IN)
async def mints(
    token_id: TokenPath, caller: CallerDep, db: DatabaseDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[MintAnswer]:
    """A token's mints, newest first: for its issuer, compliance and admins."""
    token = await holders.visible(db, caller, TokenId(token_id))
    after = decode_moment_and_id("mints", cursor)
    return _mint_page("mints", await views.mints(db, token.token_id, None, after, limit + 1), limit)


def _mint_page(listing: str, found: list[Mint], limit: int) -> Page[MintAnswer]:
    page, more = found[:limit], len(found) > limit
    following = encode_cursor(listing, page[-1].created_at, page[-1].mint_id) if more else None
    return Page(data=[MintAnswer.of(mint) for mint in page], next_cursor=following)


@router.get("/{id}/holders", openapi_extra=_SIGNED_IN)
async def cap_table(
    token_id: TokenPath, caller: CallerDep, db: DatabaseDep, cursor: Cursor = None, limit: Limit = 50
) -> HoldersAnswer:
    """Who holds the token: for its issuer, compliance and admins."""
    token = await holders.visible(db, caller, TokenId(token_id))
    found = await holders.page(db, token, decode_id("holders", cursor), limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("holders", page[-1].account_id) if more else None
    return HoldersAnswer.of(page, following, await holders.spread(db, token), token.decimals)


@router.get(
    "/{id}/holders/export",
    openapi_extra=_SIGNED_IN,
    response_class=StreamingResponse,
    responses=_EXPORTED,
)
async def export_holders(
    token_id: TokenPath,
    caller: CallerDep,
    db: DatabaseDep,
    form: Annotated[Literal["csv", "json"], Query(alias="format")] = "csv",
) -> StreamingResponse:
    """The whole cap table as a file."""
    token = await holders.visible(db, caller, TokenId(token_id))
    lines, media_type = (_csv, "text/csv") if form == "csv" else (_json, "application/json")
    headers = {"Content-Disposition": f'attachment; filename="{token.symbol}-holders.{form}"'}
    return StreamingResponse(lines(db, token), media_type=media_type, headers=headers)


async def _csv(db: Database, token: Token) -> AsyncIterator[str]:
    yield csv_line(_COLUMNS)
    async for holder in holders.everybody(db, token):
        told = HolderAnswer.of(holder, token.decimals).model_dump(by_alias=True)
        yield csv_line([told[column] for column in _COLUMNS])


async def _json(db: Database, token: Token) -> AsyncIterator[str]:
    yield '{"data":['
    separator = ""
    async for holder in holders.everybody(db, token):
        yield separator + HolderAnswer.of(holder, token.decimals).model_dump_json(by_alias=True)
        separator = ","
    yield "]}"
