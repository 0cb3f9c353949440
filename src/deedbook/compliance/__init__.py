"""Compliance: who may hold what. Records, rules, freezes, and one judgement for every operation."""

from deedbook.compliance import errors
from deedbook.compliance.eligibility import Preview, judge, preview, require_eligible
from deedbook.compliance.terms import (
    Accreditation,
    KycStatus,
    Operation,
    Profile,
    Reason,
    Record,
    TokenRules,
)

__all__ = [
    "Accreditation",
    "KycStatus",
    "Operation",
    "Preview",
    "Profile",
    "Reason",
    "Record",
    "TokenRules",
    "errors",
    "judge",
    "preview",
    "require_eligible",
]
