"""The JSON endpoints. Each opens one transaction; plain functions, so each runs on a worker thread."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query

from deedbook.permissions import approval_views, approvals, assignments, entities, events, roles
from deedbook.permissions.authorize import authorize
from deedbook.permissions.schemas import (
    LIST_MAX,
    ApprovalDetail,
    ApprovalPage,
    ApprovalStatus,
    AssignmentCreate,
    AssignmentResponse,
    AuthorizationRequest,
    AuthorizationResponse,
    DecisionRequest,
    DecisionResult,
    EntityCreate,
    EntityResponse,
    EntityType,
    EntityUpdate,
    EventIngest,
    EventResponse,
    RoleCreate,
    RoleResponse,
    RoleUpdate,
)
from deedbook.permissions.services import ServicesOf

router = APIRouter()

ActorId = Annotated[UUID | None, Header(alias="X-Actor-Id")]
ListLimit = Annotated[int, Query(ge=1, le=LIST_MAX)]
Offset = Annotated[int, Query(ge=0, le=2**31)]
PageLimit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[int, Query(ge=0, le=2**62)]
Name = Annotated[str | None, Query(max_length=128)]


@router.get("/healthz")
def healthz(services: ServicesOf) -> dict[str, str]:
    with services.store.read() as tx:
        tx.db.execute("SELECT 1 FROM events LIMIT 1").fetchone()
    return {"status": "ok"}


@router.post("/api/v1/authorize")
def post_authorize(request: AuthorizationRequest, services: ServicesOf) -> AuthorizationResponse:
    with services.store.read() as tx:
        return AuthorizationResponse(authorized=authorize(tx, request))


@router.post("/api/v1/entities", status_code=201)
def post_entity(request: EntityCreate, services: ServicesOf, actor_id: ActorId = None) -> EntityResponse:
    with services.store.write() as tx:
        return entities.create(tx, request)


@router.get("/api/v1/entities")
def get_entities(
    services: ServicesOf,
    types: Annotated[list[EntityType] | None, Query(alias="type", max_length=16)] = None,
    parent_id: UUID | None = None,
    limit: ListLimit = LIST_MAX,
    offset: Offset = 0,
) -> list[EntityResponse]:
    with services.store.read() as tx:
        return entities.listed(tx, types=types or [], parent_id=parent_id, limit=limit, offset=offset)


@router.get("/api/v1/entities/{entity_id}")
def get_entity(entity_id: UUID, services: ServicesOf) -> EntityResponse:
    with services.store.read() as tx:
        return entities.get(tx, entity_id)


@router.patch("/api/v1/entities/{entity_id}")
def patch_entity(
    entity_id: UUID, request: EntityUpdate, services: ServicesOf, actor_id: ActorId = None
) -> EntityResponse:
    with services.store.write() as tx:
        return entities.update(tx, entity_id, request, actor_id=actor_id)


@router.post("/api/v1/entities/{entity_id}/archive")
def archive_entity(entity_id: UUID, services: ServicesOf, actor_id: ActorId = None) -> EntityResponse:
    with services.store.write() as tx:
        return entities.archive(tx, entity_id, actor_id=actor_id)


@router.post("/api/v1/roles", status_code=201)
def post_role(request: RoleCreate, services: ServicesOf, actor_id: ActorId = None) -> RoleResponse:
    with services.store.write() as tx:
        return roles.create(tx, request)


@router.get("/api/v1/roles")
def get_roles(services: ServicesOf, limit: ListLimit = LIST_MAX, offset: Offset = 0) -> list[RoleResponse]:
    with services.store.read() as tx:
        return roles.listed(tx, limit=limit, offset=offset)


@router.patch("/api/v1/roles/{role_id}")
def patch_role(
    role_id: UUID, request: RoleUpdate, services: ServicesOf, actor_id: ActorId = None
) -> RoleResponse:
    with services.store.write() as tx:
        return roles.update(tx, role_id, request, actor_id=actor_id)


@router.post("/api/v1/assignments", status_code=201)
def post_assignment(
    request: AssignmentCreate, services: ServicesOf, actor_id: ActorId = None
) -> AssignmentResponse:
    with services.store.write() as tx:
        return assignments.assign(tx, request, actor_id=actor_id)


@router.get("/api/v1/assignments")
def get_assignments(
    services: ServicesOf,
    principal_id: UUID | None = None,
    entity_id: UUID | None = None,
    limit: ListLimit = LIST_MAX,
    offset: Offset = 0,
) -> list[AssignmentResponse]:
    with services.store.read() as tx:
        return assignments.listed(
            tx, principal_id=principal_id, entity_id=entity_id, limit=limit, offset=offset
        )


@router.delete("/api/v1/assignments/{assignment_id}")
def delete_assignment(assignment_id: UUID, services: ServicesOf, actor_id: ActorId = None) -> dict[str, str]:
    with services.store.write() as tx:
        assignments.revoke(tx, assignment_id, actor_id=actor_id)
    return {"status": "revoked", "assignment_id": str(assignment_id)}


@router.post("/api/v1/events", status_code=201)
def post_event(request: EventIngest, services: ServicesOf) -> EventResponse:
    with services.store.write() as tx:
        return approvals.ingest(tx, request)


@router.get("/api/v1/events")
def get_events(
    services: ServicesOf, event_type: Name = None, source: Name = None, limit: PageLimit = 50
) -> list[EventResponse]:
    with services.store.read() as tx:
        return events.newest(tx, event_type=event_type, source=source, limit=limit)


@router.get("/api/v1/events/{event_id}")
def get_event(event_id: str, services: ServicesOf) -> EventResponse:
    with services.store.read() as tx:
        return events.get(tx, event_id)


@router.get("/api/v1/approvals")
def get_approvals(
    services: ServicesOf, status: ApprovalStatus | None = None, limit: PageLimit = 50, cursor: Cursor = 0
) -> ApprovalPage:
    with services.store.read() as tx:
        return approval_views.page(tx, status=status, limit=limit, after=cursor)


@router.get("/api/v1/approvals/{market_id}")
def get_approval(market_id: UUID, services: ServicesOf) -> ApprovalDetail:
    with services.store.read() as tx:
        return approval_views.detail(tx, market_id)


@router.post("/api/v1/approvals/{market_id}/decision")
def post_decision(market_id: UUID, request: DecisionRequest, services: ServicesOf) -> DecisionResult:
    with services.store.write() as tx:
        return approvals.decide(tx, market_id, request, principal_type=services.config.principal_type)
