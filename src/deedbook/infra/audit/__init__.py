"""The sealed record: facts and ledger lines hashed into a chain, and the proof that nothing in it was changed."""

from deedbook.infra.audit.sealer import seal
from deedbook.infra.audit.seals import STREAMS
from deedbook.infra.audit.verify import StreamReport, verify

__all__ = ["STREAMS", "StreamReport", "seal", "verify"]
