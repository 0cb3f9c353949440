"""Short messages through a gateway over HTTP, by the form API that Twilio has and many others take:
`POST /2010-04-01/Accounts/{account}/Messages.json` with `To`, `From` and `Body`."""

from dataclasses import dataclass, field

import httpx2

from deedbook.integrations.answers import NoAnswer, ask
from deedbook.notifications.ports import Outcome
from deedbook.notifications.terms import Arrival

MAX_ANSWER_BYTES = 64 * 1024
_OURS = (401, 403, 404, 408, 425, 429)
"""About our account with the gateway, or its haste: the message is not at fault."""


@dataclass(frozen=True)
class SmsGateway:
    """Implements the `Texter` port."""

    base_url: str
    account: str
    token: str = field(repr=False)
    sender: str
    timeout_s: float = 10.0

    async def send(self, to: str, text: str) -> Outcome:
        """Give one message to the gateway."""
        url = f"{self.base_url}/2010-04-01/Accounts/{self.account}/Messages.json"
        form = {"To": to, "From": self.sender, "Body": text}
        async with httpx2.AsyncClient(
            timeout=self.timeout_s, trust_env=False, follow_redirects=False, auth=(self.account, self.token)
        ) as http:
            try:
                answer = await ask(
                    http, "POST", url, within_s=self.timeout_s, at_most=MAX_ANSWER_BYTES, data=form
                )
            except NoAnswer as nothing:
                return Outcome(Arrival.LATER, str(nothing))
        told = f"the gateway answered {answer.status}"
        if 200 <= answer.status < 300:
            return Outcome(Arrival.DELIVERED, told)
        never = 400 <= answer.status < 500 and answer.status not in _OURS
        return Outcome(Arrival.NEVER if never else Arrival.LATER, told)
