"""Tickets: what a page shows instead of its access token to say on a socket who it is. Good once, for half a minute."""

import hashlib
import secrets
from typing import cast
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook import identity
from deedbook.identity import Caller
from deedbook.identity.errors import Unauthenticated
from deedbook.infra.database import Database
from deedbook.kernel.errors import Unavailable
from deedbook.kernel.ids import UserId

TICKET_S = 30


async def new_ticket(redis: Redis, caller: Caller) -> str:
    """A ticket for this session.

    Raises:
        Unavailable: Redis does not answer, and it alone keeps them.
    """
    ticket = secrets.token_urlsafe(32)
    try:
        await redis.set(_key(ticket), f"{caller.user_id} {caller.session_id}", ex=TICKET_S)
    except (RedisError, OSError, TimeoutError):
        raise Unavailable("no ticket can be given right now; send the access token on the socket") from None
    return ticket


async def use_ticket(db: Database, redis: Redis, ticket: str) -> Caller:
    """Whose ticket it is. It is worth nothing afterwards.

    Raises:
        Unauthenticated: it is unknown, used or over.
        Unavailable: it cannot be looked up now.
    """
    try:
        told = cast("str | None", await redis.getdel(_key(ticket)))
    except (RedisError, OSError, TimeoutError):
        raise Unavailable("the ticket cannot be looked up right now; send the access token") from None
    if told is None:
        raise Unauthenticated("the ticket is unknown, used or over; ask for a new one")
    user_id, session_id = map(UUID, told.split(" "))
    return await identity.caller_of_session(db, UserId(user_id), session_id)


def _key(ticket: str) -> str:
    """Only the hash of a ticket is kept."""
    return f"ws:ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"
