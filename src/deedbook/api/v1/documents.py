"""Documents: hashes and metadata on record."""

import base64
import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook import markets
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, UnitDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import _uuid
from deedbook.api.v1.schemas.markets import AddDocument, DocumentAnswer
from deedbook.identity import Role
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import DocumentId
from deedbook.markets.errors import DocumentNotFound

router = APIRouter(prefix="/documents", tags=["documents"], route_class=StrictRoute)

_READERS = frozenset({Role.COMPLIANCE, Role.ADMIN})


@router.post(
    "", status_code=201, openapi_extra=access(SIGNED_IN, bucket="writes"), response_model=DocumentAnswer
)
async def add(body: AddDocument, caller: CallerDep, unit: UnitDep) -> Response:
    """Put a document's hash on record. Send its bytes to have them hashed, or the hash alone."""
    sha256, size_bytes = _hash(body)
    command = body.command(sha256, size_bytes)
    return await unit.run(lambda tx: markets.add_document(tx, caller, command), DocumentAnswer.of, status=201)


@router.get("/{id}", openapi_extra=access(SIGNED_IN, bucket="reads"))
async def one(
    document_id: Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)], caller: CallerDep, db: DatabaseDep
) -> DocumentAnswer:
    """One document of yours; officers see all."""
    document = await markets.document(db, DocumentId(document_id))
    if document is None or (document.owner_id != caller.user_id and not caller.roles & _READERS):
        raise DocumentNotFound
    return DocumentAnswer.of(document)


def _hash(body: AddDocument) -> tuple[bytes, int | None]:
    if body.content_base64 is None:
        if body.sha256 is None:
            raise _invalid("/sha256", "missing", "send contentBase64 or sha256")
        return bytes.fromhex(body.sha256), body.size_bytes
    try:
        content = base64.b64decode(body.content_base64, validate=True)
    except ValueError:
        raise _invalid("/contentBase64", "bad_base64", "the content is no base64") from None
    if not content:
        raise _invalid("/contentBase64", "empty", "the document is empty")
    digest = hashlib.sha256(content).digest()
    if body.sha256 is not None and digest != bytes.fromhex(body.sha256):
        raise _invalid("/sha256", "hash_differs", "the content has another hash")
    if body.size_bytes is not None and body.size_bytes != len(content):
        raise _invalid("/sizeBytes", "size_differs", f"the content has {len(content)} bytes")
    return digest, len(content)


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid("the document is not valid", errors=(FieldError(pointer, code, detail),))
