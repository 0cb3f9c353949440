"""The examples of the OpenAPI document: requests and answers as they were, once, in the tests of the API. Record them
anew with `python -m tests.api.examples` after a route has come or changed; `-k` records some of them."""

import json
import re
import sys
from collections.abc import Iterator
from importlib import resources
from typing import Any

import httpx2
import pytest

from tests.api.snapshot import contract
from tests.api.support import ROOT

FILE = resources.files("deedbook.api").joinpath("examples.json")
MAX_JSON = 4000
MAX_TEXT = 300
MAX_ITEMS = 2
SECRETS = {
    "accessToken": "eyJhbGciOiJFZERTQSJ9.the-claims.the-signature",
    "refreshToken": "the-refresh-token-of-this-session",
    "apiKey": "dbk_the-id_the-secret",
    "secret": "whsec_the-secret",
    "ticket": "the-ticket",
}
"""What nobody should find in a repository, whatever it was good for."""

Example = dict[str, Any]


class Recorder:
    """Keeps, of each operation, the fullest exchange that went well and is short enough to read."""

    def __init__(self) -> None:
        self._routes = [
            (method, re.compile(re.sub(r"{\w+}", "[^/]+", path)), path, "{" in path)
            for path, operations in contract()["paths"].items()
            for method in operations
        ]
        self._found: dict[str, Example] = {}

    def note(self, answer: httpx2.Response) -> None:
        request = answer.request
        operation = self._operation(request.method.lower(), request.url.path)
        if operation is None or not answer.is_success:
            return
        example = _example(request, answer)
        size = len(json.dumps(example))
        best = self._found.get(operation)
        if best is None or (size <= MAX_JSON and not len(json.dumps(best)) > size):
            self._found[operation] = example

    def _operation(self, method: str, path: str) -> str | None:
        fitting = [
            (named, template)
            for its_method, pattern, template, named in self._routes
            if its_method == method and pattern.fullmatch(path)
        ]
        return f"{method} {min(fitting)[1]}" if fitting else None

    def write(self) -> None:
        """What was not seen this time stays as it was."""
        known = {f"{method} {path}" for method, _, path, _ in self._routes}
        told = json.loads(FILE.read_text()) | self._found
        kept = {name: told[name] for name in sorted(told) if name in known}
        missing = sorted(known - kept.keys())
        FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")  # type: ignore[attr-defined]
        print(f"{len(kept)} recorded, {len(missing)} missing: {missing}")


def _example(request: httpx2.Request, answer: httpx2.Response) -> Example:
    example: Example = {"status": answer.status_code}
    if request.content:
        example["request"] = _clean(json.loads(request.content))
    if answer.content:
        media_type = answer.headers["content-type"].partition(";")[0]
        told = _clean(answer.json()) if media_type == "application/json" else answer.text[:MAX_TEXT]
        example["answer"] = {media_type: told}
    return example


def _clean(told: Any, name: str = "") -> Any:
    """Short, and without what is nobody's business."""
    if isinstance(told, dict):
        return {key: _clean(value, key) for key, value in told.items()}
    if isinstance(told, list):
        return [_clean(value) for value in told[:MAX_ITEMS]]
    return SECRETS[name] if name in SECRETS and isinstance(told, str) else told


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    recorder, send = Recorder(), httpx2.AsyncClient.send

    async def recorded(self: httpx2.AsyncClient, request: httpx2.Request, **more: Any) -> httpx2.Response:
        answer = await send(self, request, **more)
        if str(self.base_url).startswith(ROOT) and answer.is_closed:
            recorder.note(answer)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx2.AsyncClient, "send", recorded)
        told = yield
    recorder.write()
    return told


if __name__ == "__main__":
    told = ["-q", "-n", "0", "-p", "tests.api.examples", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    sys.exit(pytest.main(["tests/api", *told, *sys.argv[1:]]))
