"""The whole stack on one machine, and the people who try it out."""

from enum import StrEnum
from typing import Annotated

import typer

from deedbook.cli.common import FreshFlag, JsonFlag, adopted_settings, run, settings_for

app = typer.Typer()


class Signable(StrEnum):
    """What a demo wallet can sign."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"


class OrderSide(StrEnum):
    """Which way."""

    BUY = "BUY"
    SELL = "SELL"


@app.command()
def up(fresh: FreshFlag = False) -> None:
    """Start the whole stack and keep it running until Ctrl-C."""
    from deedbook.stack.run import up as run_up

    run(run_up(settings_for("up"), fresh=fresh), exit_code=True)


@app.command()
def demo(
    as_json: JsonFlag = False,
    leave: Annotated[bool, typer.Option("--exit", help="Stop when the demo is over.")] = False,
    fresh: FreshFlag = False,
) -> None:
    """Show an asset become a live market, from registration to the contract on the chain."""
    from deedbook.stack.run import demo as run_demo

    run(run_demo(settings_for("demo"), as_json=as_json, leave=leave, fresh=fresh), exit_code=True)


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

    typer.echo(run(run_grant(adopted_settings("grant"), address, role, entity, entity_id)))


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
    run(give_dollars(adopted_settings("dollars"), account, amount))
    typer.echo(f"{amount} USDC for {address}")


@app.command()
def login(
    role: Annotated[str, typer.Argument(help="investor, issuer, compliance, admin or operator.")],
    entity: Annotated[str, typer.Option(help="For an issuer: the name of the issuer's entity.")] = "",
) -> None:
    """Print an access token for a demo wallet of this role. For development only."""
    from deedbook.stack.login import login as run_login

    def progress(text: str) -> None:
        typer.echo(text, err=True)

    typer.echo(run(run_login(adopted_settings("login"), role, entity, progress)))


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

    body = run(run_sign(adopted_settings("sign"), action.value, role, amount, symbol, to))
    typer.echo(json.dumps(body))


@app.command("sign-order")
def sign_order(
    role: Annotated[str, typer.Argument(help="Whose demo wallet: that of `deedbook login ROLE`.")],
    pair: Annotated[str, typer.Argument(help="The pair's symbol, such as HARBOR-USDC.")],
    side: Annotated[OrderSide, typer.Argument()],
    quantity: Annotated[str, typer.Argument(help="How many, such as 5 or 0.25.")],
    price: Annotated[str, typer.Argument(help="The worst price; none for a market order.")] = "",
) -> None:
    """Print the signed body of an order, as `POST /trading/orders` takes it. For development only."""
    import json

    from deedbook.stack.sign import sign_order as run_sign

    body = run(run_sign(adopted_settings("sign-order"), role, pair, side.value, quantity, price))
    typer.echo(json.dumps(body))


@app.command("sign-swap")
def sign_swap(
    role: Annotated[str, typer.Argument(help="Whose demo wallet: that of `deedbook login ROLE`.")],
    pair: Annotated[str, typer.Argument(help="The pair's symbol, such as HARBOR-USDC.")],
    side: Annotated[OrderSide, typer.Argument(help="BUY gives USDC, SELL the other token.")],
    amount_in: Annotated[str, typer.Argument(help="How much to give, such as 250.00.")],
    least: Annotated[str, typer.Argument(help="The least to receive; none for what a quote suggests.")] = "",
) -> None:
    """Print the signed body of a swap, as `POST /swaps` takes it. For development only."""
    import json

    from deedbook.stack.sign import sign_swap as run_sign

    body = run(run_sign(adopted_settings("sign-swap"), role, pair, side.value, amount_in, least))
    typer.echo(json.dumps(body))
