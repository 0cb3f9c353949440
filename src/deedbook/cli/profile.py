"""`deedbook profile`: where the platform is and who one is there, under a name."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from deedbook.cli.profiles import Profile, keep, profiles_file, signer_of, stored, write_secret

profile_app = typer.Typer(no_args_is_help=True, help="Keep who you are, and where, under a name.")


@profile_app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    url: Annotated[
        str, typer.Option(help="Where the platform is; the stack that runs here unless said.")
    ] = "",
    role: Annotated[str, typer.Option("--as", help="A demo wallet of the stack that runs here.")] = "",
    key_file: Annotated[str, typer.Option(help="A file with your key, which you alone can read.")] = "",
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make a key, beside the profiles, which you alone can read.")
    ] = False,
    rpc_url: Annotated[str, typer.Option(help="A node of the chain, for deposits by signature alone.")] = "",
) -> None:
    """Keep a profile. `--profile NAME` or DEEDBOOK_PROFILE uses it. Keys stay in their own files."""
    if sum(map(bool, (role, key_file, new_key))) > 1:
        raise typer.BadParameter("one of --as, --key-file and --new-key")
    if new_key:
        made = profiles_file().parent / f"{name}.key"
        if made.exists():
            raise typer.BadParameter(f"{made} is there already: --key-file uses it")
        made.parent.mkdir(parents=True, exist_ok=True)
        write_secret(made, secrets.token_hex(32) + "\n")
        key_file = str(made)
    path = str(Path(key_file).expanduser().absolute()) if key_file else ""
    profile = Profile(url.rstrip("/"), role, path, rpc_url)
    signer = signer_of(profile)
    keep(name, profile)
    who = role or (signer.address if signer else "nobody: it sees what everybody sees")
    typer.echo(f"{name} is {who}, at {url or 'the stack that runs here'}")


@profile_app.command("list")
def list_profiles() -> None:
    """List the profiles. No key is shown."""
    known = stored()
    for name, profile in sorted(known.items()):
        who = f"demo {profile.role}" if profile.role else profile.key_file or "everybody"
        typer.echo(f"{name}: {profile.url or 'the stack that runs here'}, {who}")
    if not known:
        typer.echo("no profiles: `deedbook profile add --help`")
