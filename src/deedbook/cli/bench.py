"""Measure the platform, or parts of it."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from deedbook.cli.common import JsonFlag, run, settings_for

if TYPE_CHECKING:
    from deedbook.infra.settings import Settings

bench_app = typer.Typer(
    help="Measure the running platform, or one that is started for it.", no_args_is_help=True
)


def bench_settings() -> "Settings":
    from deedbook.bench.run import lift_rate_limits

    lift_rate_limits(os.environ)
    return settings_for("bench")


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
    resting: Annotated[int, typer.Option(help="Orders that rest in the book before.", min=0)] = 0,
    seed: int = 1,
) -> None:
    """The durable way from intake to a settled ledger, without HTTP, on servers of its own."""
    import uvloop

    from deedbook.bench.alone import tell
    from deedbook.bench.matching import Plan, matching

    result = uvloop.run(matching(Plan(orders, rounds, per_s, seed, resting)))
    raise typer.Exit(tell(result, as_json=as_json))


@bench_app.command("rebuild")
def bench_rebuild(
    as_json: JsonFlag = False,
    orders: Annotated[int, typer.Option(help="Open orders of the pair.", min=1, max=200_000)] = 100_000,
    rounds: Annotated[int, typer.Option(help="Takeovers.", min=1)] = 5,
) -> None:
    """How long a full book is without its writer when another takes over."""
    import uvloop

    from deedbook.bench.alone import tell
    from deedbook.bench.rebuild import rebuild

    raise typer.Exit(tell(uvloop.run(rebuild(orders, rounds)), as_json=as_json))


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

    raise typer.Exit(tell(run(ledger_bench(Plan(lines, accounts, tokens, seed))), as_json=as_json))


@bench_app.command("api")
def bench_api(
    as_json: JsonFlag = False,
    orders: Annotated[int, typer.Option(help="How many a round.", min=500)] = 10_000,
    traders: Annotated[int, typer.Option(help="Who sign them.", min=1)] = 100,
    connections: Annotated[int, typer.Option(help="Kept HTTP connections.", min=1, max=512)] = 256,
    rounds: Annotated[int, typer.Option(help="Of each kind; the middle one counts.", min=1)] = 3,
    seed: int = 1,
) -> None:
    """Signed orders over loopback HTTP, accepted and durable."""
    from deedbook.bench.api import Plan, api
    from deedbook.bench.run import bench

    plan = Plan(orders, traders, connections, rounds, seed)
    run(bench(bench_settings(), api(plan), as_json=as_json), exit_code=True)


@bench_app.command("marketdata")
def bench_marketdata(
    as_json: JsonFlag = False,
    backlog: Annotated[int, typer.Option(help="Trades that stand there before.", min=1000)] = 200_000,
    seconds: Annotated[int, typer.Option(help="For how long trades come.", min=1)] = 10,
    trades_per_s: Annotated[int, typer.Option(min=10)] = 1000,
    reads: Annotated[int, typer.Option(help="Of each kind.", min=10)] = 2000,
    reads_per_s: Annotated[int, typer.Option(min=1)] = 200,
) -> None:
    """Trades folded into candles, and market data read over loopback HTTP while orders trade."""
    from deedbook.bench.marketdata import Plan, marketdata
    from deedbook.bench.run import bench

    plan = Plan(backlog, seconds, trades_per_s, reads, reads_per_s)
    run(bench(bench_settings(), marketdata(plan), as_json=as_json), exit_code=True)


@bench_app.command("feeds")
def bench_feeds(
    as_json: JsonFlag = False,
    clients: Annotated[int, typer.Option(help="Open WebSockets.", min=1, max=1500)] = 500,
    pairs: Annotated[int, typer.Option(help="How many they share.", min=1, max=100)] = 10,
    per_s: Annotated[float, typer.Option(help="Orders a second in all.", min=1)] = 50,
    seconds: Annotated[int, typer.Option(help="For how long.", min=1)] = 60,
    minutes: Annotated[int | None, typer.Option(help="The same in minutes.", min=1, max=60)] = None,
    seed: int = 1,
) -> None:
    """Clients on book, trades and ticker while orders come in; how long each message was under way."""
    from deedbook.bench.feeds import Plan, feeds
    from deedbook.bench.run import bench

    plan = Plan(clients, pairs, per_s, minutes * 60 if minutes else seconds, seed)
    run(bench(bench_settings(), feeds(plan), as_json=as_json), exit_code=True)


@bench_app.command("settlement")
def bench_settlement(
    as_json: JsonFlag = False,
    trades: Annotated[int, typer.Option(help="How many at once.", min=1, max=7000)] = 500,
    alone: Annotated[int, typer.Option(help="How many each alone.", min=1, max=1000)] = 5,
    block_time: Annotated[
        float, typer.Option(help="Seconds a block, on a stack that is started for it.", min=0, max=60)
    ] = 0,
) -> None:
    """Trades settled on the chain: a second, gas alone and in batches, and the lag from match to final. With a block
    time of its own the chain is taken as final at once, as Sapphire is."""
    from deedbook.bench.run import bench
    from deedbook.bench.settlement import Plan, settlement

    if block_time:
        os.environ.setdefault("DEEDBOOK_LOCAL_BLOCK_S", str(block_time))
        os.environ.setdefault("SAPPHIRE_CONFIRMATIONS", "1")
    plan = Plan(alone, trades)
    run(bench(bench_settings(), settlement(plan), as_json=as_json), exit_code=True)


@bench_app.command("registration")
def bench_registration(
    as_json: JsonFlag = False,
    markets: Annotated[int, typer.Option(min=1, max=100_000, help="How many to register, approve.")] = 300,
    per_s: Annotated[float, typer.Option(min=0.1, max=10_000, help="Requests a second.")] = 10,
    burst: Annotated[int, typer.Option(min=1, max=2000, help="How many to register at once.")] = 50,
    issuers: Annotated[int, typer.Option(min=1, max=1000, help="How many issuers take turns.")] = 10,
) -> None:
    """Register markets, approve them, activate some by hand; latencies, processor time, truths."""
    from deedbook.bench.registration import Plan, registration
    from deedbook.bench.run import bench

    plan = Plan(markets, per_s, burst, issuers)
    run(bench(bench_settings(), registration(plan), as_json=as_json), exit_code=True)
