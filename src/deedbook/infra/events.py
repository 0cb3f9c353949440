"""Facts of the machinery: what operators did to it."""

from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import UserId


@fact("operations.job_retried", stream="operator_id", audience=Audience.OPERATORS)
class JobRetriedFact(Fact):
    """An operator asked for a failed job again."""

    operator_id: UserId
    job_id: str
    new_job_id: str


@fact("operations.job_parked", stream="operator_id", audience=Audience.OPERATORS)
class JobParked(Fact):
    """An operator put a job aside, so that it is not run any more until somebody retries it."""

    operator_id: UserId
    job_id: str
    reason: str


@fact("operations.event_retried", stream="operator_id", audience=Audience.OPERATORS)
class EventRetried(Fact):
    """An operator had a failed event taken up again."""

    operator_id: UserId
    event_id: str
