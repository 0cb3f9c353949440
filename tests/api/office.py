"""What tests of compliance over HTTP do over and over: decide, act, ask."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2

from tests.compliance.support import Desk
from tests.support.world import User, World

APPROVED: dict[str, Any] = {"kycStatus": "APPROVED", "kycLevel": 1, "whitelisted": True, "jurisdiction": "LU"}
BECAUSE = {"reason": "looked at it"}


@dataclass
class Office:
    """A token's compliance over HTTP."""

    world: World
    desk: Desk
    officer: User

    async def decide(self, user: User, by: User | None = None, **change: Any) -> httpx2.Response:
        headers = {"If-Match": f'"{change.pop("seen")}"'} if "seen" in change else {}
        body = {"tokenId": str(self.desk.token), **change}
        return await self.world.post(
            f"/tokens/compliance/{user.user_id}", by or self.officer, body, **headers
        )

    async def rehearse(self, user: User, **change: Any) -> dict[str, Any]:
        body = {"tokenId": str(self.desk.token), **change}
        answer = await self.world.post(f"/tokens/compliance/{user.user_id}/preview", self.officer, body)
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    async def act(
        self, user: User, what: str, body: Any = BECAUSE, by: User | None = None
    ) -> httpx2.Response:
        return await self.world.post(f"/compliance/{user.user_id}/{what}", by or self.officer, body)

    async def standing(self, user: User, by: User) -> httpx2.Response:
        return await self.world.http.get(f"/tokens/compliance/{user.user_id}", headers=by.headers)

    async def rules(self, body: Any, seen: int | None = None) -> httpx2.Response:
        told = {"Idempotency-Key": str(uuid4()), **self.officer.headers}
        told |= {} if seen is None else {"If-Match": f'"{seen}"'}
        return await self.world.http.put(f"/tokens/{self.desk.token}/rules", json=body, headers=told)

    async def preview(self, by: User, **asked: Any) -> httpx2.Response:
        body = {"operation": "TRANSFER", "amount": "1", **asked}
        return await self.world.post(f"/tokens/{self.desk.token}/compliance/preview", by, body)
