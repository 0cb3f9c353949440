"""Posts to addresses that users have named: to public places over https alone, nowhere else than there, and nothing of
the answer is kept but its number. Their names are looked up apart from those that operators give: anybody can name a
slow one."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from deedbook.integrations.answers import AnswerTooLarge, NoAnswer, ask
from deedbook.integrations.names import Names
from deedbook.integrations.outward import Lookup, PublicTransport
from deedbook.notifications.ports import Outcome
from deedbook.notifications.terms import Arrival

MAX_ANSWER_BYTES = 64 * 1024
GONE = 410


@dataclass(frozen=True)
class WebhookPoster:
    """Implements the `Poster` port. `private_too` lets our own network be posted to, for development."""

    timeout_s: float = 10.0
    private_too: bool = False
    lookup: Lookup = field(default_factory=lambda: Names().look_up)
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post once. Nothing is followed: a redirect is an answer like any other."""
        inner = httpx2.AsyncHTTPTransport(trust_env=False, verify=self.trust)
        outward = PublicTransport(private_too=self.private_too, lookup=self.lookup, inner=inner)
        async with httpx2.AsyncClient(
            timeout=self.timeout_s, trust_env=False, follow_redirects=False, transport=outward
        ) as http:
            try:
                answer = await ask(
                    http,
                    "POST",
                    url,
                    within_s=self.timeout_s,
                    at_most=MAX_ANSWER_BYTES,
                    content=body,
                    headers={"user-agent": "Deedbook-Webhooks/1", **headers},
                )
            except AnswerTooLarge:
                return Outcome(Arrival.LATER, "the answer was too large")
            except NoAnswer as nothing:
                return Outcome(Arrival.LATER, str(nothing))
        told = f"answered {answer.status}"
        if 200 <= answer.status < 300:
            return Outcome(Arrival.DELIVERED, told, answer.status)
        return Outcome(Arrival.NEVER if answer.status == GONE else Arrival.LATER, told, answer.status)
