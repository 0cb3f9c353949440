"""Orders placed and cancelled: the hot routes, which read their bodies themselves."""

from functools import partial
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from pydantic import ValidationError

from deedbook.api.deps import SIGNED_IN, access, fingerprint, readable_key, require_room
from deedbook.api.errors import invalid_fields, problem_body, status_of
from deedbook.api.hot import Answer, HotRoute, a_body, a_key, an_id, json_answer
from deedbook.api.key_use import place_all_as, place_as
from deedbook.api.strict import StrictRequest, quick_json, require_json
from deedbook.api.turnstile import Entrance
from deedbook.api.v1.quick_orders import read_order, read_orders
from deedbook.api.v1.schemas.trading import (
    BatchAnswer,
    OrderAnswer,
    PlaceOrder,
    PlaceOrders,
    SomeOrders,
)
from deedbook.identity import Caller
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.errors import FieldError, Invalid, Refusal
from deedbook.kernel.ids import parse_uuid
from deedbook.trading.entry import Asked, OrderEntry, Repeat
from deedbook.trading.intake import Taken
from deedbook.trading.terms import OrderId

router = APIRouter(prefix="/trading", tags=["orders"], route_class=HotRoute)

READ_BY_HAND = (PlaceOrder, PlaceOrders)
"""Bodies of hot routes, which the framework does not know of."""
_PLACE = access(SIGNED_IN, bucket="orders")
_CANCEL = access(SIGNED_IN, bucket="cancels")


@router.post(
    "/orders",
    status_code=201,
    openapi_extra=_PLACE | a_body(PlaceOrder) | a_key(),
    response_model=OrderAnswer,
)
async def place(request: Request) -> Answer:
    """Place a signed order. The answer is given when the order is durable; it is matched right after."""
    return await _take(request, None)


@router.post(
    "/orders/{id}/replace",
    status_code=201,
    openapi_extra=_PLACE | a_body(PlaceOrder) | an_id(a_key()),
    response_model=OrderAnswer,
)
async def replace(request: Request) -> Answer:
    """Place a signed order and ask for the end of an older one of mine on the same pair: both are durable, or neither.
    What of the old one was filled before the book obeys stays filled. The new one needs funds of its own: what the old
    one holds is free once it is cancelled."""
    return await _take(request, OrderId(_id(request)))


@router.post("/orders/batch", openapi_extra=_PLACE | a_body(PlaceOrders), response_model=BatchAnswer)
async def place_many(request: Request) -> Answer:
    """Place up to 100 signed orders, each with a fate of its own. They come in together: in which order is not
    promised, and sending an accepted one again is refused as a duplicate."""
    body = await _body(request)
    sent = [_asked(order) for order in read_orders(body) or _sent(quick_json(body))]
    readable = [asked for asked in sent if isinstance(asked, Asked)]
    entry: OrderEntry = request.app.state.entry
    fates = iter(await place_all_as(entry, readable, request.state.caller, _entrance(request)))
    answers = [_item(request, one if isinstance(one, Refusal) else next(fates)) for one in sent]
    await failpoint("api.beforeReply")
    return json_answer(200, b'{"data":[' + b",".join(answers) + b"]}")


@router.delete("/orders/{id}", status_code=202, openapi_extra=_CANCEL | an_id(), response_model=OrderAnswer)
async def cancel(request: Request) -> Answer:
    """Cancel an order. Answered when the request is durable; what was filled until then stays filled."""
    order_id = _id(request)
    await StrictRequest(request.scope, request.receive).read(takes_fields=False)
    caller: Caller = request.state.caller
    passed = await request.app.state.turnstile.enter("cancels", caller)
    require_room(request, passed.standing)
    entry: OrderEntry = request.app.state.entry
    order = await entry.cancels.cancel(caller.user_id, order_id)
    await failpoint("api.beforeReply")
    return json_answer(202, orjson.dumps(order))


async def _take(request: Request, replaces: OrderId | None) -> Answer:
    body = await _body(request)
    asked = read_order(body) or _order(quick_json(body))
    caller: Caller = request.state.caller
    entry: OrderEntry = request.app.state.entry
    key = readable_key(request.headers.get("idempotency-key"))
    repeat = Repeat(key, fingerprint(request, body)) if key is not None else None
    taken = await place_as(entry, asked, caller, _entrance(request), repeat, replaces)
    await failpoint("api.beforeReply")
    if taken.replayed:
        return json_answer(201, taken.answer, (b"idempotent-replayed", b"true"))
    return json_answer(201, taken.answer)


def _id(request: Request) -> UUID:
    order_id = parse_uuid(request.path_params["id"])
    if order_id is None:
        bad = FieldError("/path/id", "value_error", "an id is a UUID in its canonical form")
        raise Invalid("some fields are not valid", errors=(bad,))
    return order_id


async def _body(request: Request) -> bytes:
    """The body of a hot route, of the one type that is read."""
    message = await request.receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await request.receive()
        body += message.get("body", b"")
    if not body:
        raise Invalid("send an order", errors=(FieldError("/", "missing", "there is no body"),))
    require_json(request)
    return body


def _sent(told: Any) -> list[Any]:
    """Raises Invalid: it is no batch."""
    try:
        return SomeOrders.model_validate(told).orders
    except ValidationError as error:
        raise invalid_fields(error.errors(include_url=False)) from None


def _order(told: Any) -> Asked:
    """Raises Invalid: names each bad field."""
    try:
        return PlaceOrder.model_validate(told).asked()
    except ValidationError as error:
        raise invalid_fields(error.errors(include_url=False)) from None


def _asked(told: Any) -> Asked | Refusal:
    try:
        return told if isinstance(told, Asked) else _order(told)
    except Refusal as refusal:
        return refusal


def _entrance(request: Request) -> Entrance:
    state = request.state
    return Entrance(request.app.state.turnstile, state.caller, partial(setattr, state, "standing"))


def _item(request: Request, fate: Taken | Refusal) -> bytes:
    """One order's part of the answer to a batch."""
    if isinstance(fate, Refusal):
        problem = problem_body(request, fate)
        return orjson.dumps({"status": status_of(type(fate)), "order": None, "problem": problem})
    return b'{"status":201,"order":' + fate.answer + b',"problem":null}'
