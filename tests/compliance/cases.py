"""Cases to judge, made from values: a pair of parties with nothing against them, and what is changed about them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from deedbook.compliance import Accreditation, KycStatus, Operation, Record, TokenRules
from deedbook.compliance.model import Case, Party, Side
from deedbook.kernel.ids import TokenId, UserId, new_uuid

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TOKEN, USER = TokenId(new_uuid()), UserId(new_uuid())


def record(**changes: Any) -> Record:
    """A record that lets everything through."""
    whole = Record(
        user_id=USER,
        token_id=TOKEN,
        kyc_status=KycStatus.APPROVED,
        kyc_level=3,
        whitelisted=True,
        accreditation=Accreditation.ACCREDITED,
        accreditation_expires_at=None,
        jurisdiction="LU",
        expires_at=None,
        provider="",
        provider_reference="",
        version=1,
        updated_at=NOW,
    )
    return replace(whole, **changes)


def party(**changes: Any) -> Party:
    return replace(Party(record=record(), holding=1000, spendable=1000), **changes)


def case(**changes: Any) -> Case:
    """A transfer of 100 that nothing stands against."""
    whole = Case(
        operation=Operation.TRANSFER,
        regulated=True,
        rules=TokenRules(),
        sender=party(),
        receiver=party(holding=0, spendable=0),
        amount=100,
        holders=1,
        now=NOW,
    )
    return replace(whole, **changes)


def with_party(side: Side, changed: Party | None, **changes: Any) -> Case:
    return case(**{side.value: changed}, **changes)
