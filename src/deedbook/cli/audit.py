"""The sealed record: verify it, or write it to a file."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deedbook.cli.common import JsonFlag, adopted_settings, run

audit_app = typer.Typer(no_args_is_help=True, help="The sealed record: verify it, or write it to a file.")


class ExportForm(StrEnum):
    """What an exported file is."""

    CSV = "csv"
    JSON = "json"


@audit_app.command("verify")
def audit_verify(
    as_json: JsonFlag = False,
    head: Annotated[
        list[str] | None, typer.Option(help="A head noted down earlier, as it was printed; may be repeated.")
    ] = None,
) -> None:
    """Compute every seal again from the rows that stand there; exits with 1 at the first that differs."""
    from deedbook.stack.audit import parse_head
    from deedbook.stack.audit import verify as run_verify

    try:
        heads = dict(parse_head(text) for text in head or ())
    except ValueError:
        raise typer.BadParameter("--head takes stream:number:hash") from None
    run(run_verify(adopted_settings("audit"), heads, as_json=as_json), exit_code=True)


@audit_app.command("export")
def audit_export(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, UTC.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day, UTC.")],
    out: Annotated[Path, typer.Option(help="The file; there must be none yet.")],
    form: Annotated[ExportForm, typer.Option("--format")] = ExportForm.CSV,
) -> None:
    """Write the audit log of a period to a file, for regulators."""
    from deedbook.stack.audit import export as run_export

    try:
        work = run_export(adopted_settings("audit"), form.value, first.date(), last.date(), out)
        typer.echo(f"{run(work)} entries in {out}")
    except FileExistsError:
        raise typer.BadParameter(f"{out} exists") from None
