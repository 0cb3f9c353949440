"""The core, without input or output: what is asked, when it is asked again, and what comes of it.

A flow is a generator. It yields what is to be done (`Request`, `Wait`) and is told what came of it; `Client` and
`AsyncClient` only carry that out. So everything about signing in, repeating and reading stands here once, for both.
"""

import json
import secrets
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from deedbook.client.answers import Exchange, Me, Token
from deedbook.client.errors import DeedbookError, RateLimitedError, UnavailableError, Unreachable
from deedbook.client.problems import error_of
from deedbook.client.refusals import IdempotencyKeyInFlight, InternalError, Unauthenticated
from deedbook.client.signers import Signer

T = TypeVar("T")
PREFIX = "/api/v1"
MAX_ATTEMPTS = 5
FIRST_PAUSE_S = 0.2
MAX_PAUSE_S = 20.0
"""Whoever is told to wait longer is told so, and not kept."""


@dataclass(frozen=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True)
class Reply:
    """What came back. The names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes


Flow = Generator[Request | Wait, Reply | None, T]


@dataclass(frozen=True)
class Call:
    """One request to the API. It is sent again only where that is `repeatable`: it reads, or it has a key or a name by
    which the platform knows it again."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    key: str | None = None
    version: int | None = None
    signed_in: bool = True
    repeatable: bool = True


@dataclass
class Session:
    """What a client remembers. A token that is given, such as an API key, is never renewed."""

    url: str
    signer: Signer | None = None
    token: str | None = None
    exchange: Exchange | None = None
    me: Me | None = None
    tokens: dict[str, Token] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    new_nonce: Callable[[], str] = lambda: secrets.token_hex(16)
    sign_in: Callable[["Session"], Flow[None]] | None = None

    def request(self, call: Call) -> Request:
        """The call as it is sent."""
        headers = {"Accept": "application/json"}
        if call.signed_in and self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if call.key is not None:
            headers["Idempotency-Key"] = call.key
        if call.version is not None:
            headers["If-Match"] = f'"{call.version}"'
        content = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.body, separators=(",", ":")).encode()
        return Request(call.method, self.url + PREFIX + call.path + _query(call.query), headers, content)


def signer_of(session: Session) -> Signer:
    """Whoever signs.

    Raises:
        ValueError: nobody does.
    """
    if session.signer is None:
        raise ValueError("this is signed: give the client a signer")
    return session.signer


def ask(session: Session, call: Call) -> Flow[Any]:
    """Send a call, again where that is safe and may help, and read the JSON of its answer.

    Raises:
        DeedbookError: it was refused, or no answer came.
    """
    renewed = False
    for attempt in range(MAX_ATTEMPTS):
        if call.signed_in and session.token is None and session.sign_in is not None:
            yield from session.sign_in(session)
        try:
            return (yield from _once(session, call))
        except Unauthenticated:
            if not call.signed_in or session.sign_in is None or renewed:
                raise
            session.token, renewed = None, True
        except DeedbookError as error:
            if attempt + 1 == MAX_ATTEMPTS or not _may_help(error, call):
                raise
            pause = _pause(error, attempt)
            if pause > MAX_PAUSE_S:
                raise
            yield Wait(pause)
    raise AssertionError("the last attempt returns or raises")


def _once(session: Session, call: Call) -> Flow[Any]:
    reply = yield session.request(call)
    assert reply is not None, "a request has an answer"
    return read_reply(reply)


def read_reply(reply: Reply) -> Any:
    """The JSON of an answer.

    Raises:
        DeedbookError: it is a refusal, or no answer of Deedbook's.
    """
    try:
        told = json.loads(reply.content) if reply.content else None
    except ValueError:
        told = None
    if not 200 <= reply.status < 300:
        raise error_of(reply.status, told, reply.headers)
    if told is None:
        raise Unreachable(f"an answer {reply.status} without JSON came", status=reply.status)
    return told


def _may_help(error: DeedbookError, call: Call) -> bool:
    """Whether to send it again. What is refused for its rate, or by a platform that cannot, was not carried out."""
    if isinstance(error, InternalError):
        return False
    if isinstance(error, RateLimitedError | UnavailableError):
        return True
    return call.repeatable and isinstance(error, Unreachable | IdempotencyKeyInFlight)


def _pause(error: DeedbookError, attempt: int) -> float:
    """What the platform says, or twice as long each time; spread, so that many do not come back together."""
    backed_off: float = FIRST_PAUSE_S * 2**attempt * (1 + secrets.randbelow(500) / 1000)
    return max(error.retry_after or 0.0, backed_off)


def _query(query: Mapping[str, str]) -> str:
    return "?" + urlencode(query) if query else ""
