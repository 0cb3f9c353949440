"""The story of a demo: who takes part, what they call, what they have seen so far."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from deedbook import truths
from deedbook.identity import Domain
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import Struct
from deedbook.infra.settings import LOCAL_CHAIN_ID, Settings
from deedbook.kernel.ids import new_uuid
from deedbook.stack.wallet import Wallet, sign_in

POLL_S = 0.1
EXPIRES_IN_S = 3600


class DemoFailed(Exception):
    """A step did not do what it should; says what the answer was."""


@dataclass
class Step:
    """One step of the demo."""

    name: str
    seconds: float = 0.0
    ok: bool = False


@dataclass
class Story:
    """What the demo has done and seen so far."""

    settings: Settings
    http: httpx2.AsyncClient
    wallets: dict[str, Wallet]
    steps: list[Step] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    exchange: dict[str, Any] = field(default_factory=dict)
    has_desk: bool = True
    document_id: str = ""
    market: dict[str, Any] = field(default_factory=dict)
    pair: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    custody: dict[str, Any] = field(default_factory=dict)
    before: dict[str, dict[str, str]] = field(default_factory=dict)
    trades: list[dict[str, Any]] = field(default_factory=list)
    swap: dict[str, Any] = field(default_factory=dict)
    settlement: dict[str, Any] = field(default_factory=dict)
    balances: dict[str, dict[str, Any]] = field(default_factory=dict)
    reconciliation: dict[str, Any] = field(default_factory=dict)
    checked: list[truths.Truth] = field(default_factory=list)
    error: str = ""

    async def call(self, method: str, path: str, *, who: str = "", status: int = 200, **request: Any) -> Any:
        """One API call, which must answer with this status."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        if method == "POST":
            headers["Idempotency-Key"] = str(new_uuid())
        response = await self.http.request(method, path, headers=headers, **request)
        if response.status_code != status:
            raise DemoFailed(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
        return response.json()

    @property
    def has_test_dollars(self) -> bool:
        """Whether money can be made here: on the local chain alone."""
        return self.settings.SAPPHIRE_CHAIN_ID == LOCAL_CHAIN_ID

    def account(self, who: str) -> Address:
        return Address(self.wallets[who].address.lower())

    async def enter(self, who: str) -> None:
        """Sign in, and remember who that is."""
        self.tokens[who] = (await sign_in(self.http, self.wallets[who]))["accessToken"]
        self.users[who] = (await self.call("GET", "/me", who=who))["userId"]

    async def signed(self, who: str, struct: Struct, values: Mapping[str, Any]) -> dict[str, Any]:
        """A body with the fields of a struct, signed by its account."""
        domain = await self.domain()
        given = {"nonce": new_uuid().hex, "expiry": int(time.time()) + EXPIRES_IN_S, **values}
        ordered = {name: given[name] for name, _ in struct.fields}
        return {**ordered, "signature": self.wallets[who].sign_typed(domain, struct, ordered)}

    async def domain(self) -> Domain:
        """For which contract to sign."""
        if not self.exchange:
            self.exchange = await self.call("GET", "/exchange-info")
        told = self.exchange["eip712Domain"]
        return Domain(told["chainId"], Address(told["verifyingContract"].lower()))

    async def until(
        self, what: str, path: str, who: str, holds: Callable[[dict[str, Any]], bool], timeout_s: float = 60
    ) -> dict[str, Any]:
        """Ask until the answer is as wanted; that answer."""
        seen: dict[str, Any] = {}

        async def asked() -> bool:
            seen.update(await self.call("GET", path, who=who))
            return holds(seen)

        await until(asked, what, timeout_s)
        return seen


async def until(condition: Callable[[], Awaitable[bool]], what: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if await condition():
            return
        await asyncio.sleep(POLL_S)
    raise DemoFailed(f"waited {timeout_s:.0f} s for {what}")


Chapter = tuple[str, Callable[[Story], Awaitable[None]]]
Together = tuple[Chapter, ...]
"""Chapters that go on at the same time: most of each is waiting for the chain."""
