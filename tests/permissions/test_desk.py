"""The desk page: everything escaped, no script, a strict policy, and a form that decides."""

import re
from html.parser import HTMLParser
from uuid import uuid4

import httpx2
import pytest

from .support import Officer, appoint, approval_request, ask_approval, posted

HOSTILE = "</textarea><script>alert(1)</script><img src=x onerror='x'>\"&"


class Outline(HTMLParser):
    """What a browser would see: elements with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture
async def officer(client: httpx2.AsyncClient) -> Officer:
    return await appoint(client, "market.approve", "market.reject")


async def test_empty_desk_says_so(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/desk")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "No market is waiting for a decision." in answer.text


async def test_policy_allows_nothing_but_the_style_and_the_form(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/desk")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "prefers-color-scheme: dark" in answer.text


async def test_everything_from_outside_is_escaped(client: httpx2.AsyncClient, officer: Officer) -> None:
    request = approval_request(str(uuid4()), officer.entity_id)
    request["source"] = f"src {HOSTILE}"
    request["context"] = {"actor_id": HOSTILE}
    request["payload"].update(
        facts={"name": HOSTILE, HOSTILE: HOSTILE, "nested": [{HOSTILE: [HOSTILE]}]},
        documents=[HOSTILE],
        issuer=HOSTILE,
        extra=HOSTILE,
    )
    await posted(client, "/api/v1/events", request)
    page = (await client.get("/desk")).text
    assert "<script" not in page
    assert "<img" not in page
    outline = Outline(page)
    assert outline.all("script", "img", "iframe", "object", "link") == []
    assert not any(name.startswith("on") or name == "style" for _, a in outline.elements for name in a)
    assert outline.text.count(HOSTILE) >= 9


async def test_facts_documents_and_issuer_are_shown_exactly(
    client: httpx2.AsyncClient, officer: Officer
) -> None:
    await ask_approval(client, officer.entity_id)
    text = Outline((await client.get("/desk")).text).text
    for expected in ("12500000.000000000000000001", "Offering memorandum", "ab" * 32, "HRB 1234"):
        assert expected in text


async def test_page_is_accessible_in_structure(client: httpx2.AsyncClient, officer: Officer) -> None:
    for _ in range(2):
        await ask_approval(client, officer.entity_id)
    outline = Outline((await client.get("/desk")).text)
    assert outline.all("html") == [{"lang": "en"}]
    assert len(outline.all("h1")) == len(outline.all("main")) == len(outline.all("title")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in outline.all("meta")
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {label["for"] for label in outline.all("label")}
    fields = [one for one in outline.all("input", "textarea") if one.get("type") != "hidden"]
    assert fields
    assert all(one["id"] in labelled for one in fields)
    assert len(outline.all("fieldset")) == len(outline.all("legend")) == 2


async def test_form_decides_and_leads_back(client: httpx2.AsyncClient, officer: Officer) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    page = (await client.get("/desk")).text
    request_event_id = re.findall(r'name="request_event_id" value="([0-9a-f-]{36})"', page)[0]
    form = {
        "market_id": market_id,
        "request_event_id": request_event_id,
        "decision": "rejected",
        "reason": "Titel fehlt: §5",
        "actor_id": officer.actor_id,
    }
    answer = await client.post("/desk/decision", data=form)
    assert answer.status_code == 303
    after = (await client.get(answer.headers["location"])).text
    assert "The market was rejected." in after
    assert market_id not in after
    decided = (await client.get(f"/api/v1/approvals/{market_id}")).json()["decision"]
    assert decided["reason"] == "Titel fehlt: §5"


@pytest.mark.parametrize(
    ("change", "status", "kept"),
    [
        ({"decision": ""}, 400, True),
        ({"actor_id": "me"}, 400, True),
        ({"actor_id": str(uuid4())}, 403, True),
        ({"request_event_id": str(uuid4())}, 409, True),
        ({"reason": ""}, 400, False),
        ({"market_id": "harbour"}, 400, False),
        ({"market_id": str(uuid4())}, 404, False),
        ({f"field-{number}": "x" for number in range(20)}, 400, False),
    ],
)
async def test_refused_form_says_why_and_keeps_what_was_typed(
    client: httpx2.AsyncClient, officer: Officer, change: dict[str, str], status: int, kept: bool
) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    reason = f"because {HOSTILE}"
    form = {"market_id": market_id, "decision": "rejected", "reason": reason, "actor_id": officer.actor_id}
    answer = await client.post("/desk/decision", data={**form, **change})
    assert answer.status_code == status
    assert "content-security-policy" in answer.headers
    assert 'role="alert"' in answer.text
    assert "<script" not in answer.text
    assert (reason in Outline(answer.text).text) is kept
    assert (await client.get(f"/api/v1/approvals/{market_id}")).json()["status"] == "pending"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "rebound.test", "sec-fetch-site": "same-origin"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://desk.test"}, 303),
        ({"origin": "http://desk.test"}, 303),
        ({}, 303),
    ],
)
async def test_form_of_another_site_is_refused(
    client: httpx2.AsyncClient, officer: Officer, headers: dict[str, str], status: int
) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    form = {"market_id": market_id, "decision": "approved", "actor_id": officer.actor_id}
    answer = await client.post("/desk/decision", data=form, headers=headers)
    assert answer.status_code == status


async def test_long_queue_is_paged(client: httpx2.AsyncClient, officer: Officer) -> None:
    markets = [await ask_approval(client, officer.entity_id) for _ in range(11)]
    first = (await client.get("/desk")).text
    (following,) = re.findall(r'<a href="(/desk\?cursor=\d+)">', first)
    second = (await client.get(following)).text
    assert [market in first for market in markets] == [True] * 10 + [False]
    assert [market in second for market in markets] == [False] * 10 + [True]
