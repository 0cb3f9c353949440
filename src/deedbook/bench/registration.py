"""The market lifecycle under load: register, approve, activate, as issuers and an officer would over HTTP.

Approval starts the activation by itself, and `activate` is the way on after a deployment that failed. So every
second market's activation is taken back, as its last failed attempt would, and is started again by hand; the
tokens of all the others are deployed meanwhile.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2

from deedbook import markets, truths
from deedbook.bench import cost
from deedbook.bench.load import Load, RequestFailed
from deedbook.bench.result import BenchResult
from deedbook.bench.run import BenchFailed, Measure, Stage
from deedbook.kernel.ids import MarketId, new_uuid, parse_uuid
from deedbook.stack.grant import grant
from deedbook.stack.wallet import Wallet, sign_in
from deedbook.wiring import WorkerResources, open_worker_resources

REQUEST_TIMEOUT_S = 15.0
CONNECTIONS = 200
SETTLE_S = 2.0
"""After each round: what it causes behind its answers belongs to its cost, and would delay the next one's."""
LIVE_TIMEOUT_S = 120.0
LIVE_TIMEOUT_PER_MARKET_S = 2.0
POLL_S = 0.5

Call = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Plan:
    """How much of it. Several issuers, so that answers of the permission service are not all remembered ones."""

    markets: int = 300
    per_s: float = 10.0
    burst: int = 50
    issuers: int = 10


def registration(plan: Plan) -> Measure:
    """The bench, ready to be run on a stage."""
    return partial(_measure, plan)


async def _measure(plan: Plan, stage: Stage) -> BenchResult:
    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with (
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{stage.settings.PORT}/api/v1",
            timeout=REQUEST_TIMEOUT_S,
            trust_env=False,
            limits=limits,
        ) as http,
        open_worker_resources(stage.settings, "bench") as resources,
    ):
        stage.progress(f"Granting and signing in {plan.issuers} issuers and an officer")
        return await _Bench(plan, stage, http, resources).run()


class _Bench:
    def __init__(
        self, plan: Plan, stage: Stage, http: httpx2.AsyncClient, resources: WorkerResources
    ) -> None:
        self._plan = plan
        self._stage = stage
        self._http = http
        self._resources = resources
        self._run_id = new_uuid().hex[-6:].upper()
        self._registered = 0
        self._taking_back: list[asyncio.Task[str]] = []

    async def run(self) -> BenchResult:
        plan = self._plan
        issuers = [await self._somebody("issuer", number) for number in range(plan.issuers)]
        officer = await self._somebody("compliance", 0)
        register, before = self._load("register", plan.per_s), cost.cpu_us(self._stage.home)
        await self._send(register, self._registrations(issuers, plan.markets))
        spent = cost.per_unit(before, cost.cpu_us(self._stage.home), plan.markets)
        burst = self._load("register, all at once", None)
        await self._send(burst, self._registrations(issuers, plan.burst))
        approve = self._load("approve", plan.per_s)
        by_hand = set(register.answers[::2])
        await self._send(approve, [partial(self._approve, officer, id, by_hand) for id in register.answers])
        taken_back = [id for id in await asyncio.gather(*self._taking_back) if id]
        activate = self._load("activate", plan.per_s)
        await self._send(activate, [partial(self._activate, officer, id) for id in taken_back])
        went_live = await self._all_live(approve.answers)
        rounds = tuple(load.round for load in (register, burst, approve, activate))
        return BenchResult(
            name="registration",
            rate=rounds[0].rate,
            unit="registrations/s",
            p50_ms=rounds[0].p50_ms,
            p99_ms=rounds[0].p99_ms,
            cpu_us_per_unit=spent,
            rounds=rounds,
            truths=await self._truths_hold(),
            notes=(went_live,),
        )

    def _load(self, name: str, per_s: float | None) -> Load[str]:
        return Load(name, per_s=per_s)

    async def _send(self, load: Load[str], calls: list[Call]) -> None:
        self._stage.progress(f"{load.round.name.capitalize()}: {len(calls)}")
        await load.send(calls)
        await asyncio.sleep(SETTLE_S)
        if load.failures:
            raise BenchFailed(
                f"{load.round.name}: {len(load.failures)} failed; the first: {load.failures[0]}"
            )

    async def _somebody(self, role: str, number: int) -> str:
        """The access token of a new wallet with this role."""
        wallet = Wallet.new()
        entity = f"Bench {self._run_id}-{number}" if role == "issuer" else ""
        await grant(self._stage.settings, wallet.address, role, entity, "")
        return str((await sign_in(self._http, wallet))["accessToken"])

    # The requests

    def _registrations(self, issuers: list[str], count: int) -> list[Call]:
        first, self._registered = self._registered, self._registered + count
        return [
            partial(self._register, issuers[number % len(issuers)], number)
            for number in range(first, first + count)
        ]

    async def _register(self, token: str, number: int) -> str:
        body = {
            "name": f"Bench Building {number}",
            "assetType": "real_estate",
            "tokenSymbol": f"B{self._run_id}{number}",
            "totalSupply": "1000000",
            "assetDetails": {"valuation": "25000000", "currency": "EUR", "location": "Lisbon"},
        }
        return str((await self._post("/markets/register", token, 201, body))["id"])

    async def _approve(self, token: str, market_id: str, by_hand: set[str]) -> str:
        body = {"decision": "approve", "reason": "bench"}
        await self._post(f"/markets/{market_id}/approve", token, 200, body)
        if market_id in by_hand:  # at once, before the token is there; beside the request, whose time counts
            self._taking_back.append(asyncio.create_task(self._take_back(market_id)))
        return market_id

    async def _activate(self, token: str, market_id: str) -> str:
        await self._post(f"/markets/{market_id}/activate", token, 200, None)
        return market_id

    async def _post(self, path: str, token: str, status: int, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(new_uuid())}
        try:
            response = await self._http.post(path, headers=headers, json=body)
        except httpx2.HTTPError as error:
            raise RequestFailed(f"{path}: {type(error).__name__}") from None
        if response.status_code == 429:
            raise RequestFailed("the stack's rate limits are too low: start it with higher RATE_LIMIT_*")
        if response.status_code != status:
            raise RequestFailed(f"{path} answered {response.status_code}: {response.text[:300]}")
        answer: dict[str, Any] = response.json()
        return answer

    # Behind the requests

    async def _take_back(self, market_id: str) -> str:
        """The market, or nothing when its token was deployed already."""
        id = _market_id(market_id)
        async with self._resources.db.transaction() as tx:
            await markets.fail_activation(tx, id, attempt=1, error="taken back by a bench")
        market = await markets.read(self._resources.db, id)
        taken = market is not None and market.status is markets.MarketStatus.APPROVED
        return market_id if taken else ""

    async def _all_live(self, market_ids: list[str]) -> str:
        """Wait for the last token; says how long that took."""
        self._stage.progress(f"Waiting for {len(market_ids)} tokens on the chain")
        started, waiting = time.monotonic(), list(market_ids)
        within_s = LIVE_TIMEOUT_S + LIVE_TIMEOUT_PER_MARKET_S * len(waiting)
        while waiting:
            market = await markets.read(self._resources.db, _market_id(waiting[-1]))
            if market is not None and market.status is markets.MarketStatus.ACTIVE:
                waiting.pop()
                continue
            if time.monotonic() > started + within_s:
                raise BenchFailed(f"{len(waiting)} markets were not active after {within_s:.0f} s")
            await asyncio.sleep(POLL_S)
        return f"All {len(market_ids)} markets were active {time.monotonic() - started:.1f} s after the last request."

    async def _truths_hold(self) -> bool:
        settings, resources = self._stage.settings, self._resources
        found = await truths.check_all(
            resources.db, resources.node, settings.SAPPHIRE_CHAIN_ID, resources.signer.address
        )
        for truth in found:
            for finding in truth.findings:
                self._stage.progress(f"BROKEN {truth.name}: {finding}")
        return all(truth.holds for truth in found)


def _market_id(text: str) -> MarketId:
    found = parse_uuid(text)
    assert found is not None, text
    return MarketId(found)
