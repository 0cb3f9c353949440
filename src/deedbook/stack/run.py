"""What the commands do that concern the whole stack."""

import asyncio
import json
import sys
from typing import Any

from rich.console import Console

from deedbook import truths
from deedbook.infra.embedded import Home, HomeInUse
from deedbook.infra.settings import LOCAL_CHAIN_ID, Settings
from deedbook.integrations.sapphire.keys import load_signer
from deedbook.stack import environment, supervisor
from deedbook.stack.local_chain import local_chain
from deedbook.stack.ports import Ports
from deedbook.stack.supervisor import StackFailed, StoppedEarly, running_stack
from deedbook.wiring import open_worker_resources
from deedbook.workers.loops import stop_on_signals


async def up(settings: Settings, *, fresh: bool) -> int:
    """Run the stack until a signal comes; the exit code."""
    console = Console(stderr=True)
    stopping = stop_on_signals()
    home = Home.locate()
    try:
        async with running_stack(
            settings,
            home,
            fresh=fresh,
            progress=lambda text: console.print(f"[dim]· {text}[/]"),
            stopping=stopping,
        ) as stack:
            console.print(f"[bold green]Deedbook is running[/] at {stack.api_url} · data in {home.path}")
            for name, url in urls(stack.environ, settings).items():
                console.print(f"  {name:20} {url}", highlight=False)
            begins = "begins anew" if home.chain_in_memory.exists() else "goes on where this one ended"
            console.print(f"[dim]Ctrl-C stops it; the next `up` {begins}.[/]")
            await _first(stopping, stack.broken)
    except HomeInUse as refusal:
        console.print(f"[yellow]{refusal}[/]")
        return 3
    except StackFailed as failure:
        console.print(f"[red]{failure}[/]")
        return 1
    except StoppedEarly:
        pass
    console.print("Stopped.")
    return 0


async def demo(settings: Settings, *, as_json: bool, leave: bool, fresh: bool) -> int:
    """Run the demo on a stack of its own, or on the one that runs already; the exit code."""
    from deedbook.stack.demo import show

    stopping = stop_on_signals()
    home = Home.locate()
    console = Console(stderr=True)
    if environment.adopt_running_stack():
        console.print("[dim]· using the stack that runs already[/]")
        return await show(supervisor.load_with({}), console, as_json=as_json)
    try:
        async with running_stack(
            settings,
            home,
            fresh=fresh,
            progress=lambda text: console.print(f"[dim]· {text}[/]"),
            stopping=stopping,
        ) as stack:
            showing = asyncio.create_task(show(stack.settings, console, as_json=as_json))
            await _first(stopping, stack.broken, showing)
            if not showing.done():
                showing.cancel()
                return 130
            if not leave and not stopping.is_set():
                console.print("[dim]The stack goes on running. Ctrl-C stops it.[/]")
                await _first(stopping, stack.broken)
    except StackFailed as failure:
        console.print(f"[red]{failure}[/]")
        return 1
    except StoppedEarly:
        return 130
    return showing.result()


def urls(environ: dict[str, str], settings: Settings) -> dict[str, str]:
    """Where a newcomer may look."""
    api = f"http://localhost:{settings.PORT}"
    return {
        "Console": f"{api}/app",
        "API": f"{api}/api/v1/markets",
        "OpenAPI": f"{api}/openapi.json",
        "Ready": f"{api}/readyz",
        "Metrics": f"{api}/metrics",
        **_permission_service(environ, settings),
        "Chain (JSON-RPC)": environ.get("SAPPHIRE_RPC_URL") or settings.SAPPHIRE_RPC_URL or "",
    }


def _permission_service(environ: dict[str, str], settings: Settings) -> dict[str, str]:
    """Only the embedded one has a desk."""
    url = environ["ENTITY_PERMISSIONS_BASE_URL"]
    if environment.embedded_parts(settings).permissions:
        return {"Approval desk": f"{url}/desk"}
    return {"Permission service": url}


async def check(settings: Settings, *, as_json: bool) -> int:
    """Prove the truths; 1 when one is broken."""
    async with open_worker_resources(settings, "check") as resources:
        found = await truths.check_all(
            resources.db, resources.node, settings.SAPPHIRE_CHAIN_ID, load_signer(settings).address
        )
    console = Console(stderr=True)
    for truth in found:
        console.print(f"{'[green]holds [/]' if truth.holds else '[red]BROKEN[/]'} {truth.name}")
        for finding in truth.findings:
            console.print(f"         {finding}", highlight=False)
    if as_json:
        sys.stdout.write(json.dumps({truth.name: list(truth.findings) for truth in found}) + "\n")
    return 0 if all(truth.holds for truth in found) else 1


async def deploy_contracts(settings: Settings) -> dict[str, str]:
    """Deploy what is missing; the addresses."""
    from deedbook import chain

    async with open_worker_resources(settings, "chain-deploy") as resources:
        await supervisor.prepare(resources)
        found = await chain.contracts(resources.db, settings.SAPPHIRE_CHAIN_ID)
    return {contract.value: address for contract, address in found.items()}


async def serve_chain() -> None:
    """The local node alone, until a signal comes."""
    stopping = stop_on_signals()
    home = Home.locate()
    home.open()
    node = local_chain(home, Ports())
    async with node:
        Console(stderr=True).print(f"The chain {LOCAL_CHAIN_ID} is at {node.url}; Ctrl-C stops it.")
        await stopping.wait()


async def _first(stopping: asyncio.Event, *others: "asyncio.Future[Any]") -> None:
    """Return when told to stop, or when one of the others ends; raises what broke."""
    ended: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    try:
        done, _ = await asyncio.wait({ended, *others}, return_when=asyncio.FIRST_COMPLETED)
        for future in done:
            future.result()
    finally:
        ended.cancel()
