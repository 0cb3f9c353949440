"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once."""

import sys

import typer

from deedbook.cli import audit, bench, chain, people, processes, records

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for commands in (people, processes, records):
    app.registered_commands += commands.app.registered_commands
app.add_typer(chain.chain_app, name="chain", invoke_without_command=True)
app.add_typer(bench.bench_app, name="bench")
app.add_typer(audit.audit_app, name="audit")


def main() -> None:
    """Entry point: expected troubles become one clear line, never a traceback."""
    from deedbook.infra.embedded import EmbeddedError
    from deedbook.infra.settings import SettingsError
    from deedbook.kernel.errors import Refusal

    try:
        app()
    except (SettingsError, EmbeddedError) as error:
        sys.exit(f"deedbook: {error}")
    except Refusal as refusal:
        sys.exit(f"deedbook: {refusal.title}: {refusal.detail}")
