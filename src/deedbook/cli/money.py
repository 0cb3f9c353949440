"""What one has, and how it comes and goes: `deedbook balance`, `deposit`, `withdraw`, `transfer`, `whoami`."""

from typing import TYPE_CHECKING, Annotated

import typer

from deedbook.cli.asking import As, Json, ProfileName, Url, asking, client_of, profile_of, require_signer
from deedbook.cli.showing import Columns, show_many, show_one, waiting

if TYPE_CHECKING:
    from deedbook.client.answers import Deposit

app = typer.Typer()
Token = Annotated[str, typer.Argument(help="The token's symbol, such as USDC.")]
Amount = Annotated[str, typer.Argument(help="How many, such as 250.50.")]
Wait = Annotated[bool, typer.Option(help="Wait until the chain has told of it.")]
PERMITTED = ("USDC",)
"""The tokens that take approvals by signature; of others, one's own wallet sends the deposit."""
BALANCES: Columns = [
    ("Token", lambda balance: balance.symbol),
    ("Available", lambda balance: balance.available),
    ("Locked", lambda balance: balance.locked),
    ("Total", lambda balance: balance.total),
]


@app.command()
def whoami(profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False) -> None:
    """Show who I am here: account, user id, roles."""
    with asking(profile, role, url) as client:
        told = client.me()
    show_one(told, ("account", "user_id", "entity_id", "roles"), as_json=as_json)


@app.command()
def balance(profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False) -> None:
    """Show what I have. What is locked is held for open orders and withdrawals."""
    with asking(profile, role, url) as client:
        found = client.balances()
    show_many(found, BALANCES, as_json=as_json, empty="nothing yet: `deedbook deposit --help`")


@app.command()
def deposit(
    token: Token,
    amount: Amount,
    wait: Wait = True,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Sign a deposit. The platform brings it to the vault where the token takes approvals by signature."""
    asked = profile_of(profile, role, url)
    with client_of(asked) as client:
        require_signer(client)
        told = client.deposit(token, amount, rpc_url=(asked.rpc_url or None) if token in PERMITTED else None)
        if wait and not told.send:
            with waiting("on its way to the vault"):
                told = client.wait_for_deposit(told.id)
    if told.send and not as_json:
        _ask_to_send(told)
    shown = ("id", "symbol", "amount", "credited", "status", "error", "tx_hash")
    show_one(told, (*shown, "send") if as_json else shown, as_json=as_json)


def _ask_to_send(told: "Deposit") -> None:
    """Nothing has moved yet: say what one's wallet has to send."""
    typer.echo(
        f"{told.amount} {told.symbol} are announced, and nothing has moved. Send from your wallet, in this order:"
    )
    for number, call in enumerate(told.send or (), start=1):
        typer.echo(f"  {number}. to {call.to}, data {call.data}")
    if told.symbol in PERMITTED:
        typer.echo(
            "or have it brought: `deedbook profile add … --rpc-url <address of a node>`, and deposit again."
        )


@app.command()
def withdraw(
    token: Token,
    amount: Amount,
    to: Annotated[str, typer.Option(help="To which address; one's own unless it is said.")] = "",
    wait: Wait = True,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Sign a withdrawal. Larger ones wait for people to approve them."""
    with asking(profile, role, url) as client:
        require_signer(client)
        told = client.withdraw(token, amount, to or None)
        if wait and told.status != "PENDING_APPROVAL":
            with waiting("the vault pays"):
                told = client.wait_for_withdrawal(told.id)
    shown = ("id", "symbol", "amount", "destination", "status", "approvals_needed", "reason", "tx_hash")
    show_one(told, shown, as_json=as_json)


@app.command()
def transfer(
    token: Token,
    amount: Amount,
    to: Annotated[str, typer.Option(help="The account that receives.")],
    wait: Wait = True,
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Sign a transfer to another account in the vault."""
    with asking(profile, role, url) as client:
        require_signer(client)
        told = client.transfer(token, amount, to)
        if wait:
            with waiting("the vault moves it"):
                told = client.wait_for_transfer(told.id)
    show_one(told, ("id", "symbol", "amount", "to_user_id", "status", "reason", "tx_hash"), as_json=as_json)
