"""Roles: named sets of permissions, optionally limited to some types of entity."""

import json
import sqlite3
from uuid import UUID, uuid4

from deedbook.permissions import events
from deedbook.permissions.errors import Conflict, NotFound
from deedbook.permissions.schemas import RoleCreate, RoleResponse, RoleUpdate
from deedbook.permissions.store import Tx


def create(tx: Tx, request: RoleCreate) -> RoleResponse:
    if tx.db.execute("SELECT 1 FROM roles WHERE name = ?", (request.name,)).fetchone() is not None:
        raise Conflict(f"Role '{request.name}' already exists")
    role_id = uuid4()
    tx.db.execute(
        "INSERT INTO roles VALUES (?, ?, ?, 0, ?, ?, ?)",
        (
            str(role_id),
            request.name,
            request.description,
            json.dumps(request.scope_types),
            tx.now_text,
            tx.now_text,
        ),
    )
    _replace_permissions(tx, role_id, request.permissions)
    return get(tx, role_id)


def get(tx: Tx, role_id: UUID) -> RoleResponse:
    row = tx.db.execute("SELECT * FROM roles WHERE id = ?", (str(role_id),)).fetchone()
    if row is None:
        raise NotFound(f"Role {role_id} not found")
    return _response(tx, row)


def listed(tx: Tx, *, limit: int, offset: int) -> list[RoleResponse]:
    statement = "SELECT * FROM roles ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?"
    return [_response(tx, row) for row in tx.db.execute(statement, (limit, offset)).fetchall()]


def update(tx: Tx, role_id: UUID, request: RoleUpdate, *, actor_id: UUID | None) -> RoleResponse:
    """Null `scope_types` means none; null `permissions` leaves them as they are."""
    before = get(tx, role_id)
    changes = request.model_dump(exclude_unset=True)
    if changes.get("permissions") is None:
        changes.pop("permissions", None)
    else:
        changes["permissions"] = sorted(set(changes["permissions"]))
    if "scope_types" in changes:
        changes["scope_types"] = changes["scope_types"] or []
    after = before.model_copy(update=changes)
    if after == before:
        return before
    tx.db.execute(
        "UPDATE roles SET description = ?, scope_types = ?, updated_at = ? WHERE id = ?",
        (after.description, json.dumps(after.scope_types), tx.now_text, str(role_id)),
    )
    _replace_permissions(tx, role_id, after.permissions)
    _announce_update(tx, after, actor_id)
    return get(tx, role_id)


def _announce_update(tx: Tx, role: RoleResponse, actor_id: UUID | None) -> None:
    """A role is held by many on many entities: null stands for any of them."""
    payload = {
        "role_id": str(role.id),
        "role_name": role.name,
        "principal_id": None,
        "principal_type": None,
        "entity_id": None,
    }
    events.announce(tx, "role.updated", payload, actor_id=actor_id)


def _replace_permissions(tx: Tx, role_id: UUID, permissions: list[str]) -> None:
    tx.db.execute("DELETE FROM role_permissions WHERE role_id = ?", (str(role_id),))
    rows = [(str(role_id), action) for action in sorted(set(permissions))]
    tx.db.executemany("INSERT INTO role_permissions VALUES (?, ?)", rows)


def _response(tx: Tx, row: sqlite3.Row) -> RoleResponse:
    statement = "SELECT action FROM role_permissions WHERE role_id = ? ORDER BY action"
    permissions = [permission["action"] for permission in tx.db.execute(statement, (row["id"],))]
    scope_types = json.loads(row["scope_types"])
    return RoleResponse(**{**dict(row), "scope_types": scope_types, "permissions": permissions})
