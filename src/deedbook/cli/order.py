"""`deedbook order`: orders and trades of one's own."""

from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

import typer

from deedbook.cli.asking import As, Json, ProfileName, Url, asking, require_signer
from deedbook.cli.showing import Columns, say_json, show_many, show_one, waiting

order_app = typer.Typer(no_args_is_help=True, help="Place orders, and see what becomes of them.")


class OrderSide(StrEnum):
    """Which way."""

    BUY = "BUY"
    SELL = "SELL"


class Lasting(StrEnum):
    """How long an order stays."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"


Pair = Annotated[str, typer.Argument(help="The pair's symbol, such as HARBOR-USDC.")]
Quantity = Annotated[str, typer.Argument(help="How many, such as 5 or 0.25.")]
Price = Annotated[str, typer.Argument(help="The worst price; none for a market order.")]
OrderId = Annotated[str, typer.Argument(help="The order's id, as `order place` and `order list` show it.")]
SHOWN = (
    "id",
    "pair",
    "side",
    "order_type",
    "quantity",
    "price",
    "status",
    "reason",
    "filled_quantity",
    "remaining_quantity",
    "average_fill_price",
    "fee",
)
COLUMNS: Columns = [
    ("Order", lambda order: order.id),
    ("Pair", lambda order: order.pair),
    ("Side", lambda order: order.side),
    ("Quantity", lambda order: order.quantity),
    ("Price", lambda order: order.price),
    ("Filled", lambda order: order.filled_quantity),
    ("Status", lambda order: order.status),
]
TRADES: Columns = [
    ("Executed", lambda trade: trade.executed_at),
    ("Pair", lambda trade: trade.pair),
    ("Side", lambda trade: trade.side),
    ("Quantity", lambda trade: trade.quantity),
    ("Price", lambda trade: trade.price),
    ("Fee", lambda trade: trade.fee),
    ("On the chain", lambda trade: trade.settlement_status),
]


@order_app.command()
def place(
    pair: Pair,
    side: OrderSide,
    quantity: Quantity,
    price: Price = "",
    lasting: Annotated[
        Lasting | None, typer.Option("--time-in-force", help="GTC unless said; market orders are IOC.")
    ] = None,
    post_only: Annotated[bool, typer.Option(help="Refuse it rather than take from the book.")] = False,
    stop: Annotated[str, typer.Option(help="Wait until this price is touched, or trail:<ticks>.")] = "",
    client_order_id: Annotated[str, typer.Option(help="Your own name for it, unique for ever.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until nothing of it can trade any more.")
    ] = False,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Sign and place an order."""
    from deedbook.client import NewOrder

    wish = NewOrder(
        pair,
        side.value,
        quantity,
        price or None,
        time_in_force=lasting.value if lasting else None,
        post_only=post_only,
        stop_price=stop or None,
        client_order_id=client_order_id,
    )
    with asking(profile, role, url) as client:
        require_signer(client)
        order = client.place(wish)
        if wait:
            with waiting(f"{order.status}: waiting until it is over"):
                order = client.wait_for_order(order.id)
    show_one(order, SHOWN, as_json=as_json)


@order_app.command()
def preview(
    pair: Pair,
    side: OrderSide,
    quantity: Quantity,
    price: Price = "",
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Show what an order would set aside and cost, and whether compliance allows it. Nothing is signed."""
    from deedbook.client import NewOrder

    with asking(profile, role, url) as client:
        told = client.preview(NewOrder(pair, side.value, quantity, price or None))
    show_one(
        told,
        ("allowed", "reason", "worst_price", "hold", "available", "enough_available", "fee_at_most"),
        as_json=as_json,
    )


@order_app.command()
def cancel(
    order_id: Annotated[str, typer.Argument(help="The order's id; none with --all.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All my orders.")] = False,
    pair: Annotated[str, typer.Option(help="With --all: those on this pair.")] = "",
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Cancel an order, or all of them. What is filled until the book obeys stays filled."""
    if bool(order_id) is everything:
        raise typer.BadParameter("an order's id, or --all")
    with asking(profile, role, url) as client:
        if everything:
            told: Any = {"cancelled": client.cancel_all(pair or None)}
            say_json(told) if as_json else typer.echo(f"{told['cancelled']} orders were asked to end")
            return
        order = client.cancel(order_id)
    show_one(order, SHOWN, as_json=as_json)


@order_app.command("list")
def list_orders(
    pair: Annotated[str, typer.Option(help="Those on this pair.")] = "",
    status: Annotated[str, typer.Option(help="Those in this state, such as OPEN.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """List my orders, the newest first."""
    with asking(profile, role, url) as client:
        walk = client.orders(pair=pair or None, status=status or None)
        found = list(islice(walk, limit))
    show_many(found, COLUMNS, as_json=as_json, empty="no orders: `deedbook order place --help`")


@order_app.command()
def show(
    order_id: OrderId, profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False
) -> None:
    """Show one order."""
    with asking(profile, role, url) as client:
        order = client.order(order_id)
    show_one(order, SHOWN, as_json=as_json)


@order_app.command()
def reduce(
    order_id: OrderId,
    remaining: Annotated[str, typer.Argument(help="How much is to remain, at most.")],
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Let less of an order remain. It keeps its place in the book."""
    with asking(profile, role, url) as client:
        order = client.reduce(order_id, remaining)
    show_one(order, SHOWN, as_json=as_json)


@order_app.command()
def trades(
    pair: Annotated[str, typer.Option(help="Those on this pair.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """List my trades, and how far each is on its way to the chain."""
    with asking(profile, role, url) as client:
        found = list(islice(client.trades(pair=pair or None), limit))
    show_many(found, TRADES, as_json=as_json, empty="no trades yet")
