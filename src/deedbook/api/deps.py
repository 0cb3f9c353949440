"""What routes receive: the caller, the database, a unit of work. Deny by default lives here.

Every route says who may call it with `access(...)`; the guard runs before every route and refuses one that
says nothing.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from deedbook.api.key_use import key_standing, require_key_may, require_no_cap
from deedbook.api.ratelimit import Limiter, Standing, caller_address
from deedbook.identity import Caller, Recognition, Role, Scope
from deedbook.identity.errors import Forbidden, Unauthenticated, WalletNeeded
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.errors import FieldError, IdempotencyKeyReused, Invalid, Kind, Refusal
from deedbook.trading.entry import OrderEntry
from deedbook.trading.pairs import PairDirectory
from deedbook.wiring import Resources

T = TypeVar("T")

PUBLIC = "public"
SIGNED_IN = "signed-in"
IDEMPOTENCY_KEY = "Idempotency-Key"
ANY_QUERY = "x-any-query"
"""A route that says so leaves the query to the browser, which alone knows what stands there."""
MAX_TOKEN = 4096
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_IF_MATCH = re.compile(r'(?:W/)?"([0-9]{1,9})"')


class IdempotencyKeyRequired(Refusal):
    code, kind, title = "idempotency_key_required", Kind.MALFORMED, "Send an Idempotency-Key header"


class IdempotencyKeyMalformed(Refusal):
    code, kind, title = "idempotency_key_malformed", Kind.MALFORMED, "The Idempotency-Key cannot be read"


class IdempotencyKeyInFlight(Refusal):
    code, kind, title = "idempotency_key_in_flight", Kind.CONFLICT, "A request with this key is under way"


class BadIfMatch(Refusal):
    code, kind, title = "bad_if_match", Kind.MALFORMED, "The If-Match header cannot be read"


_SCOPES = {"reads": Scope.ACCOUNT, "orders": Scope.TRADE, "cancels": Scope.TRADE}


def access(
    *who: str | Role,
    bucket: str,
    keyed: bool = False,
    scope: Scope | None = None,
    in_person: bool = False,
) -> dict[str, Any]:
    """Who may call a route, in which bucket it counts, and whether it needs a key; for `openapi_extra`.

    An API key calls what anybody who is signed in may read, order or cancel, with the scope for it, and nothing else;
    not even that where one comes `in_person`.
    """
    names = [entry.value if isinstance(entry, Role) else entry for entry in who]
    extra: dict[str, Any] = {"x-access": names, "x-rate-bucket": bucket, "x-idempotency-key-required": keyed}
    if names != [PUBLIC]:
        extra["security"] = [{"bearer": []}]
    if scope is None and names == [SIGNED_IN] and not keyed and not in_person:
        scope = _SCOPES.get(bucket)
    if scope is not None:
        extra["x-key-scope"] = scope.value
        extra["security"].append({"apiKey": []})
    return extra


async def guard(request: Request) -> None:
    """Run before every route, and before its body is read: rate limit, authentication, role, parameters.

    A dependency of the whole app, so that no route goes without it; `StrictRoute` runs it earlier.

    Raises:
        RateLimited · Unauthenticated · Forbidden · Invalid: the first that applies.
    """
    if getattr(request.state, "guarded", False):
        return
    route = request.scope["route"]
    declared = getattr(route, "openapi_extra", None) or {}
    who, bucket = declared.get("x-access"), declared.get("x-rate-bucket")
    if not who or not bucket:
        raise Forbidden("this route says of nobody that they may call it")
    resources: Resources = request.app.state.resources
    note_address(request, resources)
    request.state.caller = None
    if who == [PUBLIC]:
        await _count(request, bucket, f"ip-{request.state.address}")
    else:
        caller = await _recognise(request)
        request.state.caller = caller
        require_key_may(request, caller, scope_of(route))
        if request.method != "GET" and bucket != "auth":
            require_account(caller)
        await _count(request, bucket, str(caller.user_id), caller.roles)
        if caller.key is not None and bucket == "orders":
            await _require_room_of_key(request, caller)
        if who != [SIGNED_IN] and not {role.value for role in caller.roles} & set(who):
            raise Forbidden(f"this takes the role {' or '.join(who)}")
    if not declared.get(ANY_QUERY):
        require_known_parameters(request, route)
    request.state.guarded = True


async def _count(request: Request, bucket: str, who: str, roles: frozenset[Role] = frozenset()) -> None:
    limiter: Limiter = request.app.state.limiter
    require_room(request, await limiter.count(bucket, who, roles))


def require_room(request: Request, standing: Standing) -> None:
    """Say in the answer how the caller stands, and go on only if this was not one too many.

    Raises:
        RateLimited: it was.
    """
    request.state.standing = standing
    standing.require_room()


def note_address(request: HTTPConnection, resources: Resources) -> None:
    """Remember from where the request comes."""
    request.state.address = caller_address(
        request.client.host if request.client else None,
        ",".join(request.headers.getlist("x-forwarded-for")),
        resources.settings.TRUSTED_PROXIES,
    )


def require_account(caller: Caller) -> None:
    """Raises WalletNeeded: somebody vouches for them, and they have bound no wallet yet."""
    if not caller.account:
        raise WalletNeeded("show which account is yours: POST /me/wallets")


async def _require_room_of_key(request: Request, caller: Caller) -> None:
    """For orders that come in another way than the hot one, where nobody counts their worth."""
    require_no_cap(caller)
    standing = await key_standing(request.app.state.limiter, caller)
    if standing is not None:
        require_room(request, standing)


async def _recognise(request: Request) -> Caller:
    """The caller. Credentials that do not hold count by address, so that guessing has an end."""
    recognition: Recognition = request.app.state.recognition
    try:
        return await recognition.recognise(shown_by(request))
    except Unauthenticated:
        await count_stranger(request)
        raise


async def count_stranger(request: Request) -> None:
    """Count a credential that does not hold, by where it came from."""
    await _count(request, "reads", f"ip-{request.state.address}")


def shown_by(request: HTTPConnection) -> str:
    """The access token of an Authorization header, or the API key of either.

    Raises:
        Unauthenticated: there is none, or both.
    """
    authorization = request.headers.get("authorization")
    if authorization is None and (key := request.headers.get("x-api-key")) and len(key) <= MAX_TOKEN:
        return key
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN or "x-api-key" in request.headers:
        raise Unauthenticated("send Authorization: Bearer <access token>, or one API key")
    return token


def scope_of(route: Any) -> Scope | None:
    """The scope that an API key must have to call this route; `None` where none suffices."""
    declared = (route.openapi_extra or {}).get("x-key-scope")
    return Scope(declared) if declared else None


def require_known_parameters(request: Request, route: Any) -> None:
    """Refuse query parameters that the route does not have, or that stand there twice.

    Raises:
        Invalid: names them.
    """
    known = {field.alias for field in route.dependant.query_params}
    unknown = sorted(set(request.query_params.keys()) - known)
    repeated = sorted(name for name in known if len(request.query_params.getlist(name)) > 1)
    errors = [
        FieldError(f"/query/{name[:64]}", "unknown_parameter", "this route has no such parameter")
        for name in unknown
    ]
    errors += [FieldError(f"/query/{name}", "repeated", "give it once") for name in repeated]
    if errors:
        raise Invalid("some query parameters are not valid", errors=tuple(errors))


def the_resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


def the_database(request: Request) -> Database:
    return the_resources(request).db


def the_entry(request: Request) -> OrderEntry:
    entry: OrderEntry = request.app.state.entry
    return entry


def the_pairs(request: Request) -> PairDirectory:
    known: PairDirectory = request.app.state.known_pairs
    return known


def the_caller(request: Request) -> Caller:
    caller: Caller | None = request.state.caller
    assert caller is not None, "a public route asks for no caller"
    return caller


def if_match(
    value: Annotated[
        str | None, Header(alias="If-Match", json_schema_extra={"pattern": r'^(\*|(W/)?"[0-9]{1,9}")$'})
    ] = None,
) -> int | None:
    """The version that the client saw, from `If-Match: "<version>"`.

    Raises:
        BadIfMatch: neither that nor `*`.
    """
    if value is None or value == "*":
        return None
    match = _IF_MATCH.fullmatch(value)
    if match is None:
        raise BadIfMatch('send the ETag you saw, such as If-Match: "3"')
    return int(match[1])


class Unit:
    """One request, one transaction, at most one effect per Idempotency-Key."""

    def __init__(self, request: Request, resources: Resources, key: str | None) -> None:
        self._request = request
        self._db = resources.db
        self._key = key

    async def run(
        self,
        work: Callable[[Tx], Awaitable[T]],
        render: Callable[[T], BaseModel],
        *,
        status: int = 200,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> Response:
        """Do the work once and answer. A repeated key gets the first answer again.

        `before` asks the outside world, with no transaction open. The answer is stored with the effect.

        Raises:
            IdempotencyKeyInFlight · IdempotencyKeyReused: what they say.
        """
        if self._key is None:
            if before is not None:
                await before()
            async with self._db.transaction() as tx:
                body = _render(render(await work(tx)))
            await failpoint("api.beforeReply")
            return _answer(status, body, replayed=False)
        principal, fingerprint = self._principal(), await self._fingerprint()
        async with self._db.reading() as connection:
            first = await connection.fetchrow(_STORED, principal, self._key)
        if first is not None:
            return _replay(dict(first), fingerprint)
        if before is not None:
            await before()
        async with self._db.transaction() as tx:
            lock = int.from_bytes(
                hashlib.sha256(f"{principal}\0{self._key}".encode()).digest()[:8], "big", signed=True
            )
            if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock):
                raise IdempotencyKeyInFlight(
                    "wait for the first request's answer, or ask again", retry_after_s=1
                )
            if (first := await tx.fetchrow(_STORED, principal, self._key)) is not None:
                return _replay(dict(first), fingerprint)
            body = _render(render(await work(tx)))
            kept = await tx.execute(
                "INSERT INTO idempotency_keys (principal, key, fingerprint, status, body) VALUES ($1, $2, $3, $4, $5) "
                "ON CONFLICT DO NOTHING",
                principal,
                self._key,
                fingerprint,
                status,
                body,
            )
            if kept != "INSERT 0 1":  # by an order, which comes in without that lock
                raise IdempotencyKeyInFlight("another request has just used this key", retry_after_s=1)
        await failpoint("api.beforeReply")
        return _answer(status, body, replayed=False)

    def _principal(self) -> str:
        caller: Caller | None = self._request.state.caller
        return str(caller.user_id) if caller else f"ip-{self._request.state.address}"

    async def _fingerprint(self) -> bytes:
        return fingerprint(self._request, await self._request.body())


def the_unit(
    request: Request,
    resources: Annotated[Resources, Depends(the_resources)],
    key: Annotated[
        str | None,
        Header(
            alias=IDEMPOTENCY_KEY,
            description="Repeat a request safely",
            json_schema_extra={"pattern": r"^[\x21-\x7e]{1,255}$"},
        ),
    ] = None,
) -> Unit:
    if key is None and request.scope["route"].openapi_extra["x-idempotency-key-required"]:
        raise IdempotencyKeyRequired(
            "this moves authority: send a fresh Idempotency-Key, and keep it for retries"
        )
    return Unit(request, resources, readable_key(key))


def readable_key(key: str | None) -> str | None:
    """An Idempotency-Key as it was sent, if any.

    Raises:
        IdempotencyKeyMalformed: it is none.
    """
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise IdempotencyKeyMalformed("1 to 255 visible ASCII characters, such as a UUID")
    return key


def fingerprint(request: Request, body: bytes) -> bytes:
    """What makes a request the same as an earlier one."""
    told = f"{request.method} {request.scope['path']}\n{request.headers.get('if-match', '')}\n".encode()
    return hashlib.sha256(told + body).digest()


_STORED = "SELECT fingerprint, status, body FROM idempotency_keys WHERE principal = $1 AND key = $2"


def _replay(first: Mapping[str, Any], fingerprint: bytes) -> Response:
    if first["fingerprint"] != fingerprint:
        raise IdempotencyKeyReused("use a fresh key for a new request")
    return _answer(first["status"], first["body"], replayed=True)


def _render(model: BaseModel) -> bytes:
    return model.model_dump_json(by_alias=True).encode()


def _answer(status: int, body: bytes, *, replayed: bool) -> Response:
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    return Response(body, status, headers, media_type="application/json")


ResourcesDep = Annotated[Resources, Depends(the_resources)]
PairsDep = Annotated[PairDirectory, Depends(the_pairs)]
"""For readers of market data: what a pair never changes, known for long. Its status and fees may be old."""
EntryDep = Annotated[OrderEntry, Depends(the_entry)]
DatabaseDep = Annotated[Database, Depends(the_database)]
CallerDep = Annotated[Caller, Depends(the_caller)]
UnitDep = Annotated[Unit, Depends(the_unit)]
IfMatchDep = Annotated[int | None, Depends(if_match)]
