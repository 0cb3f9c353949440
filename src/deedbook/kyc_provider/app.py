"""One route behind a key, with bounds on what comes in. The answers to the newest checks are remembered, so that
the same check gives the same answer; after a restart it is made anew."""

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from deedbook.kyc_provider import rules
from deedbook.kyc_provider.rules import Finding

BODY_BYTES_MAX = 64 * 1024
REMEMBERED_MAX = 10_000
CONNECTIONS_MAX = 128
STOP_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """What the service needs to start."""

    api_key: str
    host: str = "127.0.0.1"
    port: int = 8090

    def __post_init__(self) -> None:
        if len(self.api_key) < 16:
            raise ValueError("the key of the KYC provider has at least 16 characters")


class Application(BaseModel):
    """One check. `checkId` is the caller's and makes the question repeatable."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)

    check_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    legal_name: Annotated[str, Field(min_length=1, max_length=200)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    document_ids: Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=20)]


def create_app(config: ProviderConfig, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> FastAPI:
    listed = rules.load_list()
    answered: OrderedDict[str, Finding] = OrderedDict()
    app = FastAPI(title="Deedbook KYC provider", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/checks")
    async def check(request: Request) -> JSONResponse:
        if not _has_key(request, config.api_key):
            return JSONResponse({"error": "the key is not known"}, 401)
        body = await _body(request)
        if body is None:
            return JSONResponse({"error": "the body is too large"}, 413)
        try:
            asked = Application.model_validate_json(body)
            UUID(asked.check_id)
        except (ValidationError, ValueError):
            return JSONResponse({"error": "the application cannot be read"}, 422)
        finding = answered.get(asked.check_id)
        if finding is None:
            finding = rules.judge(
                asked.check_id, asked.legal_name, asked.country, asked.document_ids, listed, clock()
            )
            answered[asked.check_id] = finding
            if len(answered) > REMEMBERED_MAX:
                answered.popitem(last=False)
        return JSONResponse(_answer(asked.country, finding))

    return app


def serve(config: ProviderConfig) -> None:
    """Serve until told to stop."""
    make_server(config).run()


def make_server(config: ProviderConfig) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            host=config.host,
            port=config.port,
            ws="none",
            access_log=False,
            log_level="warning",
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
        )
    )


def _has_key(request: Request, key: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), key.encode())


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


def _answer(country: str, finding: Finding) -> dict[str, Any]:
    return {
        "reference": finding.reference,
        "status": finding.status,
        "level": finding.level,
        "accreditation": finding.accreditation,
        "accreditationExpiresAt": _wire(finding.accreditation_expires_at),
        "jurisdiction": country,
        "screening": {"hit": bool(finding.lists), "lists": list(finding.lists)},
        "expiresAt": _wire(finding.expires_at),
    }


def _wire(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
