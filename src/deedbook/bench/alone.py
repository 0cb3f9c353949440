"""Benches that need no stack: run, show the table, print the JSON line."""

import json
import sys

from rich.console import Console

from deedbook.bench.result import BenchResult
from deedbook.bench.run import table


def tell(result: BenchResult, *, as_json: bool) -> int:
    """Show a result; the exit code."""
    console = Console(stderr=True)
    console.print(table(result))
    for note in result.notes:
        console.print(note, highlight=False)
    if as_json:
        sys.stdout.write(json.dumps(result.as_json()) + "\n")
        sys.stdout.flush()
    return 0 if result.ok else 1
