"""A process whose worker takes a job and never finishes it; a test kills it. Arguments: URL and queue."""

import asyncio
import sys

from deedbook.infra.bullmq import Delivery, HardenedWorker, WorkerSettings, connect


async def _never_finish(_: Delivery) -> None:
    await asyncio.sleep(600)


async def _main(url: str, queue: str) -> None:
    settings = WorkerSettings(lock_ms=2000, stalled_check_ms=1000)
    worker = HardenedWorker(queue, _never_finish, connect(url), settings)
    assert worker.run_task is not None
    await worker.run_task


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2]))
