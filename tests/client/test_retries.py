"""What is sent again, and what is not: flows driven by hand, without a network."""

import json
from typing import Any

import pytest

from deedbook.client import Unreachable, refusals
from deedbook.client.errors import DeedbookError
from deedbook.client.flow import MAX_ATTEMPTS, Call, Reply, Request, Session, Wait, ask
from deedbook.client.flows.people import sign_in
from deedbook.client.signers import LocalSigner

SIGNER = LocalSigner.from_key("11" * 32)
READ = Call("GET", "/me")
OFFER = {"domain": "localhost", "uri": "http://localhost", "version": "1", "chainId": 1, "nonce": "abcdefgh"}


def told(status: int, body: Any, **headers: str) -> Reply:
    return Reply(status, headers, json.dumps(body).encode())


def refusal(status: int, code: str, **more: Any) -> Reply:
    return told(status, {"code": code, "detail": "no", "requestId": "r-1", **more})


def drive(
    call: Call, *answers: Reply | DeedbookError, session: Session | None = None
) -> tuple[Any, list[Any]]:
    """What came of a call, and what it wanted done on the way."""
    flow, wanted, waiting = ask(session or Session("http://x", token="t"), call), list[Any](), list(answers)
    step: Request | Wait = next(flow)
    try:
        while True:
            wanted.append(step)
            if isinstance(step, Wait):
                step = flow.send(None)
                continue
            answer = waiting.pop(0)
            step = flow.throw(answer) if isinstance(answer, DeedbookError) else flow.send(answer)
    except StopIteration as end:
        return end.value, wanted


LOST = Unreachable("cut")
DONE = told(200, {"done": True})


def test_a_read_is_sent_again_when_no_answer_comes() -> None:
    result, wanted = drive(READ, LOST, LOST, DONE)
    assert result == {"done": True}
    assert [type(step) for step in wanted] == [Request, Wait, Request, Wait, Request]
    assert 0.2 <= wanted[1].seconds < wanted[3].seconds <= 0.6


def test_what_has_a_key_is_sent_again_with_the_same_key_and_body() -> None:
    _, wanted = drive(Call("POST", "/withdrawals", body={"amount": "1"}, key="k-1"), LOST, DONE)
    assert wanted[0] == wanted[2] and wanted[0].headers["Idempotency-Key"] == "k-1"


def test_what_has_neither_key_nor_name_is_sent_once_when_no_answer_comes() -> None:
    with pytest.raises(Unreachable):
        drive(Call("POST", "/trading/orders/batch", body={}, repeatable=False), LOST, DONE)


def test_the_platforms_own_pause_is_kept_when_it_names_one() -> None:
    once = Call("POST", "/trading/orders/batch", body={}, repeatable=False)
    _, wanted = drive(once, refusal(429, "rate_limited", retryAfterMs=1500), DONE)
    assert wanted[1].seconds == 1.5, "what was refused was not carried out"
    _, wanted = drive(READ, Reply(503, {"retry-after": "3"}, b'{"code":"unavailable"}'), DONE)
    assert wanted[1].seconds == 3


def test_nobody_is_kept_waiting_for_long() -> None:
    with pytest.raises(refusals.RateLimited) as limited:
        drive(READ, refusal(429, "rate_limited", retryAfterMs=60_000))
    assert limited.value.retry_after == 60


def test_it_ends_some_time_when_no_answer_ever_comes() -> None:
    with pytest.raises(Unreachable):
        drive(READ, *[LOST] * MAX_ATTEMPTS)


@pytest.mark.parametrize(
    ("status", "code"), [(422, "insufficient_funds"), (404, "order_not_found"), (500, "internal_error")]
)
def test_a_refusal_is_final_when_the_same_again_would_say_the_same(status: int, code: str) -> None:
    with pytest.raises(DeedbookError) as refused:
        drive(READ, refusal(status, code), DONE)
    assert (refused.value.code, refused.value.status, refused.value.request_id) == (code, status, "r-1")


def test_a_code_of_tomorrow_is_an_error_of_its_kind() -> None:
    with pytest.raises(DeedbookError) as refused:
        drive(READ, refusal(409, "moon_is_full"))
    assert type(refused.value).__name__ == "ConflictError" and refused.value.code == "moon_is_full"


def test_an_answer_of_something_in_between_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        drive(Call("POST", "/x", repeatable=False), Reply(502, {}, b"<html>Bad gateway</html>"))
    result, _ = drive(READ, Reply(504, {}, b"<html>"), DONE)
    assert result == {"done": True}


def test_it_signs_in_when_it_has_to_and_once_more_when_the_token_has_run_out() -> None:
    session = Session("http://x", SIGNER, clock=lambda: 1_800_000_000.0, sign_in=sign_in)
    expired = refusal(401, "unauthenticated")
    offer, first, second = told(200, OFFER), told(200, {"accessToken": "a"}), told(200, {"accessToken": "b"})
    result, wanted = drive(READ, offer, first, expired, offer, second, DONE, session=session)
    assert result == {"done": True}
    asked = [step.headers.get("Authorization") for step in wanted if step.url.endswith("/me")]
    assert asked == ["Bearer a", "Bearer b"]
    with pytest.raises(refusals.Unauthenticated):
        drive(READ, expired, offer, second, expired, session=session)


def test_no_secret_is_shown_when_something_is_printed() -> None:
    session = Session("http://x", SIGNER, token="t-secret")
    request = session.request(Call("POST", "/x", body={"signature": "0xfeed"}))
    assert "t-secret" not in repr(request) and "0xfeed" not in repr(request)
    assert "11" * 32 not in repr(SIGNER)
