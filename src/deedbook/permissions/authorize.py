"""May this principal do this to this entity? Answered from the stored assignments, each time anew."""

import json

from deedbook.permissions.errors import NotFound
from deedbook.permissions.schemas import AuthorizationRequest, EntityStatus
from deedbook.permissions.store import Tx

# The climb ends at an archived entity: neither its own grants nor those above reach through it.
# UNION, not UNION ALL, so that a loop of parents ends too.
_GRANTING_ROLES = """
WITH RECURSIVE lineage (id, parent_id) AS (
    SELECT id, parent_id FROM entities WHERE id = :entity_id
    UNION
    SELECT above.id, above.parent_id
    FROM entities AS above JOIN lineage ON above.id = lineage.parent_id
    WHERE above.status <> 'archived'
)
SELECT DISTINCT roles.scope_types
FROM assignments
JOIN roles ON roles.id = assignments.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id
WHERE assignments.principal_id = :principal_id
  AND assignments.principal_type = :principal_type
  AND role_permissions.action = :action
  AND assignments.effective_at <= :now
  AND (assignments.expires_at IS NULL OR assignments.expires_at > :now)
  AND (assignments.entity_id IS NULL OR assignments.entity_id IN (SELECT id FROM lineage))
"""


def authorize(tx: Tx, request: AuthorizationRequest) -> bool:
    entity_id = str(request.resource_id)
    entity = tx.db.execute("SELECT type, status FROM entities WHERE id = ?", (entity_id,)).fetchone()
    if entity is None:
        raise NotFound(f"Entity {entity_id} not found")
    if entity["status"] == EntityStatus.ARCHIVED:
        return False
    question = {
        "entity_id": entity_id,
        "principal_id": str(request.user_id),
        "principal_type": request.principal_type,
        "action": request.action,
        "now": tx.now_text,
    }
    roles = tx.db.execute(_GRANTING_ROLES, question)
    return any(covers(json.loads(role["scope_types"]), entity["type"]) for role in roles)


def covers(scope_types: list[str], entity_type: str) -> bool:
    """A role without scope types covers every type of entity."""
    return not scope_types or entity_type in scope_types
