"""The console at `/app`: built files with the headers that keep a page what it is, and on a local chain the people as
whom a newcomer may try it out."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from deedbook.api.demo_people import demo_people
from deedbook.api.deps import ANY_QUERY, PUBLIC, ResourcesDep, access
from deedbook.api.shelf import Piece, Shelf
from deedbook.kernel.errors import RouteNotFound

router = APIRouter(include_in_schema=False)

_FILE = access(PUBLIC, bucket="health")
_PAGE = {**_FILE, ANY_QUERY: True}
YEAR_S = 31_536_000
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Deedbook</title>
<h1>The console has not been built</h1>
<p>Run <code>make console</code> in the clone and start the API again. <code>make demo</code> and
<code>make up</code> do it by themselves.</p>
<p>Everything that the console does, the API does too: <a href="/openapi.json">its contract</a>.</p></html>
"""


@router.get("/", openapi_extra=_FILE)
async def start() -> Response:
    """Who comes with a browser wants to see something."""
    return RedirectResponse("/app")


@router.get("/app/demo-people", openapi_extra=_FILE)
async def people(request: Request, resources: ResourcesDep) -> Response:
    """The demo wallets of a local stack, keys and all; nowhere else are there any, and under no name that somebody
    else may have led here, whose page would read them."""
    ours = _is_ours(request.url.hostname or "", request.app.state.public_url)
    found = demo_people(resources.settings) if ours else ()
    return JSONResponse({"people": [person.as_wire() for person in found]})


@router.get("/app", openapi_extra=_PAGE)
async def index(request: Request) -> Response:
    """The console."""
    return _shown(request, "")


@router.get("/app/{path:path}", openapi_extra=_PAGE)
async def file(path: str, request: Request) -> Response:
    """A page of the console, or a file of it."""
    return _shown(request, path)


def _is_ours(host: str, public_url: str) -> bool:
    """Whether only we can be meant: by our own names, or by number."""
    if host in ("localhost", urlsplit(public_url).hostname):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _shown(request: Request, path: str) -> Response:
    shelf: Shelf = request.app.state.shelf
    piece = shelf.find(path)
    if piece is not None and piece.is_page and (there := _by_its_name(request)):
        return RedirectResponse(there)
    if piece is not None:
        return _answer(request, piece)
    if shelf.find("") is None:
        return HTMLResponse(_NOT_BUILT, headers={**HEADERS, "Cache-Control": "no-store"})
    raise RouteNotFound


def _by_its_name(request: Request) -> str:
    """Where the page is to be opened instead: sign-in messages and the WebSocket's origin are for one name, and this
    machine has several."""
    public = urlsplit(request.app.state.public_url)
    if request.url.hostname not in ("127.0.0.1", "::1") or public.hostname != "localhost":
        return ""
    return str(request.url.replace(scheme=public.scheme, netloc=public.netloc))


def _answer(request: Request, piece: Piece) -> Response:
    """The piece, unless the browser has it; smaller where the browser can unpack it."""
    kept = f"public, max-age={YEAR_S}, immutable" if piece.unchanging else "no-cache"
    headers: dict[str, Any] = {
        **HEADERS,
        "Cache-Control": kept,
        "ETag": piece.etag,
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == piece.etag:
        return Response(status_code=304, headers=headers)
    packed = piece.packed if "gzip" in request.headers.get("accept-encoding", "") else None
    if packed is not None:
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=piece.media_type)
    return Response(piece.content, headers=headers, media_type=piece.media_type)
