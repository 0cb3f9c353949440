"""The demo: an asset becomes a live market, people hold and trade it, through the same HTTP calls that anybody would
make."""

import asyncio
import json
import sys
import time
from dataclasses import asdict
from typing import Any

import httpx2
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deedbook.infra.settings import Settings
from deedbook.stack.demo import holdings, issuance, proof, trading
from deedbook.stack.demo.story import Chapter, Step, Story, Together
from deedbook.stack.wallet import Wallet

PEOPLE = {
    "issuer": "issuer",
    "officer": "compliance",
    "operator": "operator",
    "alice": "investor",
    "bob": "second-investor",
}
"""Who takes part, each with their demo wallet: whoever opens the console afterwards may go on as any of them."""


async def show(settings: Settings, console: Console, *, as_json: bool) -> int:
    """Tell the story; 0 only when every step and every truth held."""
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.PORT}/api/v1", timeout=15, trust_env=False
    ) as http:
        story = Story(settings, http, _wallets(settings))
        await _tell(story, console)
    held = bool(story.checked) and all(truth.holds for truth in story.checked)
    ok = held and all(step.ok for step in story.steps) and not story.error
    _summary(story, console, ok)
    if as_json:
        sys.stdout.write(json.dumps(_as_json(story, held)) + "\n")
        sys.stdout.flush()
    return 0 if ok else 1


def _wallets(settings: Settings) -> dict[str, Wallet]:
    """This home's demo wallets; on a chain that is not local, new ones that nobody knows."""
    keys = settings.demo_wallets
    if not keys:
        return {who: Wallet.new() for who in PEOPLE}
    return {who: Wallet.from_key(bytes.fromhex(keys[name][2:])) for who, name in PEOPLE.items()}


def _chapters(story: Story) -> list[Together]:
    """All of them on the local chain; on a real one there is no play money to go on with."""
    return [
        *issuance.CHAPTERS,
        *([*holdings.CHAPTERS, *trading.CHAPTERS] if story.has_test_dollars else []),
        *proof.CHAPTERS,
    ]


async def _tell(story: Story, console: Console) -> None:
    groups = _chapters(story)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=sum(map(len, groups)))
        for group in groups:
            progress.update(task, description=" · ".join(name for name, _ in group))
            await asyncio.gather(*(_take(story, chapter) for chapter in group))
            if story.error:
                return
            progress.advance(task, len(group))


async def _take(story: Story, chapter: Chapter) -> None:
    """One step, written down however it ends."""
    name, act = chapter
    step, started = Step(name), time.monotonic()
    story.steps.append(step)
    try:
        await act(story)
        step.ok = True
    except Exception as error:
        story.error = story.error or f"{name}: {error!r}"
    step.seconds = round(time.monotonic() - started, 3)


def _summary(story: Story, console: Console, ok: bool) -> None:
    table = Table(title="From an asset to a market that people trade", title_justify="left")
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
            *((who.capitalize(), _held(story, who)) for who in story.balances),
            ("Settled", _settled(story)),
            ("Ledger = vault", _reconciled(story)),
            ("Truths", f"{sum(t.holds for t in story.checked)} of {len(story.checked)} hold"),
            ("Console", f"http://localhost:{story.settings.PORT}/app"),
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


def _held(story: Story, who: str) -> str:
    return ", ".join(f"{amount} {symbol}" for symbol, amount in story.balances[who].items()) or "nothing"


def _settled(story: Story) -> str:
    if not story.settlement:
        return "–"
    told = story.settlement
    gas = f", {told['gasPerTrade']:,} gas each" if told["gasPerTrade"] else ""
    return f"{told['settled']} trades{gas}, {told['lagP50S']:g} s after their match"


def _reconciled(story: Story) -> str:
    if not story.reconciliation:
        return "–"
    return f"to the last unit, at block {story.reconciliation['blockNumber']}"


def _as_json(story: Story, held: bool) -> dict[str, Any]:
    return {
        "market": story.market,
        "pair": story.pair,
        "custody": story.custody,
        "trades": story.trades,
        "swap": story.swap,
        "settlement": story.settlement,
        "balances": story.balances,
        "reconciliation": story.reconciliation,
        "steps": [asdict(step) for step in story.steps],
        "truths": held,
        "truthFindings": {truth.name: list(truth.findings) for truth in story.checked},
        "rpcUrl": story.settings.SAPPHIRE_RPC_URL,
        "apiUrl": f"http://localhost:{story.settings.PORT}",
        "error": story.error or None,
    }
