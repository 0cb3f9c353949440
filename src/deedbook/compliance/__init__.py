"""Compliance: who may hold what. Records, rules, freezes, and one judgement for every operation."""

from deedbook.compliance import errors, events
from deedbook.compliance.eligibility import Preview, judge, preview, redeem, require_eligible, room
from deedbook.compliance.ports import Applicant, KycProvider, KycReport, KycVerdict, Registrar, Registry
from deedbook.compliance.screening import request_check
from deedbook.compliance.service import (
    expire_due,
    freeze,
    pause_token,
    set_record,
    set_rules,
    set_sanctioned,
    unfreeze,
    write_note,
)
from deedbook.compliance.standing import Rehearsal, Standing, changed_since, rehearse, standings
from deedbook.compliance.terms import (
    UNCHANGED,
    Accreditation,
    KycStatus,
    Operation,
    Profile,
    Reason,
    Record,
    RecordChange,
    TokenRules,
    Unchanged,
)

__all__ = [
    "UNCHANGED",
    "Accreditation",
    "Applicant",
    "KycProvider",
    "KycReport",
    "KycStatus",
    "KycVerdict",
    "Operation",
    "Preview",
    "Profile",
    "Reason",
    "Record",
    "RecordChange",
    "Registrar",
    "Registry",
    "Rehearsal",
    "Standing",
    "TokenRules",
    "Unchanged",
    "changed_since",
    "errors",
    "events",
    "expire_due",
    "freeze",
    "judge",
    "pause_token",
    "preview",
    "redeem",
    "rehearse",
    "request_check",
    "require_eligible",
    "room",
    "set_record",
    "set_rules",
    "set_sanctioned",
    "standings",
    "unfreeze",
    "write_note",
]
