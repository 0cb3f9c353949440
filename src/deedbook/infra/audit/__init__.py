"""The sealed record: facts and ledger lines hashed into a chain, the proof that nothing in it was changed, and the
record as auditors read it."""

from deedbook.infra.audit.export import COLUMNS, Form, exported
from deedbook.infra.audit.sealer import seal
from deedbook.infra.audit.seals import STREAMS
from deedbook.infra.audit.verify import StreamReport, verify
from deedbook.infra.audit.views import Wanted, entries, period

__all__ = [
    "COLUMNS",
    "STREAMS",
    "Form",
    "StreamReport",
    "Wanted",
    "entries",
    "exported",
    "period",
    "seal",
    "verify",
]
