"""For operators: how ledger and vault compare, and comparing them now."""

from fastapi import APIRouter, Response

from deedbook import custody
from deedbook.api.deps import CallerDep, DatabaseDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_moment_and_id, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page
from deedbook.api.v1.schemas.reconciliation import RunAnswer, RunRequested
from deedbook.identity import Role
from deedbook.infra.database import Tx

router = APIRouter(prefix="/admin/reconciliation", tags=["operations"], route_class=StrictRoute)

_LOOK = access(Role.OPERATOR, Role.ADMIN, Role.COMPLIANCE, bucket="reads")
_RUN = access(Role.OPERATOR, Role.ADMIN, bucket="writes", keyed=True)


@router.get("", openapi_extra=_LOOK)
async def runs(db: DatabaseDep, cursor: Cursor = None, limit: Limit = 20) -> Page[RunAnswer]:
    """The comparisons of ledger and vault, newest first."""
    before = decode_moment_and_id("reconciliation", cursor)
    rows = await custody.reconciliation_runs(db, before, limit + 1)
    page, more = rows[:limit], len(rows) > limit
    following = encode_cursor("reconciliation", page[-1]["created_at"], page[-1]["run_id"]) if more else None
    return Page(data=[RunAnswer.of(row) for row in page], next_cursor=following)


@router.post("/run", status_code=202, openapi_extra=_RUN, response_model=RunRequested)
async def run(caller: CallerDep, unit: UnitDep) -> Response:
    """Compare now: the run appears in the list as soon as the job is done."""

    async def work(tx: Tx) -> str:
        return custody.request_reconciliation(tx, caller)

    return await unit.run(work, lambda job_id: RunRequested(job_id=job_id), status=202)
