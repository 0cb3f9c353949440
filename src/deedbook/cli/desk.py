"""`deedbook compliance`: who may hold what, as compliance decides it."""

from enum import StrEnum
from typing import Annotated

import typer

from deedbook.cli.asking import As, Json, ProfileName, Url, asking
from deedbook.cli.showing import show_one

compliance_app = typer.Typer(no_args_is_help=True, help="Decide who may hold what.")
User = Annotated[str, typer.Argument(help="The user's id, as `deedbook whoami` shows it.")]
Why = Annotated[str, typer.Option(help="Why: it stands in the record.")]
RECORD = ("user_id", "kyc_status", "kyc_level", "whitelisted", "accreditation", "jurisdiction", "version")
STANDING = ("user_id", "account", "frozen", "frozen_reason", "sanctioned", "on_chain")


class Kyc(StrEnum):
    """How far the KYC is."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


@compliance_app.command("set")
def set_record(
    user: User,
    token: Annotated[str, typer.Argument(help="The token's symbol, such as HARBOR.")],
    kyc: Annotated[Kyc | None, typer.Option(help="The KYC's state.")] = None,
    level: Annotated[int | None, typer.Option(help="The KYC's level.")] = None,
    whitelisted: Annotated[bool | None, typer.Option(help="Whether they are on the token's list.")] = None,
    jurisdiction: Annotated[str, typer.Option(help="Their country, such as PT.")] = "",
    profile: ProfileName = "",
    role: As = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Decide of a user for a token. What is not named stays as it is."""
    with asking(profile, role, url) as client:
        told = client.set_compliance(
            user,
            token,
            kyc_status=kyc.value if kyc else None,
            kyc_level=level,
            whitelisted=whitelisted,
            jurisdiction=jurisdiction or None,
        )
    show_one(told, RECORD, as_json=as_json)


@compliance_app.command()
def show(user: User, profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False) -> None:
    """Show how a user stands with compliance."""
    with asking(profile, role, url) as client:
        told = client.standing(user)
    show_one(told, STANDING, as_json=as_json)


@compliance_app.command()
def freeze(
    user: User, reason: Why, profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False
) -> None:
    """Freeze a user's account: nothing moves, and orders end."""
    with asking(profile, role, url) as client:
        told = client.freeze(user, reason)
    show_one(told, STANDING, as_json=as_json)


@compliance_app.command()
def unfreeze(
    user: User, reason: Why, profile: ProfileName = "", role: As = "", url: Url = "", as_json: Json = False
) -> None:
    """Take a freeze back."""
    with asking(profile, role, url) as client:
        told = client.unfreeze(user, reason)
    show_one(told, STANDING, as_json=as_json)
