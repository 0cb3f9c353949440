"""Each process of the platform, alone."""

from typing import Annotated

import typer

from deedbook.cli.common import adopted_settings, run

app = typer.Typer()


@app.command()
def api() -> None:
    """Serve the HTTP API."""
    from deedbook.api.app import create_app
    from deedbook.api.server import serve
    from deedbook.wiring import NEEDED, require

    settings = adopted_settings("api")
    require(settings, *NEEDED)
    serve(create_app(settings), settings)


@app.command()
def worker(
    queues: Annotated[str, typer.Option(help="Comma-separated queues; all when empty.")] = "",
    lane: Annotated[
        bool, typer.Option(help="Also move the chain transactions of the platform's key.")
    ] = True,
) -> None:
    """Run jobs."""
    from deedbook.workers.jobs import pick_queues
    from deedbook.workers.processes import worker as run_worker

    try:
        picked = pick_queues(queues)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    run(run_worker(adopted_settings("worker"), picked, lane=lane))


@app.command()
def matcher() -> None:
    """Match the orders of pairs; any number of matchers share them."""
    from deedbook.workers.processes import matcher as run_matcher

    run(run_matcher(adopted_settings("matcher")))


@app.command()
def relay() -> None:
    """Carry facts and jobs out of PostgreSQL."""
    from deedbook.workers.processes import relay as run_relay

    run(run_relay(adopted_settings("relay")))


@app.command()
def scheduler() -> None:
    """Keep the clock's jobs on schedule."""
    from deedbook.workers.processes import scheduler as run_scheduler

    run(run_scheduler(adopted_settings("scheduler")))


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from deedbook.infra.schema import migrate as run_migrate
    from deedbook.wiring import require

    settings = adopted_settings("migrate")
    require(settings, "DATABASE_URL")
    assert settings.DATABASE_URL is not None
    run_migrate(settings.DATABASE_URL.get_secret_value())
    typer.echo("the schema is up to date")


@app.command()
def permissions() -> None:
    """Serve the embedded permission service. It has no authentication: keep its network private."""
    from deedbook.stack.permission_service import serve_permissions

    serve_permissions(adopted_settings("permissions"))


@app.command()
def kyc() -> None:
    """Serve the embedded KYC provider. For development: it looks at no real paper and no real list."""
    from deedbook.stack.kyc_service import serve_kyc

    serve_kyc(adopted_settings("kyc"))
