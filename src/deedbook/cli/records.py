"""What is written down: truths, replays, the generated pages."""

import sys
from typing import Annotated

import typer

from deedbook.cli.common import JsonFlag, adopted_settings, run

app = typer.Typer()


@app.command()
def check(
    as_json: JsonFlag = False,
    integrations: Annotated[
        bool,
        typer.Option(
            "--integrations", help="Try PostgreSQL, Redis, chain, permission service, price sources."
        ),
    ] = False,
) -> None:
    """Prove every truth that applies, or try what we stand on; exits with 1 when a truth is broken, or something that
    is needed is not there. Price sources are not needed."""
    if integrations:
        from deedbook.stack.integrations import check_integrations

        run(check_integrations(adopted_settings("check"), as_json=as_json), exit_code=True)
    from deedbook.stack.run import check as run_check

    run(run_check(adopted_settings("check"), as_json=as_json), exit_code=True)


@app.command()
def docs(
    write: Annotated[bool, typer.Option("--write", help="Write docs/events.md and docs/errors.md.")] = False,
) -> None:
    """Compare the generated pages with the declarations they come from, or write them."""
    from deedbook.stack.pages import run_docs

    sys.exit(run_docs(write=write))


@app.command()
def replay(
    pair: Annotated[str, typer.Argument(help="A pair's symbol, such as LUXAPT-USDC, or its id.")],
    as_json: JsonFlag = False,
) -> None:
    """Carry out a pair's log of commands again, and compare the trades and the book; exits with 1 when they differ."""
    from deedbook.stack.replaying import run_replay

    run(run_replay(adopted_settings("replay"), pair, as_json=as_json), exit_code=True)
