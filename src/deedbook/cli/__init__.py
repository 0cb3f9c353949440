"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once."""

import sys

import typer

from deedbook.cli import (
    audit,
    bench,
    book,
    chain,
    desk,
    key,
    market,
    money,
    order,
    people,
    processes,
    profile,
    records,
    swap,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for commands in (people, money, processes, records):
    app.registered_commands += commands.app.registered_commands
app.add_typer(market.market_app, name="market")
app.add_typer(order.order_app, name="order")
app.add_typer(swap.swap_app, name="swap")
app.add_typer(book.book_app, name="book")
app.add_typer(desk.compliance_app, name="compliance")
app.add_typer(profile.profile_app, name="profile")
app.add_typer(key.key_app, name="key")
app.add_typer(chain.chain_app, name="chain", invoke_without_command=True)
app.add_typer(bench.bench_app, name="bench")
app.add_typer(audit.audit_app, name="audit")


def main() -> None:
    """Entry point: expected troubles become one clear line and what to do, never a traceback."""
    from deedbook.cli.asking import hint
    from deedbook.cli.profiles import ProfileError
    from deedbook.client.errors import DeedbookError
    from deedbook.client.flows.waiting import StillWaiting
    from deedbook.infra.embedded import EmbeddedError
    from deedbook.infra.settings import SettingsError
    from deedbook.kernel.amounts import MalformedAmount
    from deedbook.kernel.errors import Refusal

    try:
        app()
    except (SettingsError, EmbeddedError, ProfileError, StillWaiting, MalformedAmount) as error:
        sys.exit(f"deedbook: {error}")
    except DeedbookError as error:
        sys.exit(f"deedbook: {error}\n{hint(error)}".rstrip())
    except Refusal as refusal:
        sys.exit(f"deedbook: {refusal.title}: {refusal.detail}")
