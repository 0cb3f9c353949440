"""What compliance should look into: unusual orders, and money that only passes through."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter

from deedbook.api.deps import DatabaseDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.alerts import AlertAnswer, AlertsAnswer
from deedbook.custody import throughput
from deedbook.identity import Role
from deedbook.trading import conduct

LOOK_BACK = timedelta(days=1)

router = APIRouter(prefix="/compliance/alerts", tags=["compliance"], route_class=StrictRoute)


@router.get("", openapi_extra=access(Role.COMPLIANCE, Role.ADMIN, bucket="reads"))
async def alerts(db: DatabaseDep) -> AlertsAnswer:
    """What stands out in a day of orders, deposits and withdrawals. Nothing is stopped by it: an officer looks."""
    asked = datetime.now(UTC) - LOOK_BACK
    looked, passed = await conduct.unusual(db, asked), await throughput.passages(db, asked)
    found = [alert for one in looked.found for alert in AlertAnswer.of_conduct(one)]
    found += [AlertAnswer.of_passage(one) for one in passed]
    found.sort(key=lambda alert: alert.last_at, reverse=True)
    return AlertsAnswer(since=looked.since, alerts=found)
