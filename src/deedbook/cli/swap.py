"""`deedbook swap`: one token into the other, at once."""

from itertools import islice
from typing import Annotated

import typer

from deedbook.cli.asking import As, Json, ProfileName, Url, asking, require_signer
from deedbook.cli.order import OrderSide, Pair
from deedbook.cli.showing import Columns, show_many, show_one, waiting
from deedbook.client.swaps import TOLERANCE_BPS, NewSwap

swap_app = typer.Typer(no_args_is_help=True, help="Convert one token of a pair into the other.")
Side = Annotated[OrderSide, typer.Argument(help="BUY gives the quote token, SELL the base token.")]
AmountIn = Annotated[str, typer.Argument(help="How much to give, such as 250.00.")]
Tolerance = Annotated[
    int, typer.Option(min=0, max=5000, help="How far the book may move, in hundredths of a percent.")
]
QUOTED = (
    "pair",
    "side",
    "amount_in",
    "amount_used",
    "amount_out",
    "average_price",
    "worst_price",
    "slippage_bps",
    "fee",
    "suggested_min_amount_out",
)
SHOWN = (
    "id",
    "pair",
    "side",
    "amount_in",
    "min_amount_out",
    "status",
    "reason",
    "amount_used",
    "amount_out",
    "average_price",
    "fee",
    "settlement_status",
)
COLUMNS: Columns = [
    ("Swap", lambda swap: swap.id),
    ("Pair", lambda swap: swap.pair),
    ("Side", lambda swap: swap.side),
    ("Given", lambda swap: swap.amount_used),
    ("Received", lambda swap: swap.amount_out),
    ("At least", lambda swap: swap.min_amount_out),
    ("Status", lambda swap: swap.status),
    ("On the chain", lambda swap: swap.settlement_status),
]


@swap_app.command()
def quote(
    pair: Pair,
    side: Side,
    amount: AmountIn,
    tolerance: Tolerance = TOLERANCE_BPS,
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Show what a swap would give with the book as it is. Nothing is signed, and nothing promised."""
    with asking("", "", url) as client:
        told = client.quote_swap(pair, side.value, amount, tolerance_bps=tolerance)
    show_one(told, QUOTED, as_json=as_json)


@swap_app.command()
def place(
    pair: Pair,
    side: Side,
    amount: AmountIn,
    least: Annotated[str, typer.Argument(help="The least to receive; none for what a quote suggests.")] = "",
    tolerance: Tolerance = TOLERANCE_BPS,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has traded, or never will.")] = False,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Sign and place a swap. For less than the least it does not trade at all."""
    wish = NewSwap(pair, side.value, amount, least or None, tolerance_bps=tolerance)
    with asking(profile, role, url) as client:
        require_signer(client)
        told = client.swap(wish)
        if wait:
            with waiting(f"{told.status}: waiting for its turn"):
                told = client.wait_for_swap(told.id)
    show_one(told, SHOWN, as_json=as_json)


@swap_app.command("list")
def list_swaps(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """List my swaps, the newest first."""
    with asking(profile, role, url) as client:
        found = list(islice(client.swaps(), limit))
    show_many(found, COLUMNS, as_json=as_json, empty="no swaps: `deedbook swap place --help`")


@swap_app.command()
def show(
    swap_id: Annotated[str, typer.Argument(help="The swap's id, as `swap place` and `swap list` show it.")],
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Show one swap; with --json, the trades that carried it out too."""
    with asking(profile, role, url) as client:
        told = client.one_swap(swap_id)
    show_one(told, SHOWN, as_json=as_json)
