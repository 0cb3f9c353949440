"""Failed jobs over HTTP: put aside and asked for again, with the reason in the audit log."""

from typing import Any
from uuid import uuid4

from deedbook.identity import Role
from tests.api.support import refused
from tests.support.world import User, World

QUEUE = "housekeeping"


async def failed_job(world: World, name: str = "x", status: str = "failed") -> str:
    job_id = f"made-for-a-test-{uuid4()}"
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO jobs (job_id, queue, name, data, status) VALUES ($1, $2, $3, '{}', $4)",
            job_id,
            QUEUE,
            name,
            status,
        )
    return job_id


async def ask(world: World, operator: User, job_id: str, what: str, **body: Any) -> Any:
    headers = {**operator.headers, "Idempotency-Key": str(uuid4())}
    return await world.http.post(f"/admin/jobs/{QUEUE}/{job_id}/{what}", headers=headers, json=body)


async def audited(world: World, operator: User, action: str) -> list[dict[str, Any]]:
    query = {"actorId": str(operator.user_id), "action": action}
    found = await world.http.get("/admin/audit", params=query, headers=operator.headers)
    return [{"before": row["before"], "after": row["after"]} for row in found.json()["data"]]


async def test_reason_stands_in_the_audit_log_when_a_job_is_parked_and_retried(shared: World) -> None:
    operator, job_id = await shared.user(Role.OPERATOR), await failed_job(shared)
    parked = await ask(shared, operator, job_id, "park", reason="the provider is away")
    assert parked.status_code == 200, parked.text
    assert parked.json() == {"jobId": job_id, "status": "parked"}
    listed = await shared.http.get(
        f"/admin/queues/{QUEUE}/jobs", params={"status": "parked"}, headers=operator.headers
    )
    reasons = {job["jobId"]: job["parkedReason"] for job in listed.json()["data"]}
    assert reasons[job_id] == "the provider is away"
    again = await ask(shared, operator, job_id, "retry", reason="it is back")
    assert again.json() == {"jobId": f"{job_id}.2"}
    [park_row] = await audited(shared, operator, "operations.job_parked")
    [retry_row] = await audited(shared, operator, "operations.job_retried")
    assert park_row == {
        "before": {"status": "failed"},
        "after": {"status": "parked", "reason": "the provider is away"},
    }
    assert retry_row == {
        "before": {"status": "parked"},
        "after": {"status": "retried", "reason": "it is back"},
    }


async def test_job_is_not_parked_when_it_is_done_or_no_reason_is_given(shared: World) -> None:
    operator = await shared.user(Role.OPERATOR)
    done = await failed_job(shared, status="done")
    refused(await ask(shared, operator, done, "park", reason="late"), 409, "job_not_open")
    refused(await ask(shared, operator, await failed_job(shared), "park", reason=""), 422, "invalid_request")


async def test_job_is_not_parked_when_no_retry_would_bring_it_back(shared: World) -> None:
    """A market would wait for its contract for ever."""
    operator = await shared.user(Role.OPERATOR)
    job_id = await failed_job(shared, "deploy-market-token", "pending")
    refused(await ask(shared, operator, job_id, "park", reason="later"), 409, "job_repeated_otherwise")
