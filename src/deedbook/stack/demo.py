"""The demo: an asset becomes a live market, through the same HTTP calls that anybody would make."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx2
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deedbook import truths
from deedbook.infra.settings import Settings
from deedbook.integrations.entity_permissions.client import POLL_LIMIT, SOURCE
from deedbook.kernel.ids import new_uuid
from deedbook.stack.grant import grant
from deedbook.stack.wallet import Wallet, sign_in
from deedbook.wiring import open_worker_resources

SYMBOL = "LUXAPT"
LIVE_TIMEOUT_S = 120.0
POLL_S = 0.1


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
    issuer: Wallet
    officer: Wallet
    steps: list[Step] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    has_desk: bool = True
    document_id: str = ""
    market: dict[str, Any] = field(default_factory=dict)
    pair: dict[str, Any] = field(default_factory=dict)
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


async def show(settings: Settings, console: Console, *, as_json: bool) -> int:
    """Tell the story; 0 only when every step and every truth held."""
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.PORT}/api/v1", timeout=15, trust_env=False
    ) as http:
        story = Story(settings, http, Wallet.new(), Wallet.new())
        await _tell(story, console)
    held = bool(story.checked) and all(truth.holds for truth in story.checked)
    ok = held and all(step.ok for step in story.steps) and not story.error
    _summary(story, console, ok)
    if as_json:
        sys.stdout.write(json.dumps(_as_json(story, held)) + "\n")
        sys.stdout.flush()
    return 0 if ok else 1


async def _tell(story: Story, console: Console) -> None:
    chapters: list[tuple[str, Callable[[Story], Awaitable[None]]]] = [
        ("Grant the issuer and the compliance officer their roles", _grant_roles),
        ("Sign in with Ethereum, twice", _sign_in),
        ("Put the deed of title on record", _add_document),
        ("Register the asset as a market", _register),
        ("The permission service hears of it", _await_desk),
        ("The officer approves, and the decision counts", _approve),
        ("The token contract is deployed, the market goes live", _await_live),
        ("The trading pair opens", _await_pair),
        ("Prove every truth, on the chain too", _prove),
    ]
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(chapters))
        for name, chapter in chapters:
            progress.update(task, description=name)
            step, started = Step(name), time.monotonic()
            story.steps.append(step)
            try:
                await chapter(story)
                step.ok = True
            except Exception as error:
                story.error = f"{name}: {error!r}"
            step.seconds = round(time.monotonic() - started, 3)
            if story.error:
                return
            progress.advance(task)


async def _grant_roles(story: Story) -> None:
    await grant(
        story.settings, story.issuer.address, "issuer", f"Harbour Homes {story.issuer.address[2:8]}", ""
    )
    await grant(story.settings, story.officer.address, "compliance", "", "")


async def _sign_in(story: Story) -> None:
    for name, wallet in (("issuer", story.issuer), ("officer", story.officer)):
        story.tokens[name] = (await sign_in(story.http, wallet))["accessToken"]


async def _add_document(story: Story) -> None:
    body = {
        "title": "Deed of title",
        "kind": "title_deed",
        "mediaType": "application/pdf",
        "contentBase64": "JVBERi0xLjcK",
    }
    story.document_id = (await story.call("POST", "/documents", who="issuer", status=201, json=body))["id"]


async def _register(story: Story) -> None:
    listed = await story.call("GET", "/markets", params={"text": SYMBOL, "limit": 200})
    taken = {market["tokenSymbol"] for market in listed["data"]}
    symbol = next(s for n in range(1, 10_000) if (s := SYMBOL if n == 1 else f"{SYMBOL}-{n}") not in taken)
    body = {
        "name": "Luxury Apartment Building",
        "assetType": "real_estate",
        "tokenSymbol": symbol,
        "totalSupply": "1000000",
        "assetDetails": {
            "valuation": "25000000",
            "currency": "USD",
            "location": "1 Harbour Street, Lisbon",
            "complianceDocuments": [story.document_id],
            "regulatoryInfo": {"jurisdiction": "PT", "regulator": "CMVM"},
            "attributes": {"sqft": 48000, "units": 24, "yield": "5.2"},
        },
    }
    story.market = await story.call("POST", "/markets/register", who="issuer", status=201, json=body)


async def _await_desk(story: Story) -> None:
    async with _desk(story) as desk:
        # The stock permission service has none: it keeps the event, and the officer decides at our own API.
        story.has_desk = (await desk.get("/api/v1/approvals", params={"limit": 1})).status_code != 404
        has = _desk_has if story.has_desk else _service_has
        await _until(lambda: has(story, desk), "the permission service to receive the request", 30)


async def _desk_has(story: Story, desk: httpx2.AsyncClient) -> bool:
    return (await desk.get(f"/api/v1/approvals/{story.market['id']}")).status_code == 200


async def _service_has(story: Story, service: httpx2.AsyncClient) -> bool:
    query = {"event_type": "market.approval_requested", "source": SOURCE, "limit": str(POLL_LIMIT)}
    events = (await service.get("/api/v1/events", params=query)).raise_for_status().json()
    return any(event["payload"].get("market_id") == story.market["id"] for event in events)


async def _approve(story: Story) -> None:
    market_id, reason = story.market["id"], "documents verified, valuation plausible"
    if not story.has_desk:
        body = {"decision": "approve", "reason": reason}
        await story.call("POST", f"/markets/{market_id}/approve", who="officer", json=body)
        return
    async with _desk(story) as desk:
        officer = (await story.call("GET", "/me", who="officer"))["userId"]
        decision = {"decision": "approved", "reason": reason, "actor_id": officer}
        response = await desk.post(f"/api/v1/approvals/{market_id}/decision", json=decision)
        if response.status_code != 200:
            raise DemoFailed(f"the desk answered {response.status_code}: {response.text[:300]}")
    await _until(lambda: _has_left(story, "pending_approval"), "the decision to arrive", 30)


async def _await_live(story: Story) -> None:
    await _until(lambda: _has_left(story, "activating"), "the contract to stand", LIVE_TIMEOUT_S)
    if story.market["status"] != "active":
        raise DemoFailed(f"the market is {story.market['status']}: {story.market['metadata']}")


async def _await_pair(story: Story) -> None:
    symbol = f"{story.market['tokenSymbol']}-USDC"

    async def opened() -> bool:
        response = await story.http.get(f"/trading/pairs/{symbol}")
        if response.status_code == 200:
            story.pair = response.json()
        return response.status_code == 200

    await _until(opened, "the pair to open", 10)


async def _prove(story: Story) -> None:
    async with open_worker_resources(story.settings, "demo") as resources:
        story.checked = await truths.check_all(
            resources.db, resources.node, story.settings.SAPPHIRE_CHAIN_ID, resources.signer.address
        )
    broken = [f"{truth.name}: {truth.findings[0]}" for truth in story.checked if not truth.holds]
    if broken:
        raise DemoFailed("; ".join(broken))


async def _has_left(story: Story, status: str) -> bool:
    story.market = await story.call("GET", f"/markets/{story.market['id']}")
    return bool(story.market["status"] != status)


async def _until(condition: Callable[[], Awaitable[bool]], what: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if await condition():
            return
        await asyncio.sleep(POLL_S)
    raise DemoFailed(f"waited {timeout_s:.0f} s for {what}")


def _desk(story: Story) -> httpx2.AsyncClient:
    assert story.settings.ENTITY_PERMISSIONS_BASE_URL is not None
    return httpx2.AsyncClient(
        base_url=story.settings.ENTITY_PERMISSIONS_BASE_URL, timeout=10, trust_env=False
    )


def _summary(story: Story, console: Console, ok: bool) -> None:
    table = Table(title="From an asset to a live market", title_justify="left")
    table.add_column("Step")
    table.add_column("Seconds", justify="right")
    table.add_column("")
    for step in story.steps:
        table.add_row(step.name, f"{step.seconds:.2f}", "[green]ok[/]" if step.ok else "[red]failed[/]")
    console.print(table)
    if story.market:
        facts = Table(show_header=False, box=None)
        facts.add_column(no_wrap=True)
        facts.add_column(overflow="fold")
        for name, value in (
            ("Market", f"{story.market['name']} ({story.market['tokenSymbol']}), {story.market['status']}"),
            ("Contract", story.market.get("contractAddress") or "–"),
            ("Deployed in", story.market.get("deploymentTxHash") or "–"),
            ("Pair", story.pair.get("symbol", "–")),
            ("Truths", f"{sum(t.holds for t in story.checked)} of {len(story.checked)} hold"),
            ("See it", f"http://localhost:{story.settings.PORT}/api/v1/markets/{story.market['id']}/details"),
            (
                "Its history",
                f"http://localhost:{story.settings.PORT}/api/v1/markets/{story.market['id']}/events",
            ),
            _permission_service(story),
            ("Chain", story.settings.SAPPHIRE_RPC_URL or ""),
        ):
            facts.add_row(f"[bold]{name}[/]", value)
        console.print(facts)
    if story.error:
        console.print(f"[red]{story.error}[/]", highlight=False)
    console.print("[bold green]Everything held.[/]" if ok else "[bold red]Something did not hold.[/]")


def _permission_service(story: Story) -> tuple[str, str]:
    url = story.settings.ENTITY_PERMISSIONS_BASE_URL
    return ("Approval desk", f"{url}/desk") if story.has_desk else ("Permission service", f"{url}")


def _as_json(story: Story, held: bool) -> dict[str, Any]:
    return {
        "market": story.market,
        "pair": story.pair,
        "steps": [asdict(step) for step in story.steps],
        "truths": held,
        "truthFindings": {truth.name: list(truth.findings) for truth in story.checked},
        "rpcUrl": story.settings.SAPPHIRE_RPC_URL,
        "apiUrl": f"http://localhost:{story.settings.PORT}",
        "error": story.error or None,
    }
