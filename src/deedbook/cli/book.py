"""`deedbook book`: what is bid and offered."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from deedbook.cli.asking import Json, Url, asking, async_client_of, profile_of, run_to_the_end
from deedbook.cli.profiles import Profile
from deedbook.cli.showing import Columns, as_wire, plain, say_json, show_many

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from rich.table import Table

    from deedbook.client.answers import PublicTrade
    from deedbook.client.channels import BookChannel, TradesChannel
    from deedbook.client.live_book import LiveBook

    Levels = Sequence[tuple[Decimal, Decimal]]

book_app = typer.Typer(no_args_is_help=True, help="See what is bid and offered.")
Pair = Annotated[str, typer.Argument(help="The pair's symbol, such as HARBOR-USDC.")]
Depth = Annotated[int, typer.Option(min=1, max=100, help="How many levels of each side.")]
REDRAWN_PER_S = 8
TAPE = 8
PAIRS: Columns = [
    ("Pair", lambda pair: pair.symbol),
    ("Status", lambda pair: pair.status),
    ("Tick", lambda pair: pair.tick_size),
    ("Lot", lambda pair: pair.lot_size),
    ("Fee, bps", lambda pair: pair.fee_bps),
]


@book_app.command("list")
def list_pairs(url: Url = "", as_json: Json = False) -> None:
    """List the pairs."""
    with asking("", "", url) as client:
        found = client.pairs()
    show_many(found, PAIRS, as_json=as_json, empty="no pairs: one opens when its market is active")


@book_app.command()
def show(pair: Pair, depth: Depth = 10, url: Url = "", as_json: Json = False) -> None:
    """Show a book as it is now."""
    with asking("", "", url) as client:
        told = client.book(pair, depth)
    if as_json:
        say_json(as_wire(told))
        return
    from rich.console import Console

    Console().print(drawn(pair, told.bids, told.asks, depth))


@book_app.command()
def watch(
    pair: Pair,
    depth: Depth = 10,
    changes: Annotated[int, typer.Option(min=0, help="End after so many changes; 0 is never.")] = 0,
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Watch a book change until Ctrl-C: a live table, or with --json a line for each change."""
    run_to_the_end(_watch(profile_of("", "", url), pair, depth, changes, as_json=as_json))


async def _watch(profile: Profile, pair: str, depth: int, changes: int, *, as_json: bool) -> None:
    async with async_client_of(profile) as client:
        await client.pair(pair)  # which says so, if there is none
        async with client.stream() as stream:
            if as_json:
                await _tell(stream.book(pair, depth), depth, changes)
            else:
                await _draw(stream.book(pair, depth), stream.trades(pair), depth, changes)


async def _tell(books: "BookChannel", depth: int, changes: int) -> None:
    seen = 0
    async for book in books:
        bids, asks = book.levels(depth)
        say_json({"pair": book.market, "seq": book.seq, "bids": bids, "asks": asks})
        seen += 1
        if seen == changes:
            return


async def _draw(books: "BookChannel", trades: "TradesChannel", depth: int, changes: int) -> None:
    import asyncio
    from collections import deque

    from rich.live import Live

    tape: deque[PublicTrade] = deque(maxlen=TAPE)

    async def collect() -> None:
        async for trade in trades:
            tape.append(trade)

    collecting, seen = asyncio.create_task(collect()), 0
    try:
        with Live(refresh_per_second=REDRAWN_PER_S) as live:
            async for book in books:
                live.update(_panel(depth, book, list(tape)))
                seen += 1
                if seen == changes:
                    return
    finally:
        collecting.cancel()


def _panel(depth: int, book: "LiveBook", tape: "list[PublicTrade]") -> "Table":
    from rich.table import Table

    whole = Table.grid(padding=(0, 4))
    whole.add_row(drawn(book.market, book.bids(depth), book.asks(depth), depth), _tape(tape))
    return whole


def drawn(
    pair: str,
    bids: "Levels",
    asks: "Levels",
    depth: int,
) -> "Table":
    """A book as a table: the best in the middle, as traders read it."""
    from rich.table import Table

    table = Table(title=f"{pair} · {time.strftime('%H:%M:%S')}")
    for title in ("Bid", "Price", "Offered"):
        table.add_column(title, justify="right", min_width=10)
    for price, quantity in reversed(asks[:depth]):
        table.add_row("", f"[red]{plain(price)}[/]", plain(quantity))
    if asks and bids:
        table.add_row("", f"[dim]{plain(asks[0][0] - bids[0][0])}[/]", "")
    for price, quantity in bids[:depth]:
        table.add_row(plain(quantity), f"[green]{plain(price)}[/]", "")
    if not asks and not bids:
        table.add_row("", "[dim]empty[/]", "")
    return table


def _tape(trades: "list[PublicTrade]") -> "Table":
    from rich.table import Table

    table = Table(title="Trades")
    for title in ("Time", "Price", "Quantity"):
        table.add_column(title, justify="right")
    for trade in reversed(trades):
        colour = "green" if trade.taker_side == "BUY" else "red"
        table.add_row(
            trade.executed_at.strftime("%H:%M:%S"),
            f"[{colour}]{plain(trade.price)}[/]",
            plain(trade.quantity),
        )
    return table
