"""What the registry is told of an account, by values."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.chain.identities import IdentityUpdate
from deedbook.compliance import Accreditation, KycStatus, Profile, Record
from deedbook.compliance.model import statement_of
from deedbook.identity.terms import Address
from tests.compliance.cases import NOW, SECOND, USER, record
from tests.compliance.test_rules import RECORDS

ACCOUNT = Address("0x" + "11" * 20)
PROFILE = Profile(USER, ACCOUNT, frozen=False, sanctioned=False, version=1, registered_version=0)
NOBODY = IdentityUpdate(ACCOUNT, False, "ZZ", 0, 0)
TOMORROW = NOW + timedelta(days=1)


def told(*records: Record, before: bool = False, sanctioned: bool = False) -> IdentityUpdate | None:
    profile = replace(PROFILE, sanctioned=sanctioned)
    return statement_of(profile, records, stated_before=before, now=NOW)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((), None),
        ((record(kyc_status=KycStatus.PENDING),), None),
        ((record(kyc_status=KycStatus.REJECTED),), NOBODY),
        ((record(accreditation=Accreditation.NONE),), IdentityUpdate(ACCOUNT, True, "LU", 0, None)),
        (
            (record(expires_at=TOMORROW), record(expires_at=TOMORROW + SECOND, jurisdiction="DE")),
            IdentityUpdate(ACCOUNT, True, "DE", 1, int((TOMORROW + SECOND).timestamp())),
        ),
        (
            (record(expires_at=TOMORROW), record(expires_at=None, accreditation=Accreditation.NONE)),
            IdentityUpdate(ACCOUNT, True, "LU", 1, None),
        ),
        (
            (record(kyc_status=KycStatus.EXPIRED, expires_at=NOW - SECOND),),
            IdentityUpdate(ACCOUNT, True, "LU", 1, int((NOW - SECOND).timestamp())),
        ),
        (
            (record(kyc_status=KycStatus.EXPIRED, expires_at=None),),
            IdentityUpdate(ACCOUNT, True, "LU", 1, int(NOW.timestamp())),
        ),
        (
            (record(kyc_status=KycStatus.EXPIRED, expires_at=NOW), record(expires_at=TOMORROW)),
            IdentityUpdate(ACCOUNT, True, "LU", 1, int(TOMORROW.timestamp())),
        ),
        (
            (record(accreditation_expires_at=NOW),),
            IdentityUpdate(ACCOUNT, True, "LU", 0, None),
        ),
    ],
)
def test_the_registry_is_told_the_best_of_what_was_decided(
    records: tuple[Record, ...], expected: IdentityUpdate | None
) -> None:
    assert told(*records) == expected
    assert told(*records, sanctioned=True) == NOBODY
    assert told(*records, before=True) == (expected or NOBODY)


@given(st.lists(RECORDS, max_size=3), st.booleans(), st.booleans())
def test_the_chain_verifies_exactly_whom_some_approval_holds_for(
    records: list[Record], before: bool, sanctioned: bool
) -> None:
    update = told(*records, before=before, sanctioned=sanctioned)
    holds = not sanctioned and any(
        known.kyc_status is KycStatus.APPROVED and (known.expires_at is None or known.expires_at > NOW)
        for known in records
    )
    said = (
        update is not None
        and update.verified
        and (update.expires_at is None or update.expires_at > NOW.timestamp())
    )
    assert said is holds
