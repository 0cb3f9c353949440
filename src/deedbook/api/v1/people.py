"""For staff: which account belongs to which user."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from deedbook.api.deps import DatabaseDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.people import PeopleAnswer, PersonAnswer
from deedbook.api.v1.schemas.tokens import AddressText
from deedbook.identity import Address, Role, views

router = APIRouter(prefix="/admin/people", tags=["operations"], route_class=StrictRoute)

_STAFF = access(Role.COMPLIANCE, Role.OPERATOR, Role.ADMIN, bucket="reads")
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# A parameter never stands twice, so the ids stand in one.
Ids = Annotated[str | None, Query(alias="userIds", pattern=rf"^{_ID}(?:,{_ID}){{0,99}}$")]


@router.get("", openapi_extra=_STAFF)
async def people(
    db: DatabaseDep,
    user_ids: Ids = None,
    account: Annotated[AddressText | None, Query()] = None,
) -> PeopleAnswer:
    """The accounts of up to 100 users, given by their ids with commas between, and the user of an account. Who is not
    there is not in the answer."""
    wanted = [UUID(one) for one in user_ids.split(",")] if user_ids else []
    found = await views.people(db, wanted, Address(account) if account else None)
    return PeopleAnswer(data=[PersonAnswer.of(person) for person in found])
