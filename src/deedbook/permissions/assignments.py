"""Assignments: who holds which role, on which entity or everywhere, from when until when."""

import sqlite3
from uuid import UUID, uuid4

from deedbook.permissions import events, roles
from deedbook.permissions.authorize import covers
from deedbook.permissions.errors import Invalid
from deedbook.permissions.instants import to_text, to_text_or_none
from deedbook.permissions.schemas import AssignmentCreate, AssignmentResponse
from deedbook.permissions.store import Tx


def assign(tx: Tx, request: AssignmentCreate, *, actor_id: UUID | None) -> AssignmentResponse:
    """Assigning twice gives the first assignment; one that has expired is renewed in place."""
    _require_scope(tx, request)
    held = _held(tx, request)
    if held is not None and (held.expires_at is None or held.expires_at > tx.now):
        return held
    assignment_id = uuid4() if held is None else held.id
    _write(tx, assignment_id, request)
    assignment = _get(tx, assignment_id)
    _announce_change(tx, assignment, "assigned" if held is None else "renewed", actor_id)
    return assignment


def listed(
    tx: Tx, *, principal_id: UUID | None, entity_id: UUID | None, limit: int, offset: int
) -> list[AssignmentResponse]:
    statement = "SELECT * FROM assignments WHERE true"
    values: list[str | int] = []
    for column, wanted in (("principal_id", principal_id), ("entity_id", entity_id)):
        if wanted is not None:
            statement += f" AND {column} = ?"
            values.append(str(wanted))
    statement += " ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?"
    return [_response(row) for row in tx.db.execute(statement, (*values, limit, offset))]


def revoke(tx: Tx, assignment_id: UUID, *, actor_id: UUID | None) -> None:
    assignment = _get(tx, assignment_id)
    tx.db.execute("DELETE FROM assignments WHERE id = ?", (str(assignment_id),))
    _announce_change(tx, assignment, "revoked", actor_id)


def _require_scope(tx: Tx, request: AssignmentCreate) -> None:
    role = roles.get(tx, request.role_id)
    if request.entity_id is None:
        return
    statement = "SELECT type FROM entities WHERE id = ?"
    entity = tx.db.execute(statement, (str(request.entity_id),)).fetchone()
    if entity is None:
        raise Invalid(f"Entity {request.entity_id} not found for assignment")
    if not covers(role.scope_types, entity["type"]):
        raise Invalid(f"Role {role.name} cannot be assigned to entity type {entity['type']}")


def _held(tx: Tx, request: AssignmentCreate) -> AssignmentResponse | None:
    row = tx.db.execute(
        "SELECT * FROM assignments"
        " WHERE principal_id = ? AND principal_type = ? AND role_id = ? AND entity_id IS ?",
        (
            str(request.principal_id),
            request.principal_type,
            str(request.role_id),
            None if request.entity_id is None else str(request.entity_id),
        ),
    ).fetchone()
    return None if row is None else _response(row)


def _write(tx: Tx, assignment_id: UUID, request: AssignmentCreate) -> None:
    row = {
        "id": str(assignment_id),
        "principal_id": str(request.principal_id),
        "principal_type": request.principal_type,
        "role_id": str(request.role_id),
        "entity_id": None if request.entity_id is None else str(request.entity_id),
        "effective_at": to_text(request.effective_at or tx.now),
        "expires_at": to_text_or_none(request.expires_at),
        "now": tx.now_text,
    }
    tx.db.execute(
        "INSERT INTO assignments VALUES (:id, :principal_id, :principal_type, :role_id, :entity_id,"
        " :effective_at, :expires_at, :now, :now) ON CONFLICT (id) DO UPDATE"
        " SET effective_at = :effective_at, expires_at = :expires_at, updated_at = :now",
        row,
    )


def _get(tx: Tx, assignment_id: UUID) -> AssignmentResponse:
    row = tx.db.execute("SELECT * FROM assignments WHERE id = ?", (str(assignment_id),)).fetchone()
    if row is None:
        # 400, not 404: that is what the service this one stands for answers.
        raise Invalid(f"Assignment {assignment_id} not found")
    return _response(row)


def _announce_change(tx: Tx, assignment: AssignmentResponse, change: str, actor_id: UUID | None) -> None:
    """Null `entity_id`: the assignment holds on every entity."""
    payload = {
        "assignment_id": str(assignment.id),
        "role_id": str(assignment.role_id),
        "principal_id": str(assignment.principal_id),
        "principal_type": assignment.principal_type,
        "entity_id": None if assignment.entity_id is None else str(assignment.entity_id),
        "change": change,
    }
    events.announce(tx, "role.assignment.changed", payload, actor_id=actor_id)


def _response(row: sqlite3.Row) -> AssignmentResponse:
    return AssignmentResponse(**dict(row))
