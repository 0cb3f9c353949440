"""Bad inputs (I-01 to I-06, I-08, A-11, A-31): refused with the right code and pointer, never 5xx, nothing stored."""

import base64
import gzip
import json
from typing import Any
from uuid import uuid4

import pytest

from deedbook.identity import Role
from tests.api.support import post_event, refused
from tests.support.workers import UNKNOWN_ID
from tests.support.world import User, World, registration

DEEP = "[" * 10_000 + "]" * 10_000
NO_AMOUNTS: list[Any] = [
    "NaN", "sNaN", "Infinity", "-Infinity", "-0", "-1", "+1", "0", "0.0", "0.000000000000000000", "1e400", "1E+2",
    "1e-400", "0x10", "1_000", "", " 1", "1 ", "1\n", "1\x00", "1..5", "1.", ".5", "00001", "١٢", "１２", "1,5",
    "1.0000000000000000001", str(10**20), "9" * 400, str(2**256), str(2**256 + 1), 0, -1, 1.5, 1e3, 10**20, 10**30,
    True, False, None, [], ["1"], {}, {"amount": "1"},
]  # fmt: skip
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
async def issuer(shared: World) -> User:
    return await shared.issuer()


async def _nothing_stored(world: World, issuer: User) -> bool:
    async with world.db.reading() as connection:
        return not await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM markets WHERE issuer_user_id = $1) "
            "OR EXISTS (SELECT 1 FROM documents WHERE owner_id = $1) "
            "OR EXISTS (SELECT 1 FROM idempotency_keys WHERE principal = $1::text)",
            issuer.user_id,
        )


@pytest.mark.parametrize("amount", NO_AMOUNTS, ids=lambda value: ascii(value)[:40])
async def test_a_registration_is_refused_when_its_supply_is_no_amount(
    shared: World, issuer: User, amount: Any
) -> None:
    answer = await shared.post("/markets/register", issuer, registration(totalSupply=amount))
    refused(answer, 422, "invalid_request", "/totalSupply")
    assert await _nothing_stored(shared, issuer)


@pytest.mark.parametrize("amount", ["1e3", "-1", "1\n", "１２", 1.5, True, [], "9" * 40], ids=ascii)
async def test_a_registration_is_refused_when_its_valuation_is_no_amount(
    shared: World, issuer: User, amount: Any
) -> None:
    body = registration(assetDetails={"valuation": amount, "currency": "USD"})
    answer = await shared.post("/markets/register", issuer, body)
    refused(answer, 422, "invalid_request", "/assetDetails/valuation")


NO_SYMBOLS: list[Any] = [
    "", "A", "lux", "LUX_A", "LUX\n", "LUХ", "L" * 33, "L" * 10_000, "L\x00", "-L", "L--X", "LUX APT", 7, None, [],
]  # fmt: skip
NO_NAMES: list[Any] = [
    "", "   ", "n" * 201, "n" * 10_000, "a\x00b", "a\nb", "a\u202eb", "\ufeff", "a\u2066", 7, None, ["n"],
]  # fmt: skip
NO_ASSET_TYPES: list[Any] = ["", "house", "REAL_ESTATE", "real_estate\n", 1, None, []]
NO_DECIMALS: list[Any] = [-1, 19, 1.5, "6", True, None, 10**30]
NO_DESCRIPTIONS: list[Any] = ["d" * 4001, "r" * 900_000, "a\x00", "a\u202e", 7, None]
BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    *(({"tokenSymbol": bad}, "/tokenSymbol") for bad in NO_SYMBOLS),
    *(({"name": bad}, "/name") for bad in NO_NAMES),
    *(({"description": bad}, "/description") for bad in NO_DESCRIPTIONS),
    *(({"assetType": bad}, "/assetType") for bad in NO_ASSET_TYPES),
    *(({"decimals": bad}, "/decimals") for bad in NO_DECIMALS),
    ({"tokenName": "t" * 65}, "/tokenName"),
    ({"tokenName": "\t"}, "/tokenName"),
    ({"assetDetails": {"currency": "usd"}}, "/assetDetails/currency"),
    ({"assetDetails": {"valuation": "5"}}, "/assetDetails/currency"),
    ({"assetDetails": {"complianceDocuments": ["x"]}}, "/assetDetails/complianceDocuments/0"),
    ({"assetDetails": {"complianceDocuments": [UNKNOWN_ID.replace("-", "")]}}, "/assetDetails/complianceDocuments/0"),
    ({"assetDetails": {"complianceDocuments": [UNKNOWN_ID]}}, "/assetDetails/complianceDocuments/0"),
    ({"assetDetails": {"complianceDocuments": [UNKNOWN_ID] * 51}}, "/assetDetails/complianceDocuments"),
    ({"assetDetails": {"attributes": {"a": "x" * 17_000}}}, "/assetDetails/attributes"),
    ({"assetDetails": {"attributes": {"a": 2**60}}}, "/assetDetails/attributes"),
    ({"assetDetails": {"attributes": {"a\x00": 1}}}, "/assetDetails/attributes"),
    ({"assetDetails": {"attributes": {"a": "\x00"}}}, "/assetDetails/attributes"),
    ({"assetDetails": {"attributes": {"n" * 65: 1}}}, "/assetDetails/attributes"),
    ({"assetDetails": {"attributes": [1]}}, "/assetDetails/attributes"),
    ({"assetDetails": {"regulatoryInfo": "none"}}, "/assetDetails/regulatoryInfo"),
    ({"assetDetails": []}, "/assetDetails"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "pointer"), BAD_FIELDS, ids=lambda value: ascii(value)[:50])
async def test_a_registration_names_the_field_when_it_is_bad(
    shared: World, issuer: User, changes: dict[str, Any], pointer: str
) -> None:
    answer = await shared.post("/markets/register", issuer, registration(**changes))
    refused(answer, 422, "invalid_request", pointer)
    assert await _nothing_stored(shared, issuer)


MASS = [
    "status", "approvedBy", "approved_by", "contractAddress", "filledQuantity", "fee", "kycStatus", "balance", "id",
    "createdAt", "version", "issuerId", "issuerUserId", "issuerAccount", "roles", "metadata", "activatedAt",
    "token_symbol", "total_supply", "__proto__", "constructor", "", "a/b", "~",
]  # fmt: skip
WRITES: dict[str, dict[str, Any]] = {
    "/markets/register": registration(),
    "/markets/{id}/approve": {"decision": "approve"},
    "/markets/{id}/activate": {},
    "/markets/{id}/pause": {},
    "/markets/{id}/resume": {},
    "/markets/{id}/archive": {},
    "/tokens": {"symbol": "OUSD", "name": "n", "type": "STABLE", "contractAddress": "0x" + "ab" * 20},
    "/tokens/{id}/list": {},
    "/tokens/{id}/mint": {"amount": "1", "reason": "r"},
    "/tokens/{id}/refresh": {},
    "/tokens/mints/{id}/approve": {},
    "/tokens/mints/{id}/reject": {"reason": "r"},
    "/withdrawals/{id}/approve": {},
    "/withdrawals/{id}/reject": {"reason": "r"},
    "/withdrawals/{id}/cancel": {},
    "/withdrawals/addresses": {"address": "0x" + "ab" * 20},
    "/admin/chain/rescan": {"fromBlock": 1, "toBlock": 2},
    "/documents": {"title": "t", "kind": "k", "sha256": "00" * 32},
    "/auth/nonce": {},
    "/auth/siwe": {"message": "m", "signature": "0x"},
    "/auth/refresh": {"refreshToken": "x" * 43},
    "/auth/logout": {},
    "/admin/jobs/housekeeping/x/retry": {},
    "/admin/jobs/housekeeping/x/park": {"reason": "r"},
    "/admin/processed-events/x/retry": {},
}


@pytest.mark.parametrize("path", WRITES)
async def test_a_write_is_refused_when_it_names_a_field_of_ours(
    shared: World, issuer: User, path: str
) -> None:
    staff = (
        "/admin/" in path
        or path.startswith("/withdrawals/{id}")
        or path in ("/tokens", "/tokens/{id}/list")
        or "/mints/" in path
    )
    operator = await shared.user(Role.OPERATOR, Role.COMPLIANCE) if staff else issuer
    for name in MASS:
        if name in WRITES[path] or (path == "/documents" and name == "metadata"):
            continue
        body = json.dumps({**WRITES[path], name: "x"}).encode()
        headers = {**operator.headers, **JSON, "Idempotency-Key": str(uuid4())}
        answer = await shared.http.post(path.replace("{id}", str(uuid4())), content=body, headers=headers)
        refused(answer, 422, "invalid_request")
        assert [error["code"] for error in answer.json()["errors"]] == ["unknown_field"], (name, answer.text)
    assert await _nothing_stored(shared, issuer)


async def test_a_registration_is_refused_when_the_asset_names_an_unknown_field(
    shared: World, issuer: User
) -> None:
    answer = await shared.post("/markets/register", issuer, registration(assetDetails={"status": "active"}))
    refused(answer, 422, "invalid_request", "/assetDetails/status")


GOOD = json.dumps(registration()).encode()
UNREADABLE: dict[str, tuple[bytes, int]] = {
    "not JSON": (b"name=Harbour", 400),
    "cut": (GOOD[:-1], 400),
    "trailing garbage": (GOOD + b"x", 400),
    "two values": (GOOD + GOOD, 400),
    "duplicate names": (b'{"name":"a","name":"b"}', 400),
    "duplicate names inside": (b'{"assetDetails":{"valuation":"1","valuation":"2"}}', 400),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, 400),
    "UTF-16": (GOOD.decode().encode("utf-16"), 400),
    "UTF-32": (GOOD.decode().encode("utf-32"), 400),
    "invalid UTF-8": (GOOD.replace(b"Harbour", b"\xff\xfe"), 400),
    "encoded surrogate": (GOOD.replace(b"Harbour", b"\xed\xa0\x80"), 400),
    "number of 5000 digits": (b'{"decimals":' + b"9" * 5000 + b"}", 400),
    "number out of range": (b'{"decimals":1e400}', 400),
    "NaN": (b'{"decimals":NaN}', 400),
    "Infinity": (b'{"decimals":-Infinity}', 400),
    "nested 10 000 deep": (b'{"assetDetails":{"attributes":{"a":' + DEEP.encode() + b"}}}", 400),
    "nested 40 deep": (b'{"assetDetails":{"attributes":{"a":' + b"[" * 40 + b"]" * 40 + b"}}}", 400),
    "nothing but opening": (b"[" * 500_000, 400),
    "half a surrogate pair": (b'{"name":"\\ud800"}', 400),
    "half a pair in a name": (b'{"\\uDFFF":1}', 400),
    "control character": (b'{"name":"a\nb"}', 400),
    "a comment": (b"{} // yes", 400),
    "single quotes": (b"{'name':'x'}", 400),
    "an array": (b"[]", 422),
    "null": (b"null", 422),
    "a text": (b'"x"', 422),
    "empty": (b"", 422),
    "an empty object": (b"{}", 422),
}


@pytest.mark.parametrize("path", ["/markets/register", "/documents", "/auth/siwe", "/auth/refresh"])
@pytest.mark.parametrize("kind", UNREADABLE)
async def test_a_body_is_refused_when_it_is_not_json_of_one_meaning(
    shared: World, issuer: User, path: str, kind: str
) -> None:
    body, status = UNREADABLE[kind]
    answer = await shared.http.post(path, content=body, headers={**issuer.headers, **JSON})
    refused(answer, status, "malformed_request" if status == 400 else "invalid_request")
    assert "error parsing the body" not in answer.text
    assert await _nothing_stored(shared, issuer)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
     "application/jsonp", "text/json", "application/json, text/html", "application/merge-patch+json"],
)  # fmt: skip
async def test_a_body_is_refused_when_it_is_of_another_type(
    shared: World, issuer: User, content_type: str
) -> None:
    headers = {**issuer.headers, "Content-Type": content_type}
    answer = await shared.http.post("/markets/register", content=GOOD, headers=headers)
    refused(answer, 415, "unsupported_media_type")


async def test_a_body_is_refused_when_it_is_compressed(shared: World, issuer: User) -> None:
    bomb = gzip.compress(b" " * 10_000_000 + b"{}")
    for encoding in ("gzip", "br", "GZIP", "identity, gzip"):
        headers = {**issuer.headers, **JSON, "Content-Encoding": encoding}
        answer = await shared.http.post("/markets/register", content=bomb, headers=headers)
        refused(answer, 415, "unsupported_media_type")


async def test_a_charset_is_no_matter_when_the_body_is_json(shared: World, issuer: User) -> None:
    headers = {**issuer.headers, "Content-Type": "Application/JSON; charset=utf-16"}
    answer = await shared.http.post(
        "/auth/refresh", content=b'{"refreshToken":"' + b"x" * 43 + b'"}', headers=headers
    )
    refused(answer, 401, "unauthenticated")


TEXTS = [
    "<script>alert(1)</script>", "<svg onload=alert(1)>", '=HYPERLINK("http://evil.test")', "'; DROP TABLE markets; --",
    "{{7*7}} ${7*7} #{7*7}", "x{$ne: 1}", "*)(uid=*))(|(uid=*", "redis.call('FLUSHALL')", "../../etc/passwd", "%00 %0a",
    'x","status":"active', "مرحبا بالعالم", "日本 🏠 family 👨‍👩‍👧", "\\u0000", "a\tb", "Zürich 第1号",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
async def test_a_text_is_inert_and_comes_back_as_it_was_when_stored(shared: World, text: str) -> None:
    issuer = await shared.issuer()
    line = text.replace("\t", " ")
    asset = {"location": {"note": line}, "attributes": {"note": text}}
    market = await shared.register(issuer, name=line, description=text, assetDetails=asset)
    told = (await shared.http.get(f"/markets/{market['id']}/details")).json()
    assert (told["market"]["name"], told["market"]["description"]) == (line, text)
    assert (told["asset"]["location"], told["asset"]["attributes"]) == ({"note": line}, {"note": text})
    for query in (line[:100], line[:3]):
        params = {"text": query, "issuerId": str(issuer.entity_id)}
        found = (await shared.http.get("/markets", params=params)).json()["data"]
        assert [entry["id"] for entry in found] == [market["id"]]


BAD_QUERIES = {
    "limit": [
        "0",
        "-1",
        "201",
        "99999999999999999999",
        "1e2",
        "abc",
        "",
        "5.0",
        "1_0",
        " 5",
        "+5",
        "١٢",
        "0x5",
        "null",
    ],
    "cursor": ["x", "", "e30", "bnVsbA", "W10", "!!!!", "é", "A" * 301, "W10=", "../..", "%00", "' OR 1=1"],
    "status": ["", "ACTIVE", "nothing", "active ", "active\x00", "active' OR 1=1 --"],
    "assetType": ["", "house", "real_estate;"],
    "issuerId": ["", "x", "1", "{" + UNKNOWN_ID + "}", UNKNOWN_ID.replace("-", ""), "\x00", "🙂"],
    "text": ["t" * 101, "\x00", "\u202e", " ", "\n"],
    "sort": ["name; DROP TABLE markets"],
    "order": ["asc"],
    "Limit": ["5"],
    "limit[]": ["5"],
    "filter[status]": ["active"],
    "\x00": ["1"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD_QUERIES.items() for value in values], ids=ascii
)
async def test_a_query_is_refused_when_a_parameter_is_bad_or_unknown(
    shared: World, name: str, value: str
) -> None:
    answer = await shared.http.get("/markets", params={name: value})
    refused(answer, 422, "invalid_request", f"/query/{name}")


@pytest.mark.parametrize("query", ["limit=5&limit=6", "status=active&status=paused", "text=a&text=a"])
async def test_a_query_is_refused_when_a_parameter_is_repeated(shared: World, query: str) -> None:
    refused(
        await shared.http.get(f"/markets?{query}"),
        422,
        "invalid_request",
        f"/query/{query.partition('=')[0]}",
    )


BAD_IDS = ["x", "1", "%00", "..%2f..%2fetc", "%F0%9F%99%82", "A" * 10_000, "{id}", "null", "0" * 36, "%E2%80%AE",
           UNKNOWN_ID.replace("-", ""), "urn:uuid:" + UNKNOWN_ID, UNKNOWN_ID + "%0a", "' OR 1=1"]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_IDS, ids=lambda value: value[:20])
async def test_a_path_is_refused_when_its_id_is_bad(shared: World, issuer: User, bad: str) -> None:
    for path in ("/markets/{id}", "/markets/{id}/details", "/markets/{id}/events", "/documents/{id}"):
        answer = await shared.http.get(path.replace("{id}", bad), headers=issuer.headers)
        assert answer.status_code in (404, 422), answer.text
    assert (await shared.post(f"/markets/{bad}/pause", issuer)).status_code in (404, 422)
    assert (await shared.http.get(f"/trading/pairs/{bad}")).status_code in (404, 422)


async def test_an_id_is_absent_when_it_is_of_another_kind(shared: World, issuer: User) -> None:
    made = await shared.post("/documents", await shared.user(), WRITES["/documents"])
    refused(await shared.http.get(f"/markets/{made.json()['id']}"), 404, "market_not_found")
    refused(await shared.http.get(f"/markets/{issuer.user_id}"), 404, "market_not_found")
    refused(
        await shared.http.get(f"/documents/{issuer.user_id}", headers=issuer.headers),
        404,
        "document_not_found",
    )


BAD_DOCUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"contentBase64": "é"}, "/contentBase64"),
    ({"contentBase64": "a"}, "/contentBase64"),
    ({"contentBase64": "YQ==\n"}, "/contentBase64"),
    ({"contentBase64": "****"}, "/contentBase64"),
    ({"contentBase64": ""}, "/contentBase64"),
    ({"contentBase64": "A" * 900_004}, "/contentBase64"),
    ({"contentBase64": "YQ==", "sha256": "00" * 32}, "/sha256"),
    ({"contentBase64": "YQ==", "sizeBytes": 2}, "/sizeBytes"),
    ({}, "/sha256"),
    ({"sha256": None}, "/sha256"),
    ({"sha256": "0x" + "00" * 32}, "/sha256"),
    ({"sha256": "AA" * 32}, "/sha256"),
    ({"sha256": "00" * 31}, "/sha256"),
    ({"sha256": "00" * 32 + "\n"}, "/sha256"),
    ({"sha256": "00" * 32, "sizeBytes": -1}, "/sizeBytes"),
    ({"sha256": "00" * 32, "sizeBytes": 2**54}, "/sizeBytes"),
    ({"sha256": "00" * 32, "sizeBytes": 1.5}, "/sizeBytes"),
    ({"sha256": "00" * 32, "title": " "}, "/title"),
    ({"sha256": "00" * 32, "kind": "k\x00"}, "/kind"),
    ({"sha256": "00" * 32, "mediaType": "text/html\r\nX: y"}, "/mediaType"),
    ({"sha256": "00" * 32, "metadata": {"a": 1}}, "/metadata/a"),
    ({"sha256": "00" * 32, "metadata": {str(number): "x" for number in range(33)}}, "/metadata"),
    ({"sha256": "00" * 32, "replaces": "x"}, "/replaces"),
]


@pytest.mark.parametrize(("changes", "pointer"), BAD_DOCUMENTS, ids=lambda value: ascii(value)[:40])
async def test_a_document_names_the_field_when_it_is_bad(
    shared: World, issuer: User, changes: dict[str, Any], pointer: str
) -> None:
    answer = await shared.post("/documents", issuer, {"title": "Deed", "kind": "deed", **changes})
    refused(answer, 422, "invalid_request", pointer)
    assert await _nothing_stored(shared, issuer)


async def test_a_document_is_hashed_and_not_kept_when_its_bytes_are_sent(world: World) -> None:
    user, content = await world.user(), b"%PDF-1.7 a deed <script>" * 20_000
    body = {"title": "Deed", "kind": "deed", "contentBase64": base64.b64encode(content).decode()}
    made = await world.post("/documents", user, body)
    assert (made.status_code, made.json()["sizeBytes"]) == (201, len(content))
    async with world.db.reading() as connection:
        row = await connection.fetchrow("SELECT * FROM documents")
    assert row is not None and len(str(dict(row))) < 2000


BAD_SIGN_INS: list[tuple[dict[str, Any], int]] = [
    ({"message": "m" * 4001, "signature": "0x"}, 422),
    ({"message": "", "signature": "0x"}, 422),
    ({"message": 7, "signature": "0x"}, 422),
    ({"message": "m", "signature": "s" * 201}, 422),
    ({"message": "m", "signature": None}, 422),
    ({"message": "m"}, 422),
    ({"message": "m", "signature": "0x"}, 401),
    ({"message": "\x00", "signature": "\x00"}, 401),
]


@pytest.mark.parametrize(("body", "status"), BAD_SIGN_INS, ids=lambda value: ascii(value)[:50])
async def test_a_sign_in_is_refused_when_the_body_is_bad(
    shared: World, body: dict[str, Any], status: int
) -> None:
    answer = await shared.http.post("/auth/siwe", content=json.dumps(body).encode(), headers=JSON)
    refused(answer, status, "invalid_request" if status == 422 else "sign_in_refused")


@pytest.mark.parametrize("token", ["", "short", "x" * 201, None, 7, ["x"], "é" * 43], ids=ascii)
async def test_a_refresh_is_refused_when_the_token_is_bad(shared: World, token: Any) -> None:
    body = json.dumps({"refreshToken": token}).encode()
    answer = await shared.http.post("/auth/refresh", content=body, headers=JSON)
    assert answer.status_code in (401, 422), answer.text


BAD_EVENTS: dict[str, bytes] = {
    "no object": b"[]",
    "a text": b'"x"',
    "empty": b"",
    "no JSON": b"{",
    "Type a list": b'{"Type":["Notification"]}',
    "Type an object": b'{"Type":{}}',
    "Type null": b'{"Type":null}',
    "nothing": b"{}",
    "no payload": b'{"event_id":"x","event_type":"market.approved","source":"entity_permissions_core"}',
    "payload a list": b'{"event_id":"x","event_type":"market.approved","source":"s","payload":[]}',
    "id a number": b'{"event_id":1,"event_type":"market.approved","source":"s","payload":{}}',
    "id empty": b'{"event_id":"","event_type":"market.approved","source":"s","payload":{}}',
    "id of 10 kB": b'{"event_id":"'
    + b"x" * 10_000
    + b'","event_type":"market.approved","source":"s","payload":{}}',
    "nested 10 000 deep": b'{"payload":' + DEEP.encode() + b"}",
    "NaN": b'{"payload":NaN}',
}


@pytest.mark.parametrize("kind", BAD_EVENTS)
async def test_a_webhook_is_refused_when_it_is_no_event_even_if_signed(shared: World, kind: str) -> None:
    answer = await post_event(shared, BAD_EVENTS[kind])
    assert (answer.status_code, answer.json()["code"]) in [
        (400, "webhook_malformed"),
        (400, "malformed_request"),
    ]
    unsigned = await shared.http.post("/webhooks/entity-permissions", content=BAD_EVENTS[kind], headers=JSON)
    assert unsigned.status_code in (400, 401), unsigned.text
    assert await _nothing_recorded(shared)


async def _nothing_recorded(world: World) -> bool:
    async with world.db.reading() as connection:
        return not await connection.fetchval("SELECT count(*) FROM processed_events")


NO_RETRIES = [
    "/admin/jobs/%00/x/retry",
    "/admin/jobs/nowhere/x/retry",
    "/admin/jobs/housekeeping/%00/retry",
    "/admin/jobs/housekeeping/x/retry",
    "/admin/processed-events/%00/retry",
    "/admin/processed-events/x/retry",
]


@pytest.mark.parametrize("path", NO_RETRIES)
async def test_an_operators_retry_is_refused_when_there_is_no_such_thing(shared: World, path: str) -> None:
    answer = await shared.post(path, await shared.user(Role.OPERATOR))
    assert answer.status_code in (404, 409, 422), answer.text
