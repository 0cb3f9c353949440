"""Use cases: put documents on record, and new versions of them."""

from dataclasses import dataclass

from deedbook.identity.terms import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.ids import DocumentId, new_uuid
from deedbook.markets import store
from deedbook.markets.errors import DocumentNotFound
from deedbook.markets.events import DocumentAdded
from deedbook.markets.store import Document


@dataclass(frozen=True)
class AddDocument:
    """A document to put on record. Only its hash and these words are kept."""

    title: str
    kind: str
    media_type: str
    sha256: bytes
    size_bytes: int | None
    replaces: DocumentId | None
    metadata: dict[str, str]


async def add_document(tx: Tx, caller: Caller, command: AddDocument) -> Document:
    """Put a document's hash on record, or a new version of one.

    Raises:
        DocumentNotFound: the one to replace is absent, or another user's.
        NewerVersionExists: it was replaced already.
    """
    version = 1
    if command.replaces is not None:
        former = (await store.documents(tx, caller.user_id, (command.replaces,))).get(command.replaces)
        if former is None:
            raise DocumentNotFound("the document to replace is not on record")
        version = former.version + 1
    document = await store.add_document(
        tx,
        Document(
            document_id=DocumentId(new_uuid()),
            owner_id=caller.user_id,
            title=command.title,
            kind=command.kind,
            media_type=command.media_type,
            sha256=command.sha256,
            size_bytes=command.size_bytes,
            version=version,
            replaces=command.replaces,
            metadata=command.metadata,
            created_at=await tx.now(),
        ),
    )
    added = DocumentAdded(
        document_id=document.document_id,
        owner_id=caller.user_id,
        sha256="0x" + document.sha256.hex(),
        document_version=version,
    )
    replaced = {"replaces": command.replaces, "version": version - 1 or None}
    after = {"documentId": document.document_id, "version": version}
    tx.emit(added, caller.actor, before=replaced, after=after)
    return document
