"""The ledger: my lines, my statement, and balances."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from deedbook import identity
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, EntryDep, access
from deedbook.api.paging import Cursor, Limit, decode_position, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.ledger import BalanceAnswer, LineAnswer
from deedbook.compliance.errors import TokenNotFound, UserNotFound
from deedbook.identity import Caller, Role
from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId
from deedbook.kernel.tabular import csv_line
from deedbook.ledger import LineKind, views
from deedbook.settlement import views as settlement_views
from deedbook.trading import trade_views
from deedbook.trading.entry import OrderEntry

router = APIRouter(tags=["ledger"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads")
_STAFF = frozenset({Role.COMPLIANCE, Role.ADMIN, Role.OPERATOR})
_COLUMNS = ("id", "createdAt", "kind", "symbol", "tokenId", "amount", "balance", "postingId")
_TRADE_COLUMNS = ("pair", "side", "price", "priceSymbol", "fee", "id")
_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The statement", "content": {"text/csv": {}, "application/json": {}}}
}
EXPORT_PAGE = 1000
EXPORT_PAGES = 500
UserPath = Annotated[UUID, Path(alias="userId"), BeforeValidator(_uuid)]
TokenPath = Annotated[UUID, Path(alias="tokenId"), BeforeValidator(_uuid)]
TokenQuery = Annotated[
    UUID | None, Query(alias="tokenId"), BeforeValidator(lambda value: value and _uuid(value))
]


@router.get("/ledger", openapi_extra=_READ)
async def lines(
    caller: CallerDep,
    entry: EntryDep,
    token_id: TokenQuery = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[LineAnswer]:
    """My lines, newest first, each with the balance of its token after it, and with its price and fee where a trade
    made it."""
    before = decode_position("ledger", cursor)
    found = await views.statement(entry.db, caller.user_id, token_id, before, limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("ledger", page[-1]["line_id"]) if more else None
    return Page(data=await _told(entry, caller, page), next_cursor=following)


@router.get("/ledger/export", openapi_extra=_READ, response_class=Response, responses=_EXPORTED)
async def export(
    caller: CallerDep,
    entry: EntryDep,
    form: Annotated[Literal["csv", "json"], Query(alias="format")] = "csv",
    token_id: TokenQuery = None,
) -> Response:
    """My statement, newest first: at most 500,000 lines. Beside a line that a trade made, or that undoes one which will
    never settle, stands its price, and beside the one of its two lines that the fee is in, the fee."""
    found = _statement(entry, caller, token_id)
    if form == "csv":
        return StreamingResponse(_csv(found), media_type="text/csv", headers=_attached("csv"))
    return StreamingResponse(_json(found), media_type="application/json", headers=_attached("json"))


def _attached(form: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="statement.{form}"'}


async def _told(entry: OrderEntry, caller: Caller, page: Sequence[dict[str, Any]]) -> list[LineAnswer]:
    """Lines with the trades that made them, or that they undo: a trade is posted under its own id."""
    made = {row["posting_id"] for row in page if row["kind"] == LineKind.TRADE.value}
    moments = {row["created_at"] for row in page if row["kind"] == LineKind.COMPENSATION.value}
    undone = await settlement_views.undone_by(entry.db, caller.user_id, moments) if moments else {}
    of_posting = {trade_id: trade_id for trade_id in made} | undone
    found = await trade_views.trades_by_id(entry.db, of_posting.values()) if of_posting else []
    trades = {trade["trade_id"]: trade for trade in found}
    specs = {pair_id: await entry.pairs.spec(str(pair_id)) for pair_id in {row["pair_id"] for row in found}}
    answers = []
    for row in page:
        posting_id = row["posting_id"]
        trade, beside = trades.get(of_posting.get(posting_id, posting_id)), None
        if trade is not None:
            spec, token_id = specs[trade["pair_id"]], row["token_id"]
            is_undone = posting_id in undone
            beside = trade_views.of_line(trade, spec, caller.user_id, token_id, undone=is_undone)
        answers.append(LineAnswer.of(row, beside))
    return answers


async def _statement(entry: OrderEntry, caller: Caller, token_id: UUID | None) -> AsyncIterator[LineAnswer]:
    before: int | None = None
    for _ in range(EXPORT_PAGES):
        page = await views.statement(entry.db, caller.user_id, token_id, before, EXPORT_PAGE)
        for line in await _told(entry, caller, page):
            yield line
        if len(page) < EXPORT_PAGE:
            return
        before = page[-1]["line_id"]


async def _csv(found: AsyncIterator[LineAnswer]) -> AsyncIterator[str]:
    yield csv_line((*_COLUMNS, *_TRADE_COLUMNS[:-1], "feeSymbol", "tradeId"))
    async for line in found:
        told = line.model_dump(mode="json", by_alias=True)
        trade = told["trade"] or dict.fromkeys(_TRADE_COLUMNS)
        *of_trade, trade_id = [trade[column] for column in _TRADE_COLUMNS]
        fee_symbol = None if trade["fee"] is None else told["symbol"]
        yield csv_line([*(told[column] for column in _COLUMNS), *of_trade, fee_symbol, trade_id])


async def _json(found: AsyncIterator[LineAnswer]) -> AsyncIterator[str]:
    first = True
    yield '{"data":['
    async for line in found:
        yield ("" if first else ",") + line.model_dump_json(by_alias=True)
        first = False
    yield "]}"


@router.get("/tokens/balances/{userId}", openapi_extra=_READ)
async def balances(user_id: UserPath, caller: CallerDep, db: DatabaseDep) -> Page[BalanceAnswer]:
    """What a user has of every token: for themselves, compliance, admins and operators."""
    await _require_visible(db, caller, UserId(user_id))
    rows = await views.balances(db, user_id)
    return Page(data=[BalanceAnswer.of(row) for row in rows], next_cursor=None)


@router.get("/tokens/balances/{userId}/{tokenId}", openapi_extra=_READ)
async def balance(
    user_id: UserPath, token_id: TokenPath, caller: CallerDep, db: DatabaseDep
) -> BalanceAnswer:
    """What a user has of one token."""
    await _require_visible(db, caller, UserId(user_id))
    row = await views.balance(db, user_id, token_id)
    if row is None:
        raise TokenNotFound
    return BalanceAnswer.of(row)


async def _require_visible(db: Database, caller: Caller, user_id: UserId) -> None:
    """For everybody else a user does not exist."""
    if user_id == caller.user_id:
        return
    if not caller.roles & _STAFF:
        raise UserNotFound
    async with db.transaction() as tx:
        if await identity.account_of_user(tx, user_id) is None:
            raise UserNotFound
