"""The local chain node, the platform's contracts, and keys."""

from pathlib import Path
from typing import Annotated

import typer

from deedbook.cli.common import adopted_settings, run, settings_for

chain_app = typer.Typer(help="The local chain node, and the platform's contracts.")


@chain_app.callback()
def chain_node(context: typer.Context) -> None:
    """Run the local chain node in the foreground."""
    if context.invoked_subcommand is None:
        from deedbook.stack.run import serve_chain

        settings_for("chain")
        run(serve_chain())


@chain_app.command("deploy")
def chain_deploy() -> None:
    """Deploy the platform's contracts. Safe to run twice."""
    from deedbook.stack.run import deploy_contracts

    for name, address in run(deploy_contracts(adopted_settings("chain deploy"))).items():
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
