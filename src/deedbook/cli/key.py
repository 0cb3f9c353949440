"""`deedbook key`: API keys, by which programs of one's own are let in."""

from enum import StrEnum
from typing import Annotated

import typer

from deedbook.cli.asking import As, Json, ProfileName, Url, asking
from deedbook.cli.showing import Columns, as_wire, say_json, show_many, show_one

key_app = typer.Typer(no_args_is_help=True, help="Make API keys for programs, and end them.")


class KeyScope(StrEnum):
    """What a key is for."""

    READ = "read"
    ACCOUNT = "account"
    TRADE = "trade"


SHOWN = (
    "id",
    "name",
    "scopes",
    "allowed_addresses",
    "orders_per_minute",
    "daily_notional",
    "expires_at",
    "revoked_at",
)
COLUMNS: Columns = [
    ("Key", lambda key: key.id),
    ("Name", lambda key: key.name),
    ("Scopes", lambda key: key.scopes),
    ("Last used", lambda key: key.last_used_at),
    ("From", lambda key: key.last_used_from),
    ("Ends", lambda key: key.expires_at),
    ("Revoked", lambda key: key.revoked_at),
]


@key_app.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call it, such as the program's name.")],
    scopes: Annotated[
        list[KeyScope] | None,
        typer.Option("--scope", help="What it is for; may be repeated. read unless said."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="For how many days it lasts.")] = 90,
    addresses: Annotated[
        list[str] | None,
        typer.Option("--address", help="An address or network it is used from; may be repeated."),
    ] = None,
    orders_per_minute: Annotated[
        int | None, typer.Option(min=1, help="How many orders it may send in a minute.")
    ] = None,
    daily_notional: Annotated[
        str, typer.Option(help="What it may send in on a day, in quote tokens, such as 250000.")
    ] = "",
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Make a key. Its text is shown this once. It moves no money, and sends only orders that you have signed."""
    with asking(profile, role, url) as client:
        told = client.create_api_key(
            name,
            [scope.value for scope in scopes or (KeyScope.READ,)],
            expires_in_days=days,
            allowed_addresses=addresses or (),
            orders_per_minute=orders_per_minute,
            daily_notional=daily_notional or None,
        )
    if as_json:
        say_json(as_wire(told))
        return
    show_one(told.key, SHOWN, as_json=False)
    if told.api_key is None:
        typer.echo(f"Its text was lost on the way: `deedbook key revoke {told.key.id}`, and make another.")
        raise typer.Exit(1)
    typer.echo(
        f"{told.api_key}\nKeep it now: nobody else does. It goes into DEEDBOOK_API_KEY, or Client(url, token=…)."
    )


@key_app.command("list")
def list_keys(profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False) -> None:
    """List my keys, the newest first, those that are over too."""
    with asking(profile, role, url) as client:
        found = list(client.api_keys())
    show_many(found, COLUMNS, as_json=as_json, empty="no keys: `deedbook key create --help`")


@key_app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `key create` and `key list` show it.")],
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """End a key. Whoever holds it is let in no longer."""
    with asking(profile, role, url) as client:
        told = client.revoke_api_key(key_id)
    show_one(told, SHOWN, as_json=as_json)
