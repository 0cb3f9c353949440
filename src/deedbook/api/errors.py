"""Refusals as RFC 9457 problem details: one table from kinds to status, one shape for every answer."""

import re
from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from deedbook.kernel.errors import (
    FieldError,
    InternalError,
    Invalid,
    Kind,
    Malformed,
    MethodNotAllowed,
    Refusal,
    RouteNotFound,
)

log = structlog.get_logger(__name__)

STATUS: dict[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.ABSENT: 404,
    Kind.NOT_ALLOWED: 405,
    Kind.CONFLICT: 409,
    Kind.STALE: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.INVALID: 422,
    Kind.CLOSED: 423,
    Kind.RATE_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}
MAX_FIELD_ERRORS = 50


def status_of(refusal: type[Refusal]) -> int:
    return 500 if refusal is InternalError else STATUS[refusal.kind]


def refused(request: Request, refusal: Refusal) -> JSONResponse:
    """The answer to a refusal; where the fault is not the caller's, it is noted."""
    if status_of(type(refusal)) >= 500:
        log.warning("request_unavailable", code=refusal.code, detail=refusal.detail)
    return problem(request, refusal)


def problem(request: HTTPConnection, refusal: Refusal) -> JSONResponse:
    """The answer to a refusal."""
    body = problem_body(request, refusal)
    headers = {"Cache-Control": "no-store"}
    if "retryAfterMs" in body:
        headers["Retry-After"] = str(max(1, round(body["retryAfterMs"] / 1000)))
    if body["status"] == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="deedbook"'
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


def problem_body(request: HTTPConnection, refusal: Refusal) -> dict[str, Any]:
    """A refusal as problem details."""
    status = status_of(type(refusal))
    body: dict[str, Any] = {
        "type": f"{request.app.state.public_url}/docs/errors#{refusal.code}",
        "title": refusal.title,
        "status": status,
        "detail": refusal.detail,
        "instance": request.scope["path"][:512],
        "code": refusal.code,
        "requestId": getattr(request.state, "request_id", ""),
        **refusal.extra,
    }
    if refusal.errors:
        body["errors"] = [
            {"pointer": error.pointer, "code": error.code, "detail": error.detail}
            for error in refusal.errors[:MAX_FIELD_ERRORS]
        ]
    retry_after_s = (
        refusal.retry_after_s if refusal.retry_after_s is not None else (1 if status == 503 else None)
    )
    if retry_after_s is not None:
        body["retryAfterMs"] = int(retry_after_s * 1000)
    return body


def install(app: FastAPI) -> None:
    """Make every refusal of the app a problem. What is no refusal ends in `middleware.Envelope`."""

    async def a_refusal(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refusal)
        return refused(request, error)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        errors = error.errors()
        if any(entry["type"] == "json_invalid" for entry in errors):
            return problem(request, Malformed("the body is no JSON"))
        return problem(request, invalid_fields(errors))

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        refusal: Refusal = RouteNotFound() if error.status_code == 404 else Malformed(str(error.detail)[:200])
        if error.status_code == 405:
            refusal = MethodNotAllowed()
        response = problem(request, refusal)
        for name, value in (error.headers or {}).items():
            response.headers.setdefault(name, value)
        if error.status_code == 405:
            response.headers["Allow"] = _allowed(request, response.headers.get("Allow", ""))
        return response

    app.add_exception_handler(Refusal, a_refusal)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _allowed(request: Request, first: str) -> str:
    """All methods of an address. The framework names those of the first route alone that it finds there, be it one
    with an id in the place of a name."""
    paths, path = request.app.openapi()["paths"], request.scope["path"]
    for template, operations in paths.items():
        fits = re.fullmatch(re.sub(r"{[^}]+}", "[^/]+", template), path)
        if template == path or (path not in paths and fits and first.lower() in operations):
            return ", ".join(sorted(method.upper() for method in operations))
    return first


def invalid_fields(errors: Sequence[Any]) -> Invalid:
    """The refusal of fields that pydantic has found to be bad."""
    return Invalid("some fields are not valid", errors=tuple(map(_field_error, errors)))


def _field_error(entry: Any) -> FieldError:
    where = [str(part).replace("~", "~0").replace("/", "~1") for part in entry["loc"]]
    if where and where[0] in ("body", "query", "path", "header"):
        where = where[1:] if where[0] == "body" else where
    code = {"extra_forbidden": "unknown_field", "missing": "missing"}.get(entry["type"], entry["type"])
    return FieldError("/" + "/".join(where), str(code), str(entry["msg"])[:300])
