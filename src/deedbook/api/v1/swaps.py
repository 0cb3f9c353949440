"""Swaps: what one would give, signed swaps taken in, and what became of them."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook.api.deps import PUBLIC, SIGNED_IN, CallerDep, EntryDep, ResourcesDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_position, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.swaps import QuoteAnswer, QuoteSwap, SignedSwap, SwapAnswer
from deedbook.api.v1.schemas.trading import SIDES
from deedbook.identity import Scope
from deedbook.infra.database import Tx
from deedbook.trading import live_facts, swap_store, swap_views, swaps, trade_views
from deedbook.trading.book_copies import DEPTH_LEVELS
from deedbook.trading.entry import OrderEntry
from deedbook.trading.errors import SwapNotFound
from deedbook.trading.swaps import CheckedSwap

router = APIRouter(prefix="/swaps", tags=["swaps"], route_class=StrictRoute)

_SIGNED = access(SIGNED_IN, bucket="orders")
_READ = access(SIGNED_IN, bucket="reads", scope=Scope.READ)
_SHOW = access(PUBLIC, bucket="reads")
SwapPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.post("/quote", openapi_extra=_SHOW)
async def quote(body: QuoteSwap, entry: EntryDep, resources: ResourcesDep) -> QuoteAnswer:
    """What a swap would give with the book as it is now. Nothing is reserved, and nothing is promised: sign the least
    amount that you take."""
    spec = await entry.pairs.spec(body.trading_pair_id)
    book = await trade_views.depth(resources.db, resources.redis, spec, DEPTH_LEVELS)
    told = swaps.quote(spec, SIDES[body.side], body.amount_in, book)
    average = live_facts.average_price(spec, told.plan.lots, told.plan.notional)
    return QuoteAnswer.of(told, average, body.tolerance_bps, int(entry.now().timestamp()))


@router.post("", status_code=201, openapi_extra=_SIGNED, response_model=SwapAnswer)
async def place(
    body: SignedSwap, caller: CallerDep, entry: EntryDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Convert one token into the other, for at least what was signed or not at all. Answered when it is durable and
    what it gives is set aside; it is matched right after."""
    checked: list[CheckedSwap] = []

    async def check() -> None:
        checked.append(await swaps.check(entry, resources.gate, body.asked(), caller))

    async def work(tx: Tx) -> SwapAnswer:
        swap_id = await swaps.place(tx, caller.user_id, checked[0])
        row = await swap_views.row_within(tx, swap_id)
        return SwapAnswer.model_validate(swap_views.shown(row, [], checked[0].spec))

    answer = await unit.run(work, lambda told: told, status=201, before=check)
    entry.wake([(one.swap_id, one.spec.pair_id) for one in checked])
    return answer


@router.get("", openapi_extra=_READ)
async def my_swaps(
    caller: CallerDep, entry: EntryDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[SwapAnswer]:
    """My swaps, newest first."""
    before = decode_position("swaps", cursor)
    found = await swap_views.swaps_of(entry.db, caller.user_id, before=before, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("swaps", page[-1]["swap_number"]) if more else None
    return Page(data=await _shown(entry, page), next_cursor=following)


@router.get("/{id}", openapi_extra=_READ)
async def swap(swap_id: SwapPath, caller: CallerDep, entry: EntryDep) -> SwapAnswer:
    """One swap of mine, with the trades that carried it out."""
    row = await swap_views.swap(entry.db, swap_id)
    if row is None or row["user_id"] != caller.user_id:
        raise SwapNotFound
    [answer] = await _shown(entry, [row])
    return answer


async def _shown(entry: OrderEntry, rows: Sequence[dict[str, Any]]) -> list[SwapAnswer]:
    fills = await swap_store.fills(entry.db, [row["swap_id"] for row in rows])
    answers = []
    for row in rows:
        spec = await entry.pairs.spec(str(row["pair_id"]))
        answers.append(SwapAnswer.model_validate(swap_views.shown(row, fills[row["swap_id"]], spec)))
    return answers
