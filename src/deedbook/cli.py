"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deedbook.infra.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
chain_app = typer.Typer(help="The local chain node, and the platform's contracts.")
app.add_typer(chain_app, name="chain", invoke_without_command=True)
bench_app = typer.Typer(
    help="Measure the running platform, or one that is started for it.", no_args_is_help=True
)
app.add_typer(bench_app, name="bench")
audit_app = typer.Typer(no_args_is_help=True, help="The sealed record: verify it, or write it to a file.")
app.add_typer(audit_app, name="audit")


class ExportForm(StrEnum):
    """What an exported file is."""

    CSV = "csv"
    JSON = "json"


class Signable(StrEnum):
    """What a demo wallet can sign."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"


JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
FreshFlag = Annotated[bool, typer.Option("--fresh", help="Forget everything and start over.")]


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


@app.command()
def up(fresh: FreshFlag = False) -> None:
    """Start the whole stack and keep it running until Ctrl-C."""
    from deedbook.stack.run import up as run_up

    _run(run_up(_settings("up"), fresh=fresh), exit_code=True)


@app.command()
def demo(
    as_json: JsonFlag = False,
    leave: Annotated[bool, typer.Option("--exit", help="Stop when the demo is over.")] = False,
    fresh: FreshFlag = False,
) -> None:
    """Show an asset become a live market, from registration to the contract on the chain."""
    from deedbook.stack.run import demo as run_demo

    _run(run_demo(_settings("demo"), as_json=as_json, leave=leave, fresh=fresh), exit_code=True)


@app.command()
def api() -> None:
    """Serve the HTTP API."""
    import uvicorn

    from deedbook.api.app import create_app
    from deedbook.wiring import NEEDED, require

    settings = _adopted_settings("api")
    require(settings, *NEEDED)
    uvicorn.run(
        create_app(settings),
        host=settings.HOST,
        port=settings.PORT,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # X-Forwarded-For is read in one place only, and from TRUSTED_PROXIES alone
        timeout_keep_alive=30,
        timeout_graceful_shutdown=15,
        limit_concurrency=2000,
        h11_max_incomplete_event_size=65_536,
    )


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
    _run(run_worker(_adopted_settings("worker"), picked, lane=lane))


@app.command()
def matcher() -> None:
    """Match the orders of pairs; any number of matchers share them."""
    from deedbook.workers.processes import matcher as run_matcher

    _run(run_matcher(_adopted_settings("matcher")))


@app.command()
def relay() -> None:
    """Carry facts and jobs out of PostgreSQL."""
    from deedbook.workers.processes import relay as run_relay

    _run(run_relay(_adopted_settings("relay")))


@app.command()
def scheduler() -> None:
    """Keep the clock's jobs on schedule."""
    from deedbook.workers.processes import scheduler as run_scheduler

    _run(run_scheduler(_adopted_settings("scheduler")))


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from deedbook.infra.schema import migrate as run_migrate
    from deedbook.wiring import require

    settings = _adopted_settings("migrate")
    require(settings, "DATABASE_URL")
    assert settings.DATABASE_URL is not None
    run_migrate(settings.DATABASE_URL.get_secret_value())
    typer.echo("the schema is up to date")


@app.command()
def permissions() -> None:
    """Serve the embedded permission service. It has no authentication: keep its network private."""
    from deedbook.stack.permission_service import serve_permissions

    serve_permissions(_adopted_settings("permissions"))


@app.command()
def kyc() -> None:
    """Serve the embedded KYC provider. For development: it looks at no real paper and no real list."""
    from deedbook.stack.kyc_service import serve_kyc

    serve_kyc(_adopted_settings("kyc"))


@app.command()
def grant(
    address: Annotated[str, typer.Argument(help="The wallet's address.")],
    role: Annotated[str, typer.Argument(help="investor, issuer, compliance, admin or operator.")],
    entity: Annotated[str, typer.Option(help="For an issuer: the name of the issuer's entity.")] = "",
    entity_id: Annotated[
        str, typer.Option(help="For an issuer: the entity's id, where it exists already.")
    ] = "",
) -> None:
    """Give a role to a wallet, here and at the permission service."""
    from deedbook.stack.grant import grant as run_grant

    typer.echo(_run(run_grant(_adopted_settings("grant"), address, role, entity, entity_id)))


@app.command()
def dollars(
    address: Annotated[str, typer.Argument(help="Whose wallet.")],
    amount: Annotated[str, typer.Argument(help="How many, such as 2500.50.")],
) -> None:
    """Make play money on the local chain: TestDollars into a wallet."""
    from deedbook.identity import parse_address
    from deedbook.kernel.amounts import is_amount
    from deedbook.stack.dollars import give_dollars

    account = parse_address(address)
    if account is None or not is_amount(amount):
        raise typer.BadParameter("an Ethereum address, and a plain amount such as 2500.50")
    _run(give_dollars(_adopted_settings("dollars"), account, amount))
    typer.echo(f"{amount} USDC for {address}")


@app.command()
def login(
    role: Annotated[str, typer.Argument(help="investor, issuer, compliance, admin or operator.")],
    entity: Annotated[str, typer.Option(help="For an issuer: the name of the issuer's entity.")] = "",
) -> None:
    """Print an access token for a demo wallet of this role. For development only."""
    from deedbook.stack.login import login as run_login

    typer.echo(_run(run_login(_adopted_settings("login"), role, entity)))


@app.command()
def sign(
    action: Annotated[Signable, typer.Argument()],
    role: Annotated[str, typer.Argument(help="Whose demo wallet: that of `deedbook login ROLE`.")],
    amount: Annotated[str, typer.Argument(help="How many, such as 250.50.")],
    symbol: Annotated[str, typer.Option("--token", help="The token's symbol.")] = "USDC",
    to: Annotated[str, typer.Option(help="Who receives: needed for a transfer.")] = "",
) -> None:
    """Print the signed body of a request, as the API takes it. For development only."""
    import json

    from deedbook.stack.sign import sign as run_sign

    body = _run(run_sign(_adopted_settings("sign"), action.value, role, amount, symbol, to))
    typer.echo(json.dumps(body))


@app.command()
def check(as_json: JsonFlag = False) -> None:
    """Prove every truth that applies; exits with 1 when one is broken."""
    from deedbook.stack.run import check as run_check

    _run(run_check(_adopted_settings("check"), as_json=as_json), exit_code=True)


@app.command()
def docs(
    write: Annotated[bool, typer.Option("--write", help="Write docs/events.md and docs/errors.md.")] = False,
) -> None:
    """Compare the generated pages with the declarations they come from, or write them."""
    from deedbook.stack.pages import run_docs

    sys.exit(run_docs(write=write))


@chain_app.callback()
def chain_node(context: typer.Context) -> None:
    """Run the local chain node in the foreground."""
    if context.invoked_subcommand is None:
        from deedbook.stack.run import serve_chain

        _settings("chain")
        _run(serve_chain())


@chain_app.command("deploy")
def chain_deploy() -> None:
    """Deploy the platform's contracts. Safe to run twice."""
    from deedbook.stack.run import deploy_contracts

    for name, address in _run(deploy_contracts(_adopted_settings("chain deploy"))).items():
        typer.echo(f"{name:20} {address}")


@chain_app.command("keystore")
def chain_keystore(
    path: Annotated[str, typer.Argument(help="Where to write the encrypted file.")],
) -> None:
    """Encrypt a private key into a keystore v3 file. Key and password are asked for, never taken as arguments."""
    from deedbook.integrations.sapphire.keys import write_keystore

    key = typer.prompt("Private key (hex)", hide_input=True).removeprefix("0x")
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        write_keystore(Path(path), bytes.fromhex(key), password)
    except (ValueError, FileExistsError) as error:
        raise typer.BadParameter(type(error).__name__) from None


@bench_app.command("engine")
def bench_engine(
    as_json: JsonFlag = False,
    commands: Annotated[int, typer.Option(help="How many a round.", min=1000)] = 300_000,
    rounds: Annotated[int, typer.Option(help="The middle one counts.", min=1)] = 5,
    seed: int = 1,
) -> None:
    """The matching engine alone, on one core."""
    from deedbook.bench.alone import tell
    from deedbook.bench.engine import engine

    raise typer.Exit(tell(engine(commands, rounds, seed), as_json=as_json))


@bench_app.command("book")
def bench_book(
    as_json: JsonFlag = False,
    sizes: Annotated[
        str, typer.Option(help="Resting orders, comma-separated.")
    ] = "1000,10000,100000,1000000",
    seed: int = 1,
) -> None:
    """Insert, remove and the best hundred levels of books of several sizes."""
    from deedbook.bench.alone import tell
    from deedbook.bench.book import book_sizes

    raise typer.Exit(tell(book_sizes([int(size) for size in sizes.split(",")], seed), as_json=as_json))


@bench_app.command("matching")
def bench_matching(
    as_json: JsonFlag = False,
    orders: Annotated[int, typer.Option(help="How many a round; cancels come on top.", min=100)] = 40_000,
    rounds: Annotated[int, typer.Option(help="The middle one counts.", min=1)] = 3,
    per_s: Annotated[int, typer.Option(help="Orders a second; 0 for as fast as it goes.", min=0)] = 0,
    seed: int = 1,
) -> None:
    """The durable way from intake to a settled ledger, without HTTP, on servers of its own."""
    import uvloop

    from deedbook.bench.alone import tell
    from deedbook.bench.matching import Plan, matching

    result = uvloop.run(matching(Plan(orders, rounds, per_s, seed)))
    raise typer.Exit(tell(result, as_json=as_json))


@bench_app.command("ledger")
def bench_ledger(
    as_json: JsonFlag = False,
    lines: Annotated[int, typer.Option(help="How large a ledger.", min=1000)] = 1_000_000,
    accounts: Annotated[int, typer.Option(min=3, max=100_000)] = 1000,
    tokens: Annotated[int, typer.Option(min=1, max=100)] = 5,
    seed: int = 1,
) -> None:
    """Post, read balances and page statements on a large ledger, on a server of its own."""
    from deedbook.bench.alone import tell
    from deedbook.bench.ledger import Plan, ledger_bench

    raise typer.Exit(tell(_run(ledger_bench(Plan(lines, accounts, tokens, seed))), as_json=as_json))


@bench_app.command("api")
def bench_api(
    as_json: JsonFlag = False,
    orders: Annotated[int, typer.Option(help="How many a round.", min=500)] = 10_000,
    traders: Annotated[int, typer.Option(help="Who sign them.", min=1)] = 100,
    connections: Annotated[int, typer.Option(help="Kept HTTP connections.", min=1, max=512)] = 64,
    seed: int = 1,
    fresh: FreshFlag = False,
) -> None:
    """Signed orders over loopback HTTP, accepted and durable."""
    from deedbook.bench.api import Plan, api
    from deedbook.bench.run import bench

    plan = Plan(orders, traders, connections, seed)
    _run(bench(_bench_settings(), api(plan), as_json=as_json, fresh=fresh), exit_code=True)


@bench_app.command("registration")
def bench_registration(
    as_json: JsonFlag = False,
    fresh: FreshFlag = False,
    markets: Annotated[int, typer.Option(min=1, max=100_000, help="How many to register, approve.")] = 300,
    per_s: Annotated[float, typer.Option(min=0.1, max=10_000, help="Requests a second.")] = 10,
    burst: Annotated[int, typer.Option(min=1, max=2000, help="How many to register at once.")] = 50,
    issuers: Annotated[int, typer.Option(min=1, max=1000, help="How many issuers take turns.")] = 10,
) -> None:
    """Register markets, approve them, activate some by hand; latencies, processor time, truths."""
    from deedbook.bench.registration import Plan, registration
    from deedbook.bench.run import bench

    plan = Plan(markets, per_s, burst, issuers)
    _run(bench(_bench_settings(), registration(plan), as_json=as_json, fresh=fresh), exit_code=True)


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
    _run(run_verify(_adopted_settings("audit"), heads, as_json=as_json), exit_code=True)


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
        work = run_export(_adopted_settings("audit"), form.value, first.date(), last.date(), out)
        typer.echo(f"{_run(work)} entries in {out}")
    except FileExistsError:
        raise typer.BadParameter(f"{out} exists") from None


def _bench_settings() -> "Settings":
    from deedbook.bench.run import lift_rate_limits

    lift_rate_limits(os.environ)
    return _settings("bench")


def _settings(process: str) -> "Settings":
    from deedbook.infra.settings import load_settings
    from deedbook.infra.telemetry import configure_logging

    settings = load_settings()
    # The supervisor and the demo speak to a person; their children write the full log.
    quiet = process in ("up", "demo", "bench") and settings.LOG_LEVEL == "info"
    configure_logging(process, "warning" if quiet else settings.LOG_LEVEL)
    return settings


def _adopted_settings(process: str) -> "Settings":
    """The settings, completed by the stack that runs in this home, if one does."""
    from deedbook.stack.environment import adopt_running_stack

    adopt_running_stack()
    return _settings(process)


def _run(work: Coroutine[Any, Any, Any], *, exit_code: bool = False) -> Any:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(work)
    if exit_code:
        sys.exit(result)
    return result
