"""Keys of OpenID Connect issuers, by discovery and JWKS over our safe transport; kept, and bounded in every way.

An unknown key has its issuer asked again, since issuers change their keys, but not more often than every half
minute: tokens with made-up keys cost nobody anything. While an issuer is silent its known keys go on for an hour.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import structlog

from deedbook.identity.errors import IssuerUnavailable
from deedbook.integrations.answers import NoAnswer, ask
from deedbook.integrations.outward import PublicTransport

log = structlog.get_logger(__name__)

DISCOVERY = "/.well-known/openid-configuration"
KEPT_S = 600.0
AGAIN_S = 30.0
AT_MOST_S = 3600.0
MAX_BYTES = 256 * 1024
MAX_KEYS = 64
Jwk = Mapping[str, Any]


@dataclass
class _Known:
    """What an issuer has told: when, and when it was asked last."""

    keys: tuple[Jwk, ...] = ()
    told_at: float = -math.inf
    asked_at: float = -math.inf
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class OidcIssuers:
    """Implements the `Issuers` port. One per process."""

    def __init__(
        self,
        audiences: Mapping[str, str],
        *,
        timeout_s: float,
        private_too: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.audiences = dict(audiences)
        self._timeout_s = timeout_s
        self._clock = clock
        self._known = {issuer: _Known() for issuer in audiences}
        self._http = httpx2.AsyncClient(
            transport=PublicTransport(private_too=private_too), timeout=timeout_s, trust_env=False
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def keys(self, issuer: str, key_id: str) -> Sequence[Jwk]:
        """The issuer's keys, asked for again where none is called so.

        Raises:
            IssuerUnavailable: it does not tell them, and what it told is too old.
        """
        known = self._known[issuer]
        if self._must_ask(known, key_id):
            async with known.asking:
                if self._must_ask(known, key_id):
                    await self._ask(issuer, known)
        if self._clock() - known.told_at > AT_MOST_S:
            raise IssuerUnavailable(retry_after_s=AGAIN_S)
        return known.keys

    def _must_ask(self, known: _Known, key_id: str) -> bool:
        now = self._clock()
        if now - known.asked_at < AGAIN_S:
            return False
        return now - known.told_at > KEPT_S or not any(key.get("kid") == key_id for key in known.keys)

    async def _ask(self, issuer: str, known: _Known) -> None:
        known.asked_at = self._clock()
        try:
            found = await self._read(issuer.rstrip("/") + DISCOVERY)
            if found.get("issuer") != issuer:
                raise NoAnswer("it calls itself by another name")
            told = (await self._read(str(found.get("jwks_uri")))).get("keys")
            if not isinstance(told, list) or len(told) > MAX_KEYS:
                raise NoAnswer("what it calls its keys are none, or too many")
        except NoAnswer as nothing:
            log.warning("issuer_does_not_tell_its_keys", issuer=issuer, why=str(nothing))
            return
        known.keys = tuple(key for key in told if isinstance(key, dict) and key.get("kty") != "oct")
        known.told_at = self._clock()

    async def _read(self, url: str) -> dict[str, Any]:
        headers = {"accept": "application/json"}
        answer = await ask(
            self._http, "GET", url, within_s=self._timeout_s, at_most=MAX_BYTES, headers=headers
        )
        told = answer.json() if answer.status == 200 else None
        if not isinstance(told, dict):
            raise NoAnswer(f"status {answer.status}, or no JSON object")
        return told
