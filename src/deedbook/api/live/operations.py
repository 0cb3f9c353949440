"""The channel `ops`: how the installation works, for those who operate it. The same figures as the metrics, each
second, whole each time; asked for only while somebody hears them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from deedbook import chain, custody
from deedbook.api.live.channels import Told
from deedbook.api.live.connection import Connection, Subscription
from deedbook.identity import Caller, Role
from deedbook.identity.errors import Forbidden, Unauthenticated
from deedbook.infra import joblog, outbox
from deedbook.infra.database import Database
from deedbook.kernel.clock import to_wire
from deedbook.trading.stuck import stuck

OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
NOT_YOURS = 4403, "role_over"


class Operations:
    """One per process that serves feeds."""

    def __init__(self, db: Database, chain_id: int) -> None:
        self._db = db
        self._chain_id = chain_id
        self._told: Mapping[str, Any] = {}
        self._at = ""
        self.listeners: set[Subscription] = set()

    async def hear(self, connection: Connection) -> tuple[Subscription, str]:
        """A subscription, and how everything is now.

        Raises:
            Unauthenticated · Forbidden: it is not for them.
            Unavailable: PostgreSQL does not answer.
        """
        if connection.caller is None:
            raise Unauthenticated("say who you are first: send auth")
        if not _may_hear(connection.caller):
            raise Forbidden("this takes the role operator or admin, and a session")
        await self._tell_what_is_new()
        return Told(connection, self), self.snapshot()

    def snapshot(self) -> str:
        return self._text("snapshot")

    async def follow(self) -> None:
        """Tell what is new to those who may still hear it.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        if not self.listeners:
            return
        self._dismiss()
        await self._tell_what_is_new()

    async def _tell_what_is_new(self) -> None:
        before = self._told
        await self._ask()
        if self._told == before:
            return
        text = self._text("update")
        for listener in list(self.listeners):
            listener.offer(text)

    def _dismiss(self) -> None:
        """End the sockets of those who are no operators any more, as far as is known."""
        for listener in list(self.listeners):
            caller = listener.connection.caller
            assert caller is not None, "nobody else may hear it"
            if not _may_hear(caller):
                listener.connection.close(*NOT_YOURS)

    async def _ask(self) -> None:
        db, queues = self._db, await joblog.records(self._db)
        runs, vault = (
            await custody.reconciliation_runs(db, None, 1),
            await custody.standing(db, self._chain_id),
        )
        late = await stuck(db)
        self._told = {
            "queues": [
                {
                    "name": name,
                    "pending": record.pending,
                    "failed": record.failed,
                    "oldestPendingAt": to_wire(record.oldest_pending) if record.oldest_pending else None,
                }
                for name, record in sorted(queues.items())
            ],
            "relayLagMs": {sink: int(lag * 1000) for sink, lag in sorted((await outbox.lag_s(db)).items())},
            "lane": {stage.value: count for stage, count in (await chain.lane_depth(db)).items()},
            "watcher": {"block": vault.block_number, "stoppedReason": vault.stopped_reason}
            if vault
            else None,
            "reconciliation": _reconciliation(runs[0]) if runs else None,
            "stuck": {
                "orders": late.orders,
                "commands": late.commands,
                "since": to_wire(late.since) if late.since else None,
            },
        }
        self._at = to_wire(datetime.now(UTC))

    def _text(self, kind: str) -> str:
        return orjson.dumps({"type": kind, "channel": "ops", "ts": self._at, **self._told}).decode()


def _may_hear(caller: Caller) -> bool:
    return caller.key is None and bool(caller.roles & OPERATORS)


def _reconciliation(run: Mapping[str, Any]) -> dict[str, Any]:
    return {"breaks": len(run["breaks"]), "comparedAt": to_wire(run["created_at"])}
