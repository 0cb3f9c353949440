"""The courier: carries messages from the outbox to the webhooks, one bounded loop for each, and one sweeper.

Nothing it knows is only in memory. Each message arrives at least once, or is given up after a day and marked.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import structlog

from deedbook.permissions import outbox
from deedbook.permissions.certificate import Keyring
from deedbook.permissions.config import DeliveryPolicy
from deedbook.permissions.instants import Clock
from deedbook.permissions.outbox import Parcel
from deedbook.permissions.sns import SnsRequest, Topic, compose
from deedbook.permissions.store import Store

_LEASE_MARGIN_S = 5.0
_STOP_TIMEOUT_S = 5.0
_PAUSE_AFTER_FAILURE_S = 1.0

log = structlog.get_logger("deedbook.permissions.delivery")


def retry_delay_s(policy: DeliveryPolicy, attempt: int, luck: float) -> float:
    """Doubling from the first retry to the longest, then shortened by up to half so that retries spread out.

    `attempt` counts from 1, `luck` lies in 0..1.
    """
    longest = min(policy.longest_retry_s, policy.first_retry_s * 2.0 ** min(attempt - 1, 32))
    return longest * (0.5 + luck / 2)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`why_not` is None when the webhook accepted the message."""

    parcel: Parcel
    why_not: str | None


class Courier:
    def __init__(
        self, *, store: Store, keyring: Keyring, topic: Topic, policy: DeliveryPolicy, clock: Clock
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._topic = topic
        self._policy = policy
        self._clock = clock
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, webhook_urls: tuple[str, ...]) -> None:
        timeout = httpx2.Timeout(self._policy.timeout_s)
        for url in webhook_urls:
            self._tasks.append(asyncio.create_task(self._serve(url, timeout), name=f"courier {url}"))
        self._tasks.append(
            asyncio.create_task(
                self._loop(self._sweep, self._policy.sweep_interval_s), name="courier sweeper"
            )
        )

    async def stop(self) -> None:
        """Let what is on the way arrive; what does not is claimed again once its lease ends."""
        self._stopping.set()
        _, unfinished = await asyncio.wait(self._tasks, timeout=_STOP_TIMEOUT_S)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, url: str, timeout: httpx2.Timeout) -> None:
        # No redirects, no proxies of the environment: a message goes where it was configured to go.
        async with httpx2.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False) as client:

            async def round_of_url() -> bool:
                return await self._round(client, url)

            await self._loop(round_of_url, self._policy.poll_interval_s)

    async def _loop(self, once: Callable[[], Awaitable[bool]], interval_s: float) -> None:
        """Until stopped: again at once while there is work, else after a pause."""
        while not self._stopping.is_set():
            try:
                busy = await once()
                pause_s = 0.0 if busy else interval_s
            except Exception:
                # The rows are still there; a loop that ended here would keep them for ever.
                log.exception("delivery round failed")
                pause_s = max(interval_s, _PAUSE_AFTER_FAILURE_S)
            if pause_s:
                await self._pause(pause_s)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _sweep(self) -> bool:
        abandoned = await asyncio.to_thread(self._give_up_and_forget)
        if abandoned:
            log.error("messages given up", count=abandoned)
        return False

    def _give_up_and_forget(self) -> int:
        with self._store.write() as tx:
            outbox.forget(tx)
            return outbox.give_up(tx, after_s=self._policy.give_up_after_s)

    async def _round(self, client: httpx2.AsyncClient, url: str) -> bool:
        letters = await asyncio.to_thread(self._claim, url)
        if not letters:
            return False
        posts = (self._post(client, parcel, request) for parcel, request in letters)
        outcomes = await asyncio.gather(*posts)
        await asyncio.to_thread(self._settle, outcomes)
        return True

    def _claim(self, url: str) -> list[tuple[Parcel, SnsRequest]]:
        with self._store.read() as tx:
            if not outbox.is_due(tx, url):
                return []
        now = self._clock()
        identity = self._keyring.current(now)
        lease_s = self._policy.timeout_s + _LEASE_MARGIN_S
        with self._store.write() as tx:
            parcels = outbox.claim(tx, url, limit=self._policy.batch_size, lease_s=lease_s)
        return [(parcel, compose(parcel, self._topic, identity, now)) for parcel in parcels]

    async def _post(self, client: httpx2.AsyncClient, parcel: Parcel, request: SnsRequest) -> Outcome:
        try:
            async with asyncio.timeout(self._policy.timeout_s):
                # The answer's body is of no interest and may be endless, so it is not read.
                async with client.stream(
                    "POST", parcel.url, content=request.body, headers=request.headers
                ) as response:
                    why_not = None if response.is_success else f"HTTP {response.status_code}"
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            why_not = f"{type(error).__name__}: {error}"
        return Outcome(parcel, why_not)

    def _settle(self, outcomes: list[Outcome]) -> None:
        with self._store.write() as tx:
            for outcome in outcomes:
                parcel = outcome.parcel
                if outcome.why_not is None:
                    outbox.mark_delivered(tx, parcel)
                    continue
                luck = random.random()  # noqa: S311 -- spreads retries, guards nothing
                delay_s = retry_delay_s(self._policy, parcel.attempt, luck)
                retry_at = tx.now + timedelta(seconds=delay_s)
                outbox.mark_refused(tx, parcel, outcome.why_not, retry_at=retry_at)
                log.warning(
                    "webhook did not accept",
                    message_id=parcel.message_id,
                    attempt=parcel.attempt,
                    why=outcome.why_not,
                )
