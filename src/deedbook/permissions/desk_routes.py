"""The approval desk's two addresses: the page, and the form that posts to it."""

from typing import Annotated
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from deedbook.permissions import approval_views, approvals, desk
from deedbook.permissions.errors import NotPermitted, Refusal
from deedbook.permissions.schemas import DecisionRequest
from deedbook.permissions.services import Services, ServicesOf

router = APIRouter(include_in_schema=False)

_FIELDS_MAX = 16
_NOTICES = {
    "approved": "The market was approved. The decision is on its way to the platform.",
    "rejected": "The market was rejected. The decision is on its way to the platform.",
}


class DeskForm(DecisionRequest):
    market_id: UUID


@router.get("/desk")
def get_desk(
    services: ServicesOf,
    cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
    decided: Annotated[str, Query(max_length=16)] = "",
) -> HTMLResponse:
    with services.store.read() as tx:
        waiting, following = approval_views.page_of_details(tx, limit=desk.PAGE_SIZE, after=cursor)
    page = desk.page(waiting, next_cursor=following, notice=_NOTICES.get(decided, ""))
    return HTMLResponse(page, headers=desk.HEADERS)


@router.post("/desk/decision")
async def post_desk_decision(request: Request, services: ServicesOf) -> Response:
    body = (await request.body()).decode(errors="replace")
    draft: dict[str, str] = {}
    try:
        _require_own_page(request, services)
        draft = dict(parse_qsl(body, max_num_fields=_FIELDS_MAX, keep_blank_values=True))
        form = DeskForm.model_validate(draft)
        decided = await run_in_threadpool(_decide, services, form)
    except ValidationError as error:
        return await run_in_threadpool(_refused, services, 400, _messages(error), draft)
    except Refusal as refusal:
        return await run_in_threadpool(_refused, services, refusal.status, [str(refusal)], draft)
    except ValueError:
        return await run_in_threadpool(_refused, services, 400, ["The form has too many fields."], draft)
    return RedirectResponse(f"/desk?decided={decided}", status_code=303, headers=desk.HEADERS)


def _require_own_page(request: Request, services: Services) -> None:
    """The desk knows no sessions, yet no other site may post decisions through a visitor's browser."""
    # A name that is not ours and yet leads here is DNS rebinding: then the browser's "same origin" says nothing.
    if (request.url.hostname or "") not in {"127.0.0.1", "localhost", "::1", *services.config.names}:
        raise NotPermitted("Open the desk under the address that it is configured for.")
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not own:
        raise NotPermitted("Decisions are sent from this page only.")


def _decide(services: Services, form: DeskForm) -> str:
    with services.store.write() as tx:
        result = approvals.decide(tx, form.market_id, form, principal_type=services.config.principal_type)
    return result.decision.value


def _refused(services: Services, status: int, errors: list[str], draft: dict[str, str]) -> HTMLResponse:
    with services.store.read() as tx:
        waiting, following = approval_views.page_of_details(tx, limit=desk.PAGE_SIZE, after=0)
    page = desk.page(waiting, next_cursor=following, errors=errors, draft=draft)
    return HTMLResponse(page, status_code=status, headers=desk.HEADERS)


def _messages(error: ValidationError) -> list[str]:
    return [": ".join((*map(str, problem["loc"]), problem["msg"])) for problem in error.errors()]
