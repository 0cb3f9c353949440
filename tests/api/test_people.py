"""Staff hear which account belongs to which user, and the reverse."""

import httpx2

from deedbook.identity import Role
from tests.api.support import refused
from tests.support.workers import UNKNOWN_ID
from tests.support.world import User, World


async def ask(world: World, by: User, **asked: str) -> httpx2.Response:
    return await world.http.get("/admin/people", params=asked, headers=by.headers)


def told(user: User) -> dict[str, str]:
    return {"userId": str(user.user_id), "account": user.wallet.address}


async def test_accounts_are_told_when_staff_ask_about_users(shared: World) -> None:
    officer, first, second = await shared.user(Role.COMPLIANCE), await shared.user(), await shared.user()
    ids = f"{second.user_id},{first.user_id},{UNKNOWN_ID}"
    answer = (await ask(shared, officer, userIds=ids)).raise_for_status().json()
    assert answer["data"] == sorted([told(first), told(second)], key=lambda person: person["userId"])


async def test_user_is_found_when_an_account_is_known(shared: World) -> None:
    officer, user = await shared.user(Role.OPERATOR), await shared.user()
    for text in (told(user)["account"], told(user)["account"].lower()):
        assert (await ask(shared, officer, account=text)).json()["data"] == [told(user)]
    assert (await ask(shared, officer, account="0x" + "7e" * 20)).json()["data"] == []


async def test_question_is_refused_when_it_is_no_question(shared: World) -> None:
    officer = await shared.user(Role.COMPLIANCE)
    refused(await ask(shared, officer, userIds=",".join([UNKNOWN_ID] * 101)), 422, "invalid_request")
    refused(await ask(shared, officer, userIds="somebody"), 422, "invalid_request", "/query/userIds")
    refused(await ask(shared, officer, account="0x12"), 422, "invalid_request", "/query/account")
