"""Where withdrawals may go, and what they are measured by."""

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import Destination, Destinations, WithdrawalLimits
from deedbook.client.flow import Flow, Session
from deedbook.client.flows.asking import get, once, segment, send
from deedbook.client.flows.people import token


def destinations(session: Session) -> Flow[Destinations]:
    """Where my withdrawals may go."""
    return (yield from get(session, Destinations, "/withdrawals/addresses"))


def add_destination(session: Session, address: str, label: str = "") -> Flow[Destination]:
    """List an address. It counts after the delay."""
    body = {"address": address, "label": label}
    return (yield from send(session, Destination, "/withdrawals/addresses", body))


def remove_destination(session: Session, address: str) -> Flow[None]:
    """Take an address off my list, at once."""
    yield from once(session, f"/withdrawals/addresses/{segment(address)}", {}, method="DELETE")


def restrict_withdrawals(session: Session, allow_list_only: bool) -> Flow[Destinations]:
    """Let my withdrawals and transfers go to the list alone, at once; or, after the delay, anywhere."""
    body = {"allowListOnly": allow_list_only}
    return (yield from send(session, Destinations, "/withdrawals/allow-list", body, method="PUT"))


def withdrawal_limits(session: Session, token_name: str) -> Flow[WithdrawalLimits]:
    """What withdrawals of a token are measured by, for those who decide on them."""
    of = yield from token(session, token_name)
    return (yield from get(session, WithdrawalLimits, f"/admin/withdrawal-limits/{of.id}"))


def set_withdrawal_limits(
    session: Session,
    token_name: str,
    *,
    automatic_up_to: Amount,
    four_eyes_above: Amount,
    daily_limit: Amount,
) -> Flow[WithdrawalLimits]:
    """Say what withdrawals of a token are measured by, as an admin. 0 for `automatic_up_to` always asks a person."""
    of = yield from token(session, token_name)
    body = {
        "automaticUpTo": amount_text(automatic_up_to),
        "fourEyesAbove": amount_text(four_eyes_above),
        "dailyLimit": amount_text(daily_limit),
    }
    path = f"/admin/withdrawal-limits/{of.id}"
    return (yield from send(session, WithdrawalLimits, path, body, method="PUT"))
