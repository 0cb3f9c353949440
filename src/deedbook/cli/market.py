"""`deedbook market`: how an asset becomes a market."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from deedbook.cli.asking import As, Json, ProfileName, Url, asking
from deedbook.cli.showing import Columns, show_many, show_one, waiting

if TYPE_CHECKING:
    from deedbook.client import Client, answers

market_app = typer.Typer(no_args_is_help=True, help="Register assets, decide on them, see the markets.")
Market = Annotated[str, typer.Argument(help="The market's id, or its token's symbol.")]
Reason = Annotated[str, typer.Option(help="Why.")]
QUOTE = "USDC"
"""What markets are traded against."""
SHOWN = (
    "id",
    "name",
    "token_symbol",
    "status",
    "total_supply",
    "supply_cap",
    "contract_address",
    "rejected_reason",
    "version",
)
COLUMNS: Columns = [
    ("Market", lambda market: market.id),
    ("Symbol", lambda market: market.token_symbol),
    ("Name", lambda market: market.name),
    ("Supply", lambda market: market.total_supply),
    ("Status", lambda market: market.status),
]


@market_app.command()
def register(
    symbol: Annotated[str, typer.Argument(help="The token's symbol, such as HARBOR.")],
    name: Annotated[str, typer.Option(help="What the asset is called.")],
    supply: Annotated[str, typer.Option(help="How many whole tokens are issued.")],
    asset_type: Annotated[str, typer.Option(help="real_estate, commodity, …")] = "real_estate",
    cap: Annotated[str, typer.Option(help="How many can ever be issued; as many as now unless said.")] = "",
    description: Annotated[str, typer.Option(help="For those who look at it.")] = "",
    valuation: Annotated[str, typer.Option(help="What the asset is worth.")] = "",
    currency: Annotated[str, typer.Option(help="In which currency that is.")] = "",
    location: Annotated[str, typer.Option(help="Where it is.")] = "",
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Register an asset, as an issuer. Compliance decides on it then."""
    details = {"valuation": valuation, "currency": currency, "location": location}
    with asking(profile, role, url) as client:
        told = client.register_market(
            name=name,
            asset_type=asset_type,
            token_symbol=symbol,
            total_supply=supply,
            supply_cap=cap or None,
            description=description,
            asset_details={field: value for field, value in details.items() if value},
        )
    show_one(told, SHOWN, as_json=as_json)


@market_app.command()
def approve(
    market: Market,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option(help="Wait until its contract stands on the chain.")] = True,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Approve a market, as compliance. It goes live by itself."""
    with asking(profile, role, url) as client:
        found = _found(client, market)
        told = client.approve_market(found.id, reason, version=found.version)
        if wait:
            with waiting("its contract is deployed"):
                told = client.wait_for_market(told.id)
                if told.status == "active":
                    client.wait_for_pair(f"{told.token_symbol}-{QUOTE}")
    show_one(told, SHOWN, as_json=as_json)


@market_app.command()
def reject(
    market: Market,
    reason: Annotated[str, typer.Option(help="Why: the issuer reads it.")],
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Reject a market, as compliance."""
    with asking(profile, role, url) as client:
        found = _found(client, market)
        told = client.reject_market(found.id, reason, version=found.version)
    show_one(told, SHOWN, as_json=as_json)


@market_app.command()
def pause(
    market: Market,
    reason: Reason = "",
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Let no new orders in. Those in the book stay, and can be cancelled."""
    with asking(profile, role, url) as client:
        told = client.pause_market(_found(client, market).id, reason)
    show_one(told, SHOWN, as_json=as_json)


@market_app.command()
def resume(
    market: Market,
    reason: Reason = "",
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Let orders in again."""
    with asking(profile, role, url) as client:
        told = client.resume_market(_found(client, market).id, reason)
    show_one(told, SHOWN, as_json=as_json)


@market_app.command("list")
def list_markets(
    status: Annotated[str, typer.Option(help="Those in this state, such as pending_approval.")] = "",
    text: Annotated[str, typer.Option(help="Those with this in their name or symbol.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """List the markets, the newest first."""
    with asking(profile, role, url) as client:
        walk = client.markets(status=status or None, text=text or None)
        found = list(islice(walk, limit))
    show_many(found, COLUMNS, as_json=as_json, empty="no markets: `deedbook market register --help`")


@market_app.command()
def show(
    market: Market, profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False
) -> None:
    """Show one market."""
    with asking(profile, role, url) as client:
        told = _found(client, market)
    show_one(told, SHOWN, as_json=as_json)


@market_app.command()
def history(
    market: Market, profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False
) -> None:
    """Show what became of a market, step by step."""
    columns: Columns = [
        ("When", lambda event: event.created_at),
        ("What", lambda event: event.event_type),
        ("By", lambda event: event.actor_type),
        ("Why", lambda event: event.reason),
    ]
    with asking(profile, role, url) as client:
        found = list(client.market_events(_found(client, market).id))
    show_many(found, columns, as_json=as_json, empty="nothing has happened yet")


def _found(client: "Client", market: str) -> "answers.Market":
    """A market by its id, or the newest that is not rejected by its token's symbol."""
    from uuid import UUID

    try:
        return client.market(UUID(market))
    except ValueError:
        named = [found for found in client.markets(text=market) if found.token_symbol == market]
    if not named:
        raise typer.BadParameter(f"there is no market {market}: `deedbook market list`")
    return next((found for found in named if found.status != "rejected"), named[0])
