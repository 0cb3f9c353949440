"""What the embedded provider decides by. The same application always gets the same answer.

1. A name on the list (`sanctions.txt`) is rejected, with the list named.
2. A country under embargo (`EMBARGOED`) is rejected.
3. No documents: a person would have to look (`review`).
4. A document whose id begins with `forged` is rejected; one that begins with `expired` asks for a review.
5. Everything else is approved for a year; the level is the number of different documents, three at most.
6. A document whose id begins with `institutional` or `accredited` proves that, for half a year.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources

EMBARGOED = frozenset({"CU", "IR", "KP", "SY"})
LIST_NAME = "embedded-sanctions"
APPROVED_FOR = timedelta(days=365)
ACCREDITED_FOR = timedelta(days=182)
MAX_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of an applicant."""

    reference: str
    status: str
    level: int
    accreditation: str
    accreditation_expires_at: datetime | None
    lists: tuple[str, ...]
    expires_at: datetime | None


def load_list() -> frozenset[str]:
    text = (resources.files(__package__) / "sanctions.txt").read_text(encoding="utf-8")
    return frozenset(folded(line) for line in text.splitlines() if line.strip() and not line.startswith("#"))


def folded(name: str) -> str:
    """A name as it is compared: case and spaces do not count."""
    return "".join(name.casefold().split())


def judge(
    check_id: str, name: str, country: str, documents: Sequence[str], listed: frozenset[str], now: datetime
) -> Finding:
    reference = f"chk-{hashlib.sha256(check_id.encode()).hexdigest()[:24]}"
    lists = (LIST_NAME,) if folded(name) in listed else ()
    if lists or country in EMBARGOED or any(paper.startswith("forged") for paper in documents):
        return Finding(reference, "rejected", 0, "none", None, lists, None)
    if not documents or any(paper.startswith("expired") for paper in documents):
        return Finding(reference, "review", 0, "none", None, (), None)
    kind = _accreditation(documents)
    return Finding(
        reference,
        "approved",
        min(len(set(documents)), MAX_LEVEL),
        kind,
        now + ACCREDITED_FOR if kind != "none" else None,
        (),
        now + APPROVED_FOR,
    )


def _accreditation(documents: Sequence[str]) -> str:
    for kind in ("institutional", "accredited"):
        if any(paper.startswith(kind) for paper in documents):
            return kind
    return "none"
