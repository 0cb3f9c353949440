"""`deedbook replay`: a pair's log of commands, carried out again."""

import json
import sys

from rich.console import Console

from deedbook.infra.settings import Settings
from deedbook.trading.pairs import PairDirectory
from deedbook.trading.replay import replay
from deedbook.wiring import open_resources


async def run_replay(settings: Settings, pair: str, *, as_json: bool) -> int:
    """Replay and tell; 1 when something differs.

    Raises:
        PairNotFound: there is no such pair.
    """
    async with open_resources(settings, "replay") as resources:
        spec = await PairDirectory(resources.db).spec(pair)
        found = await replay(resources.db, spec.pair_id)
    console = Console(stderr=True)
    for finding in found.findings:
        console.print(f"[red]{finding}[/]", highlight=False)
    told = (
        f"{found.commands} commands gave {found.trades} trades; the book's hash is {found.state_hash[:16]}…"
    )
    console.print(f"{spec.symbol}: {told}", highlight=False)
    if as_json:
        sys.stdout.write(
            json.dumps(
                {
                    "pair": spec.symbol,
                    "commands": found.commands,
                    "trades": found.trades,
                    "stateHash": found.state_hash,
                    "findings": list(found.findings),
                }
            )
            + "\n"
        )
    return 1 if found.findings else 0
