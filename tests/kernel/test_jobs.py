"""Jobs: declared beside what they call, found by their module, named once."""

from types import SimpleNamespace

import pytest

from deedbook.kernel.events import Fact
from deedbook.kernel.jobs import (
    HOUSEKEEPING,
    LIFECYCLE,
    QUEUES,
    Job,
    JobKind,
    every,
    first_id,
    handlers_of,
    handles,
    on,
)
from deedbook.markets.events import MarketActivated
from deedbook.wiring import JOB_MODULES

KIND = JobKind("say-hello", HOUSEKEEPING)


async def _run(_: object, __: Job) -> None:
    """A handler."""


def test_handlers_are_found_by_name_when_a_module_declares_them() -> None:
    async def later(_: object, __: Job) -> None: ...

    module = SimpleNamespace(
        later=every(10, JobKind("z-last", LIFECYCLE), lengthy=True)(later), _run=handles(KIND)(_run), other=3
    )

    found = handlers_of(module)

    assert [spec.kind.name for spec in found] == ["say-hello", "z-last"]
    assert (found[1].every_s, found[1].lengthy, found[0].every_s, found[0].fact) == (10, True, None, None)


def test_a_listener_names_its_fact_when_it_is_declared() -> None:
    async def listener(_: object, __: Job) -> None: ...

    (spec,) = handlers_of(SimpleNamespace(listener=on(MarketActivated, KIND)(listener)))

    assert spec.fact is MarketActivated
    assert issubclass(MarketActivated, Fact)


def test_job_names_and_queues_are_unique_when_all_rooms_are_read() -> None:
    handlers = [spec for module in JOB_MODULES for spec in handlers_of(module)]
    names = [spec.kind.name for spec in handlers]
    assert len(set(names)) == len(names)
    assert {spec.kind.queue for spec in handlers} <= set(QUEUES)
    assert len({queue.name for queue in QUEUES}) == len(QUEUES)


@pytest.mark.parametrize("job_id", ["deploy-1", "deploy-1.2", "deploy-1.13"])
def test_the_first_id_is_found_when_a_job_was_retried(job_id: str) -> None:
    assert first_id(job_id) == "deploy-1"


def test_every_queue_has_a_bounded_number_of_attempts_when_it_names_its_own() -> None:
    assert all(queue.attempts is None or 1 <= queue.attempts <= 10 for queue in QUEUES)
    assert all(0 < queue.backoff_s <= queue.backoff_cap_s for queue in QUEUES)
