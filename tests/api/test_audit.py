"""The audit log over HTTP: found by what matters, page by page, and exported whole."""

import csv
import io
import json
from typing import Any
from uuid import uuid4

import pytest

from deedbook.identity import Role
from deedbook.infra import audit
from deedbook.infra.events import JobRetriedFact
from deedbook.kernel.events import Actor, ActorType
from deedbook.kernel.ids import UserId
from tests.support.owner import as_owner
from tests.support.waiting import eventually
from tests.support.world import User, World

AUDIT = "/admin/audit"


async def tell(world: World, label: str, actor: User | None = None, **change: Any) -> None:
    told = JobRetriedFact(operator_id=UserId(uuid4()), job_id=label, new_job_id=f"{label}.2")
    async with world.db.transaction() as tx:
        who = Actor(ActorType.OPERATOR, actor.user_id if actor else None)
        tx.emit(told, who, before=change.get("before"), after=change.get("after"))


async def listed(world: World, auditor: User, **wanted: Any) -> list[dict[str, Any]]:
    """All entries, page by page."""
    entries: list[dict[str, Any]] = []
    while True:
        response = await world.http.get(AUDIT, params=wanted, headers=auditor.headers)
        assert response.status_code == 200, response.text
        page = response.json()
        entries += page["data"]
        if page["nextCursor"] is None:
            return entries
        wanted["cursor"] = page["nextCursor"]


async def test_entry_shows_what_it_was_before_and_after_when_something_changed(world: World) -> None:
    auditor = await world.user(Role.COMPLIANCE)
    await tell(world, "job", auditor, before={"status": "OPEN"}, after={"status": "DONE", "amount": "12.5"})
    (entry,) = await listed(world, auditor, action="operations.job_retried")
    assert entry["before"] == {"status": "OPEN"}
    assert entry["after"] == {"status": "DONE", "amount": "12.5"}
    assert entry["actorId"] == str(auditor.user_id)
    assert entry["actorType"] == "operator"
    assert entry["details"]["jobId"] == "job"


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
async def test_every_entry_comes_once_when_the_log_is_read_by_pages(world: World, limit: int) -> None:
    """Also where many have the same moment, since they were written in one transaction."""
    auditor = await world.user(Role.OPERATOR)
    async with world.db.transaction() as tx:
        for number in range(7):
            label = f"same-{number}"
            tx.emit(JobRetriedFact(operator_id=UserId(uuid4()), job_id=label, new_job_id=label))
    for number in range(3):
        await tell(world, f"later-{number}")
    entries = await listed(world, auditor, action="operations.job_retried", limit=limit)
    labels = [entry["details"]["jobId"] for entry in entries]
    assert labels == [f"later-{n}" for n in (2, 1, 0)] + [f"same-{n}" for n in range(6, -1, -1)]


async def test_log_is_narrowed_when_an_auditor_asks_for_one_thing(world: World) -> None:
    auditor, other = await world.user(Role.ADMIN), await world.user(Role.OPERATOR)
    await tell(world, "mine", auditor)
    await tell(world, "theirs", other)
    mine = await listed(world, auditor, actorId=str(auditor.user_id), action="operations.job_retried")
    assert [entry["details"]["jobId"] for entry in mine] == ["mine"]
    one = await listed(world, auditor, entityType="operations", entityId=mine[0]["entityId"])
    assert [entry["details"]["jobId"] for entry in one] == ["mine"]
    moment = mine[0]["createdAt"]
    assert await listed(world, auditor, action="operations.job_retried", to=moment) == []
    since = await listed(world, auditor, action="operations.job_retried", **{"from": moment})
    assert [entry["details"]["jobId"] for entry in since] == ["theirs", "mine"]
    assert await listed(world, auditor, entityId=str(uuid4())) == []


@pytest.mark.parametrize(
    "query",
    [
        "entityId=1", "actorId=%00", "action=DROP%20TABLE", "action='", "entityType=" + "a" * 101, "from=yesterday",
        "from=2026-01-01", "to=2026-01-01T00:00:00", "cursor=abc", "cursor=WyJhdWRpdCIsMV0", "limit=0", "order=asc",
    ],
)  # fmt: skip
async def test_question_is_refused_when_it_cannot_be_read(world: World, query: str) -> None:
    auditor = await world.user(Role.COMPLIANCE)
    response = await world.http.get(f"{AUDIT}?{query}", headers=auditor.headers)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def export(world: World, auditor: User, form: str, **more: str) -> Any:
    asked = {"from": "2020-01-01T00:00:00Z", "to": "2020-12-31T00:00:00Z", "format": form, **more}
    return await world.http.get(f"{AUDIT}/export", params=asked, headers=auditor.headers)


async def everything(world: World) -> dict[str, str]:
    """A period that surely holds today."""
    async with world.db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT to_char(now() - interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS first, "
            "to_char(now() + interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS last"
        )
    assert row is not None
    return {"from": row["first"], "to": row["last"]}


async def test_export_holds_the_whole_period_when_it_is_longer_than_a_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deedbook.infra.audit import views

    monkeypatch.setattr(views, "PAGE", 3)
    auditor = await world.user(Role.COMPLIANCE)
    for number in range(10):
        await tell(world, f"job-{number}", auditor, after={"n": number})
    whole = await export(world, auditor, "json", **await everything(world))
    assert whole.headers["content-type"] == "application/json"
    assert whole.headers["content-disposition"].endswith('.json"')
    entries = json.loads(whole.text)["data"]
    assert [e["after"]["n"] for e in entries if e["action"] == "operations.job_retried"] == list(range(10))
    assert len(entries) == len(await listed(world, auditor))
    table = await export(world, auditor, "csv", **await everything(world))
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert [row["eventId"] for row in rows] == [entry["eventId"] for entry in entries]
    told = [json.loads(row["after"]) for row in rows if row["action"] == "operations.job_retried"]
    assert [after["n"] for after in told] == list(range(10))


async def test_export_runs_nothing_when_a_text_is_a_formula(world: World) -> None:
    """I-08: the words of users stand in the log, and officers open it in a spreadsheet."""
    auditor = await world.user(Role.COMPLIANCE)
    formula = '=HYPERLINK("http://evil.test")'
    issuer = await world.issuer()
    await world.register(issuer, name=formula)
    await tell(world, formula)
    table = await export(world, auditor, "csv", **await everything(world))
    assert table.status_code == 200
    cells = [cell for row in csv.reader(io.StringIO(table.text, newline="")) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    assert any("HYPERLINK" in cell for cell in cells)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"), ("2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z"),
     ("2019-01-01T00:00:00Z", "2020-01-03T00:00:00Z")],
)  # fmt: skip
async def test_export_is_refused_when_the_period_is_none_or_too_long(
    world: World, first: str, last: str
) -> None:
    auditor = await world.user(Role.COMPLIANCE)
    response = await export(world, auditor, "csv", **{"from": first, "to": last})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/query/to"


async def test_export_is_empty_when_nothing_happened(world: World) -> None:
    auditor = await world.user(Role.COMPLIANCE)
    assert (await export(world, auditor, "json")).json() == {"data": []}
    assert len((await export(world, auditor, "csv")).text.splitlines()) == 1


@pytest.mark.parametrize("path", [AUDIT, f"{AUDIT}/export?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z"])
async def test_log_is_closed_when_an_investor_asks(world: World, path: str) -> None:
    investor = await world.user(Role.INVESTOR)
    assert (await world.http.get(path, headers=investor.headers)).status_code == 403
    assert (await world.http.get(path)).status_code == 401


async def test_record_is_verified_when_an_auditor_asks(world: World) -> None:
    auditor = await world.user(Role.COMPLIANCE)
    await tell(world, "sealed", auditor)

    async def is_sealed() -> bool:
        await audit.seal(world.db)
        return bool((await verification(world, auditor))["streams"][0]["rowsUnsealed"] == 0)

    await eventually(is_sealed, "the facts are sealed")
    told = await verification(world, auditor)
    assert told["holds"] is True
    assert [stream["stream"] for stream in told["streams"]] == [stream.name for stream in audit.STREAMS]
    assert told["streams"][0]["rowsRead"] > 0


async def test_what_was_changed_is_named_when_somebody_with_all_rights_has_done_it(world: World) -> None:
    auditor = await world.user(Role.COMPLIANCE)
    await tell(world, "sealed", auditor)

    async def has_seals() -> bool:
        return await audit.seal(world.db) > 0

    await eventually(has_seals, "the facts are sealed")
    async with as_owner(world.db) as owner:
        await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL; UPDATE events SET payload = '{}'")
    told = await verification(world, auditor)
    assert told["holds"] is False
    assert "has another hash than its rows" in told["streams"][0]["findings"][0]


async def verification(world: World, auditor: User) -> dict[str, Any]:
    response = await world.http.get(f"{AUDIT}/verification", headers=auditor.headers)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told
