"""Tickets for the WebSocket, whose address is `/ws` beside these routes."""

from fastapi import APIRouter

from deedbook.api.deps import SIGNED_IN, CallerDep, ResourcesDep, access
from deedbook.api.live.tickets import TICKET_S, new_ticket
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Answer
from deedbook.identity.errors import Forbidden

router = APIRouter(tags=["live"], route_class=StrictRoute)


class TicketAnswer(Answer):
    """Open `/ws?ticket=…` with it, or send it there as `{"op":"auth","ticket":…}`."""

    ticket: str
    expires_in: int


@router.post("/ws/ticket", status_code=201, openapi_extra=access(SIGNED_IN, bucket="reads", in_person=True))
async def ticket(caller: CallerDep, resources: ResourcesDep) -> TicketAnswer:
    """A ticket that says on a WebSocket who you are: good once, for half a minute. It stands for your session, which
    a page must not put into an address."""
    if caller.vouched is not None:
        raise Forbidden("a ticket stands for a session: send your token on the socket")
    return TicketAnswer(ticket=await new_ticket(resources.redis, caller), expires_in=TICKET_S)
