"""Entities: the issuers, vehicles and offerings that roles are held on, in a tree of parents."""

import json
import sqlite3
from uuid import UUID, uuid4

from deedbook.permissions import events
from deedbook.permissions.errors import Conflict, Invalid, NotFound
from deedbook.permissions.schemas import (
    EntityCreate,
    EntityResponse,
    EntityStatus,
    EntityType,
    EntityUpdate,
)
from deedbook.permissions.store import Tx


def create(tx: Tx, request: EntityCreate) -> EntityResponse:
    if request.parent_id is not None:
        get(tx, request.parent_id)
    _require_free_name(tx, request.name, request.type)
    entity_id = uuid4()
    row = (
        str(entity_id),
        request.name,
        request.type,
        request.status,
        _text(request.parent_id),
        json.dumps(request.attributes),
        tx.now_text,
        tx.now_text,
    )
    tx.db.execute("INSERT INTO entities VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return get(tx, entity_id)


def get(tx: Tx, entity_id: UUID) -> EntityResponse:
    row = tx.db.execute("SELECT * FROM entities WHERE id = ?", (str(entity_id),)).fetchone()
    if row is None:
        raise NotFound(f"Entity {entity_id} not found")
    return _response(row)


def listed(
    tx: Tx, *, types: list[EntityType], parent_id: UUID | None, limit: int, offset: int
) -> list[EntityResponse]:
    """Newest first; archived entities are not listed."""
    statement = "SELECT * FROM entities WHERE status <> 'archived'"
    values: list[str | int] = []
    if types:
        statement += f" AND type IN ({', '.join('?' * len(types))})"
        values.extend(types)
    if parent_id is not None:
        statement += " AND parent_id = ?"
        values.append(str(parent_id))
    statement += " ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?"
    return [_response(row) for row in tx.db.execute(statement, (*values, limit, offset))]


def update(tx: Tx, entity_id: UUID, request: EntityUpdate, *, actor_id: UUID | None) -> EntityResponse:
    before = get(tx, entity_id)
    after = before.model_copy(update=request.model_dump(exclude_unset=True))
    if after.name != before.name:
        _require_free_name(tx, after.name, after.type)
    if after.parent_id not in (None, before.parent_id):
        _require_parent(tx, entity_id, after.parent_id)
    return _save(tx, before, after, actor_id)


def archive(tx: Tx, entity_id: UUID, *, actor_id: UUID | None) -> EntityResponse:
    before = get(tx, entity_id)
    return _save(tx, before, before.model_copy(update={"status": EntityStatus.ARCHIVED}), actor_id)


def _save(tx: Tx, before: EntityResponse, after: EntityResponse, actor_id: UUID | None) -> EntityResponse:
    if after == before:
        return before
    tx.db.execute(
        "UPDATE entities SET name = ?, status = ?, parent_id = ?, attributes = ?, updated_at = ?"
        " WHERE id = ?",
        (
            after.name,
            after.status,
            _text(after.parent_id),
            json.dumps(after.attributes),
            tx.now_text,
            str(after.id),
        ),
    )
    _announce_change(tx, before, after, actor_id)
    return get(tx, after.id)


def _announce_change(tx: Tx, before: EntityResponse, after: EntityResponse, actor_id: UUID | None) -> None:
    """Status and parent decide who may do what below this entity, so those who remember answers must hear."""
    if (after.status, after.parent_id) == (before.status, before.parent_id):
        return
    archived = after.status == EntityStatus.ARCHIVED and before.status != EntityStatus.ARCHIVED
    payload = {"entity_id": str(after.id), "entity_type": after.type.value, "principal_id": None}
    events.announce(tx, "entity.archived" if archived else "entity.updated", payload, actor_id=actor_id)


def _require_free_name(tx: Tx, name: str, entity_type: EntityType) -> None:
    statement = "SELECT 1 FROM entities WHERE name = ? AND type = ?"
    if tx.db.execute(statement, (name, entity_type)).fetchone() is not None:
        raise Conflict(f"Entity '{name}' of type '{entity_type.value}' already exists")


def _require_parent(tx: Tx, entity_id: UUID, parent_id: UUID | None) -> None:
    """The parent exists and does not hang below the entity."""
    above = parent_id
    while above is not None:
        if above == entity_id:
            raise Invalid(f"Entity {entity_id} cannot be its own ancestor")
        above = get(tx, above).parent_id


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _response(row: sqlite3.Row) -> EntityResponse:
    return EntityResponse(**{**dict(row), "attributes": json.loads(row["attributes"])})
