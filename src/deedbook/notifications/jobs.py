"""Jobs of this room."""

from deedbook.kernel.jobs import Job, every
from deedbook.notifications import service
from deedbook.notifications.ports import NotificationResources
from deedbook.notifications.terms import REMOVE_OLD_NOTIFICATIONS

ROUNDS = 50


@every(3600, REMOVE_OLD_NOTIFICATIONS, lengthy=True)
async def remove_old_notifications(resources: NotificationResources, job: Job) -> None:
    """Forget what was told long ago, a little at a time."""
    for _ in range(ROUNDS):
        async with resources.db.transaction() as tx:
            if not await service.remove_old(tx):
                return
